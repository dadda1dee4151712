//! TNEF: a list of attributes, each with a length; attachments are those of the level for attachments.

use crate::file::Flow;
use crate::file::walk::Walk;

const ATTACHMENT: u8 = 2;
const TITLE: u16 = 0x8010;
const DATA: u16 = 0x800f;

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let mut at = 6;
    let mut title = None;
    while at + 9 <= bytes.len() {
        let level = bytes[at];
        let id = u16::from_le_bytes([bytes[at + 1], bytes[at + 2]]);
        let length = u32::from_le_bytes([bytes[at + 5], bytes[at + 6], bytes[at + 7], bytes[at + 8]]) as usize;
        if !matches!(level, 1 | 2) {
            return;
        }
        let rest = &bytes[at + 9..];
        let content = &rest[..rest.len().min(length)];
        match (level, id) {
            (ATTACHMENT, TITLE) => {
                let end = memchr::memchr(0, content).unwrap_or(content.len());
                title = Some(String::from_utf8_lossy(&content[..end]).into_owned());
            }
            (ATTACHMENT, DATA) => {
                let kept = &content[..content.len().min(walk.room())];
                if walk.open(title.as_deref().unwrap_or("attachment"), kept) == Flow::Stop {
                    return;
                }
            }
            _ => {}
        }
        if content.len() < length {
            return walk.broken("a TNEF ends inside of an attribute");
        }
        at += 9 + length + 2;
    }
}
