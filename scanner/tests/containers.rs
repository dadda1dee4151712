//! Archives as their own tools make them: opened, cut at every length, and built to explode.
//!
//! Tools that are not installed skip their case; on CI all are.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use scanner::file::{Flow, Form, Limit, Limits, Outcome, TroubleKind, walk};

/// What each archive holds.
const PAYLOAD: &[u8] = b"what the archive holds: the quick brown fox jumps over the lazy dog, twice. \
    the quick brown fox jumps over the lazy dog, twice. 0123456789\n";

/// Every raw buffer below the sample, with the joined names.
fn members(bytes: &[u8], limits: &Limits) -> (Vec<(String, Vec<u8>)>, Outcome) {
    let mut found = Vec::new();
    let outcome = walk(bytes, limits, &|| false, &mut |member| {
        if member.form == Form::Raw && member.depth > 0 {
            found.push((member.path.join("/"), member.bytes.to_vec()));
        }
        Flow::On
    });
    (found, outcome)
}

fn reaches(bytes: &[u8]) -> bool {
    members(bytes, &Limits::default()).0.iter().any(|member| member.1 == PAYLOAD)
}

/// Runs a shell line in a folder with `fox.txt`; the file it makes, or nothing where its tool is missing.
fn made(tool: &str, line: &str, file: &str) -> Option<Vec<u8>> {
    let there =
        Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().expect("a shell").status.success();
    if !there {
        assert!(std::env::var_os("CI").is_none(), "{tool} is not installed");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("fox.txt"), PAYLOAD).expect("written");
    let run = Command::new("sh").args(["-c", line]).current_dir(folder.path()).output().expect("a shell");
    assert!(run.status.success(), "{line}: {}", String::from_utf8_lossy(&run.stderr));
    Some(std::fs::read(folder.path().join(file)).expect("made"))
}

/// `(tool, command, file)`.
const TOOLS: &[(&str, &str, &str)] = &[
    ("zip", "zip -q a.zip fox.txt", "a.zip"),
    ("zip", "zip -q -0 a.zip fox.txt", "a.zip"),
    ("zip", "zip -q -Z bzip2 a.zip fox.txt", "a.zip"),
    ("zip", "zip -q -fd a.zip fox.txt", "a.zip"),
    ("zip", "cat fox.txt | zip -q - - > a.zip", "a.zip"),
    ("zip", "zip -q -P infected a.zip fox.txt", "a.zip"),
    ("7z", "7z a -tzip -mem=AES256 -pinfected a.zip fox.txt", "a.zip"),
    ("7z", "7z a -tzip -mem=AES128 -pinfected a.zip fox.txt", "a.zip"),
    ("7z", "7z a -tzip -mm=LZMA a.zip fox.txt", "a.zip"),
    ("7z", "7z a -tzip -mm=Deflate64 a.zip fox.txt", "a.zip"),
    ("7z", "7z a a.7z fox.txt", "a.7z"),
    ("7z", "7z a -m0=PPMd a.7z fox.txt", "a.7z"),
    ("7z", "7z a -m0=BZip2 a.7z fox.txt", "a.7z"),
    ("7z", "7z a -m0=Deflate a.7z fox.txt", "a.7z"),
    ("7z", "7z a -m0=Copy a.7z fox.txt", "a.7z"),
    ("7z", "7z a -m0=BCJ -m1=LZMA2 a.7z fox.txt", "a.7z"),
    ("tar", "tar --format=ustar -cf a.tar fox.txt", "a.tar"),
    ("tar", "tar --format=v7 -cf a.tar fox.txt", "a.tar"),
    ("tar", "tar --format=gnu -cf a.tar fox.txt", "a.tar"),
    ("tar", "tar --format=pax -cf a.tar fox.txt", "a.tar"),
    ("tar", "tar -czf a.tgz fox.txt", "a.tgz"),
    ("gzip", "gzip fox.txt", "fox.txt.gz"),
    ("bzip2", "bzip2 fox.txt", "fox.txt.bz2"),
    ("xz", "xz fox.txt", "fox.txt.xz"),
    ("xz", "xz --check=sha256 --x86 --lzma2 fox.txt", "fox.txt.xz"),
    ("cpio", "echo fox.txt | cpio -o -H newc > a.cpio", "a.cpio"),
    ("cpio", "echo fox.txt | cpio -o -H crc > a.cpio", "a.cpio"),
    ("cpio", "echo fox.txt | cpio -o -H odc > a.cpio", "a.cpio"),
    ("cpio", "echo fox.txt | cpio -o -H bin > a.cpio", "a.cpio"),
    ("gcab", "gcab -c a.cab fox.txt", "a.cab"),
    ("gcab", "gcab -n -c a.cab fox.txt", "a.cab"),
    ("arj", "arj a a.arj fox.txt", "a.arj"),
    ("arj", "arj a -m0 a.arj fox.txt", "a.arj"),
    ("genisoimage", "genisoimage -quiet -o a.iso fox.txt", "a.iso"),
    ("uuencode", "uuencode fox.txt fox.txt > a.uu", "a.uu"),
];

