//! Synthetic families: programs from a seeded generator, and bodies that infect them. No real code is in them.

use super::goodware::Goodware;

/// How a family takes hold of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Behind the host, whose first three bytes become a jump and are kept in the body.
    Appended,
    /// Before the host.
    Prepended,
    /// Behind the host, with a byte in forty of the body changed in each member.
    Mutated,
    /// No host: each member is the same program with a fifth of it replaced, never the loop in its middle.
    Variant,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Appended, Kind::Prepended, Kind::Mutated, Kind::Variant];
}

/// Where the body of [`Kind::Appended`] keeps the first bytes of the host.
pub(super) const SAVED_AT: usize = 700;
/// Bytes of a body.
pub(super) const BODY_BYTES: usize = 1400;

/// A family.
pub(super) struct Family {
    kind: Kind,
    name: String,
    body: Vec<u8>,
}

/// Bytes that depend on a name only.
pub(super) fn noise(name: &str, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(name.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A number below `below` that depends on a name only.
fn choice(name: &str, below: usize) -> usize {
    noise(name, 2).iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)) % below
}

/// A program: a stub that all have, code of its own in pieces between library code and padding, and a table.
pub(super) fn program(name: &str) -> Vec<u8> {
    let mut bytes = noise(&format!("{name} entry"), 16);
    bytes.extend(noise("stub", 120));
    for piece in 0..3 + choice(&format!("{name} pieces"), 6) {
        let own = format!("{name} piece {piece}");
        bytes.extend(noise(&own, 300 + choice(&own, 2500)));
        bytes.extend(noise(&format!("library {}", choice(&format!("{own} library"), 12)), 800));
        bytes.extend([0].repeat(choice(&format!("{own} padding"), 64)));
    }
    bytes.extend((0..64u8).flat_map(|index| [index, 0, 0, 0]));
    bytes.extend(noise(&format!("{name} end"), 24));
    bytes
}

/// A program of six hundred different instructions, of which every member has as many of each in an order of its own.
pub(super) fn reordered(name: &str, number: usize) -> Vec<u8> {
    let words = noise(&format!("{name} words"), 6 * 600);
    let keys = noise(&format!("{name} member {number}"), 4 * 60_000);
    let mut order: Vec<(&[u8], usize)> = keys.chunks_exact(4).enumerate().map(|(word, key)| (key, word)).collect();
    order.sort_unstable();
    order.iter().flat_map(|(_, word)| &words[6 * (word % 600)..][..6]).copied().collect()
}

/// Programs in which nothing may be found. They have all of the library.
pub(super) fn corpus() -> Vec<Vec<u8>> {
    (0..40).map(|index| program(&format!("clean {index}"))).collect()
}

/// What is known of some clean files.
pub(super) fn goodware(files: &[Vec<u8>]) -> Goodware {
    let mut goodware = Goodware::sized_for(files.iter().map(|file| file.len() as u64).sum());
    files.iter().for_each(|file| goodware.add(file));
    goodware
}

impl Family {
    pub fn new(kind: Kind, name: &str) -> Family {
        Family { kind, name: name.to_owned(), body: noise(&format!("body of {name}"), BODY_BYTES) }
    }

    /// The program that a member has infected.
    pub fn host(&self, number: usize) -> Vec<u8> {
        program(&format!("{} host {number}", self.name))
    }

    /// A member.
    pub fn infected(&self, number: usize) -> Vec<u8> {
        let host = self.host(number);
        match self.kind {
            Kind::Appended => self.appended(host),
            Kind::Prepended => [self.body.clone(), host].concat(),
            Kind::Mutated => [host, self.mutated(number)].concat(),
            Kind::Variant => self.variant(number),
        }
    }

    fn appended(&self, mut host: Vec<u8>) -> Vec<u8> {
        let mut body = self.body.clone();
        body[SAVED_AT..SAVED_AT + 3].copy_from_slice(&host[..3]);
        let distance = (host.len() - 3) as u16;
        host[0] = 0xe9;
        host[1..3].copy_from_slice(&distance.to_le_bytes());
        [host, body].concat()
    }

    /// All but the middle is changed, as engines that rewrite code leave their loop alone.
    fn mutated(&self, number: usize) -> Vec<u8> {
        let mut body = self.body.clone();
        for place in 0..BODY_BYTES / 40 {
            let at = choice(&format!("{} change {number} {place}", self.name), BODY_BYTES);
            if !(600..800).contains(&at) {
                body[at] ^= 0x55;
            }
        }
        body
    }

    fn variant(&self, number: usize) -> Vec<u8> {
        let mut bytes = noise(&format!("{} program", self.name), 8000);
        for place in 0..8 {
            let own = format!("{} variant {number} {place}", self.name);
            let at = 200 * choice(&own, 40);
            if !(3000..3400).contains(&at) {
                bytes[at..at + 200].copy_from_slice(&noise(&own, 200));
            }
        }
        bytes
    }
}