#[test]
fn what_the_tools_pack_is_found() {
    let missed: Vec<_> = TOOLS
        .iter()
        .filter(|(tool, line, file)| made(tool, line, file).is_some_and(|bytes| !reaches(&bytes)))
        .map(|case| case.1)
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn an_archive_cut_at_any_length_gives_up_what_is_there_and_never_panics() {
    for (tool, line, file) in TOOLS.iter().filter(|case| case.2 != "a.iso") {
        let Some(bytes) = made(tool, line, file) else { continue };
        for end in 0..bytes.len() {
            let mut first = true;
            walk(&bytes[..end], &Limits::default(), &|| false, &mut |member| {
                if std::mem::take(&mut first) {
                    assert_eq!(member.bytes, &bytes[..end], "{line} cut at {end}: the sample itself comes first");
                }
                Flow::On
            });
        }
    }
}

#[test]
fn an_archive_with_any_byte_flipped_never_panics() {
    for (tool, line, file) in TOOLS.iter().filter(|case| case.2 != "a.iso" && !case.1.contains("AES")) {
        let Some(mut bytes) = made(tool, line, file) else { continue };
        for at in 0..bytes.len().min(600) {
            bytes[at] ^= 0xff;
            let (_, outcome) = members(&bytes, &small());
            assert!(outcome.files <= small().files_max);
            bytes[at] ^= 0xff;
        }
    }
}

fn small() -> Limits {
    Limits { scan_bytes_max: 4 << 20, file_bytes_max: 1 << 20, window_bytes_max: 8 << 20, ..Limits::default() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).expect("a vector takes all");
    packed.finish().expect("a vector takes all")
}

#[test]
fn a_bomb_is_cut_at_one_member_s_limit() {
    let bomb = gzip(&vec![0; 50 << 20]);
    let (found, outcome) = members(&bomb, &small());
    assert_eq!(found[0].1.len() as u64, small().file_bytes_max);
    assert_eq!(outcome.limits(), [Limit::FileBytes]);
}

#[test]
fn many_members_end_at_the_limit_of_the_whole() {
    let one = vec![b'x'; 900 << 10];
    let mut tar = Vec::new();
    for n in 0..10 {
        push_tar(&mut tar, &format!("{n}"), &one);
    }
    let (found, outcome) = members(&tar, &small());
    assert_eq!(found.len(), 3, "text is matched twice: raw and normalised");
    assert_eq!(outcome.limits(), [Limit::ScanBytes]);
}

#[test]
fn files_are_counted() {
    let mut tar = Vec::new();
    for n in 0..20 {
        push_tar(&mut tar, &format!("{n}"), b"\0\x01small");
    }
    let (found, outcome) = members(&tar, &Limits { files_max: 5, ..small() });
    assert_eq!((found.len(), outcome.files), (5, 5));
    assert_eq!(outcome.limits(), [Limit::Files]);
}

#[test]
fn depth_ends_where_the_limit_says() {
    let mut bytes = PAYLOAD.to_vec();
    for _ in 0..17 {
        bytes = gzip(&bytes);
    }
    assert!(reaches(&bytes), "seventeen levels are opened");
    let (found, outcome) = members(&gzip(&bytes), &Limits::default());
    assert!(!found.iter().any(|member| member.1 == PAYLOAD), "the eighteenth is not");
    assert_eq!(outcome.limits(), [Limit::Depth]);
}

#[test]
fn time_is_asked_for_inside_of_a_member() {
    let bomb = gzip(&vec![0; 50 << 20]);
    let asked = std::cell::Cell::new(0);
    let time_is_up = || {
        asked.set(asked.get() + 1);
        asked.get() > 20
    };
    let outcome = walk(&bomb, &Limits::default(), &time_is_up, &mut |_| Flow::On);
    assert_eq!(outcome.limits(), [Limit::Time]);
    assert!(outcome.bytes < 4 << 20, "{} bytes after time was up", outcome.bytes);
}

#[test]
fn a_member_locked_with_another_password_is_named_and_the_next_is_opened() {
    let Some(bytes) = made("zip", "zip -q -P other a.zip fox.txt && cp fox.txt b.txt && zip -q a.zip b.txt", "a.zip")
    else {
        return;
    };
    let (found, outcome) = members(&bytes, &Limits::default());
    assert!(found.iter().any(|member| member.0 == "b.txt" && member.1 == PAYLOAD));
    assert!(outcome.troubles.iter().any(|trouble| trouble.kind == TroubleKind::Encrypted), "{outcome:?}");
}

#[test]
fn a_zip_without_its_directory_is_read_by_its_headers() {
    let Some(bytes) = made("zip", "cp fox.txt b.txt && zip -q a.zip fox.txt b.txt", "a.zip") else { return };
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    let (found, outcome) = members(&bytes[..directory], &Limits::default());
    assert_eq!(found.len(), 2);
    assert!(!outcome.complete());
}

#[test]
fn rar_is_named_as_not_read() {
    let (found, outcome) = members(b"Rar!\x1a\x07\0rest", &Limits::default());
    assert!(found.is_empty());
    assert_eq!(outcome.troubles[0].kind, TroubleKind::Unsupported("RAR".to_owned()));
}

#[test]
fn a_mail_s_attachments_are_decoded() {
    let mail = b"From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"=_x\"\r\n\r\nfor others\r\n\
        --=_x\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n--inner\r\nContent-Type: text/plain\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nHe=6Clo Wo=\r\nrld\r\n--inner--\r\n\
        --=_x\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwQF\r\nBgc=\r\n--=_x--\r\n";
    let (found, outcome) = members(mail, &Limits::default());
    assert!(outcome.complete(), "{outcome:?}");
    assert_eq!(found, [("text/plain".to_owned(), b"Hello World\r\n".to_vec()), ("a.bin".to_owned(), (0..8).collect())]);
}

#[test]
fn every_test_file_of_debian_survives_every_cut_of_its_first_bytes() {
    let Ok(folder) = std::fs::read_dir(Path::new("/usr/share/clamav-testfiles")) else { return };
    for entry in folder.flatten() {
        let bytes = std::fs::read(entry.path()).expect("readable");
        for end in (0..bytes.len().min(1200)).step_by(7) {
            members(&bytes[..end], &small());
        }
    }
}

fn push_tar(tar: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut header = [0u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[156] = b'0';
    header[257..262].copy_from_slice(b"ustar");
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}
