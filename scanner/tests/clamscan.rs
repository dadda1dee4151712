//! The buffers against `clamscan` itself: what is normalised here must be, byte for byte, what it normalises.
//!
//! Each buffer becomes a signature (its digest, or its bytes anchored at both ends), and `clamscan` must find all
//! of them in the files they were made from. Documents are random, built from what normalising is about; the seed
//! is fixed and printed. Where `clamscan` is not installed the tests have nothing to say, except on CI.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use scanner::file::{Digests, Flow, Form, Limits, walk};

const SEED: u64 = 20_260_101;

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Names of the signatures that `clamscan` finds in a folder, or nothing where it is not installed.
fn found(databases: &Path, files: &Path) -> Option<BTreeSet<String>> {
    let run = Command::new("clamscan")
        .args(["--allmatch", "--no-summary", "--recursive", "--bytecode=no"])
        .arg(format!("--database={}", databases.display()))
        .arg(files)
        .output();
    let Ok(run) = run else {
        assert!(std::env::var_os("CI").is_none(), "clamscan is not installed");
        return None;
    };
    assert!(matches!(run.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.strip_suffix(".UNOFFICIAL FOUND")?.rsplit(": ").next());
    Some(names.map(str::to_owned).collect())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

fn sha256(bytes: &[u8]) -> String {
    hexadecimal(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// Signatures for every buffer of some documents, and the documents in a folder: all must be found.
fn check(documents: &[Vec<u8>], wanted: &[Form]) {
    let folder = tempfile::tempdir().expect("a folder");
    let (databases, files) = (folder.path().join("db"), folder.path().join("files"));
    std::fs::create_dir_all(&databases).expect("made");
    std::fs::create_dir_all(&files).expect("made");
    let (mut digests, mut bodies, mut names) = (String::new(), String::new(), BTreeSet::new());
    for (n, document) in documents.iter().enumerate() {
        std::fs::write(files.join(format!("{n:04}")), document).expect("written");
        walk(document, &Limits::default(), &|| false, &mut |member| {
            if member.depth == 0 && wanted.contains(&member.form) && member.bytes.len() >= 8 {
                let name = format!("D{n:04}{:?}", member.form);
                if member.digests == Digests::Counted {
                    writeln!(digests, "{}:{}:{name}", sha256(member.bytes), member.bytes.len()).expect("string");
                    names.insert(name);
                } else if let Some(own) = member.targets.own {
                    let (target, hex) = (own as u8, hexadecimal(member.bytes));
                    writeln!(bodies, "{name}.begin:{target}:0:{hex}").expect("string");
                    writeln!(bodies, "{name}.end:{target}:EOF-{}:{hex}", member.bytes.len()).expect("string");
                    names.extend([format!("{name}.begin"), format!("{name}.end")]);
                }
            }
            Flow::On
        });
    }
    // A database may not be empty.
    std::fs::write(databases.join("a.hsb"), format!("{digests}{}:7:Never\n", "0".repeat(64))).expect("written");
    std::fs::write(databases.join("a.ndb"), format!("{bodies}Never:0:*:{}\n", "00ff".repeat(20))).expect("written");
    let Some(found) = found(&databases, &files) else { return };
    let missing: Vec<_> = names.difference(&found).collect();
    let first = missing.first().and_then(|name| name[1..5].parse::<usize>().ok());
    let shown = first.map(|n| {
        let mut forms = vec![documents[n].escape_ascii().to_string()];
        walk(&documents[n], &Limits::default(), &|| false, &mut |member| {
            forms.push(format!("{:?}: {}", member.form, member.bytes.escape_ascii()));
            Flow::On
        });
        forms.join("\n")
    });
    assert!(
        missing.is_empty(),
        "seed {SEED}: {} of {} differ: {missing:?}\n{}",
        missing.len(),
        names.len(),
        shown.unwrap_or_default()
    );
}

#[test]
fn text_is_normalised_byte_for_byte_as_clamscan_does() {
    let mut dice = Dice(SEED);
    let documents: Vec<Vec<u8>> = (0..200)
        .map(|_| {
            let mut text = Vec::new();
            for _ in 0..40 + dice.below(200) {
                match dice.below(6) {
                    0 => text.push(dice.pick(&[" ", "\t", "\n", "\r\n", "  "]).as_bytes()[0]),
                    1 => text.push(0x80 + dice.below(128) as u8),
                    2 => text.extend_from_slice(dice.pick(&[" \t ", "\r\n", "\n\n", "\x0b", "\x0c"]).as_bytes()),
                    _ => text.push(b'!' + dice.below(94) as u8),
                }
            }
            text
        })
        .filter(|text| !text.starts_with(b"#@~^") && !text.starts_with(b"BM") && !text.starts_with(b"MM"))
        .collect();
    check(&documents, &[Form::Text]);
}

fn page(dice: &mut Dice) -> String {
    const WORDS: [&str; 14] = [
        "Hello",
        "World",
        "x",
        "it's",
        "\"Q\"",
        "100%",
        "a=b",
        "A/B",
        "Caf\u{e9}",
        "&amp;",
        "&lt;",
        "&#65;",
        "&#x42;",
        "&copy;",
    ];
    const SPACES: [&str; 6] = ["", " ", "  ", "\n", "\t ", " \n "];
    const TAGS: [&str; 10] = ["p", "B", "div", "TABLE", "td", "span", "h1", "LI", "form", "input"];
    let mut text = "<html>".to_owned();
    for _ in 0..10 + dice.below(40) {
        text += dice.pick(&SPACES);
        match dice.below(8) {
            0 => write!(text, "</{}>", dice.pick(&TAGS)).expect("string"),
            1 => write!(text, "<!-- {} -->", dice.pick(&WORDS)).expect("string"),
            2 => write!(text, "<a href={}\"http://{}.com/\">", dice.pick(&["", " "]), dice.pick(&["Example", "a b"]))
                .expect("string"),
            3 | 4 => {
                write!(text, "<{}", dice.pick(&TAGS)).expect("string");
                for _ in 0..dice.below(3) {
                    let value = dice.pick(&["x", "\"Y z\"", "'Q  r'", "\"a&amp;b\"", "12px"]);
                    write!(text, " {}{}={value}", dice.pick(&["Class", "id", "STYLE", "name"]), dice.pick(&["", " "]))
                        .expect("string");
                }
                text += dice.pick(&[">", " >", "\n>"]);
            }
            _ => text += dice.pick(&WORDS),
        }
    }
    text + dice.pick(&["</html>", "</HTML>\n", ""])
}

#[test]
fn html_is_normalised_byte_for_byte_as_clamscan_does() {
    let mut dice = Dice(SEED);
    let documents: Vec<Vec<u8>> =
        (0..200).map(|_| page(&mut dice).chars().map(|letter| letter as u32 as u8).collect()).collect();
    check(&documents, &[Form::HtmlTags, Form::HtmlText]);
}

/// A PE with sections of all roundings; sizes and places come from the dice.
fn executable(dice: &mut Dice) -> Vec<u8> {
    let sections = 1 + dice.below(4);
    let file_alignment = [0x200u32, 0x1000, 0x20, 0x200][dice.below(4)];
    let mut file = vec![0u8; 0x400 + 0x3000];
    for (n, byte) in file.iter_mut().enumerate() {
        *byte = (n as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ dice.below(256) as u8;
    }
    file[..0x400].fill(0);
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3c, &0x80u32.to_le_bytes());
    put(0x80, b"PE\0\0\x4c\x01");
    put(0x86, &(sections as u16).to_le_bytes());
    put(0x94, &0xe0u16.to_le_bytes());
    put(0x96, &0x102u16.to_le_bytes());
    put(0x98, &0x10bu16.to_le_bytes());
    put(0x98 + 16, &(0x1000 + dice.below(0x800) as u32).to_le_bytes());
    put(0x98 + 28, &0x40_0000u32.to_le_bytes());
    put(0x98 + 32, &0x1000u32.to_le_bytes());
    put(0x98 + 36, &file_alignment.to_le_bytes());
    put(0x98 + 40, &4u16.to_le_bytes());
    put(0x98 + 48, &4u16.to_le_bytes());
    put(0x98 + 56, &0x10000u32.to_le_bytes());
    put(0x98 + 60, &0x400u32.to_le_bytes());
    put(0x98 + 68, &2u16.to_le_bytes());
    put(0x98 + 92, &16u32.to_le_bytes());
    for n in 0..sections {
        let at = 0x98 + 0xe0 + n * 40;
        put(at, b".sect");
        put(at + 8, &(0x800 + dice.below(0x800) as u32).to_le_bytes());
        put(at + 12, &(0x1000 * (n as u32 + 1)).to_le_bytes());
        put(at + 16, &(0x801 + dice.below(0x400) as u32).to_le_bytes());
        put(at + 20, &(0x400 + 0xc00 * n as u32 + [0, 0, 0x30, 0x200][dice.below(4)]).to_le_bytes());
        put(at + 36, &0x6000_0020u32.to_le_bytes());
    }
    file
}

#[test]
fn version_information_matches_at_its_keys_as_in_clamscan() {
    const INSTALLER: &str = "/usr/share/clamav-testfiles/clam_IScab_ext.exe";
    let Ok(file) = std::fs::read(INSTALLER) else {
        assert!(std::env::var_os("CI").is_none(), "clamav-testfiles is not installed");
        return;
    };
    let executable = scanner::file::Executable::read(scanner::file::Kind::Pe, &file).expect("an executable");
    assert!(executable.version_keys.len() >= 8, "{executable:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let (databases, files) = (folder.path().join("db"), folder.path().join("files"));
    std::fs::create_dir_all(&databases).expect("made");
    std::fs::create_dir_all(&files).expect("made");
    std::fs::write(files.join("installer"), &file).expect("written");
    let (mut bodies, mut names) = (String::new(), BTreeSet::new());
    for key in &executable.version_keys {
        let at = *key as usize;
        writeln!(bodies, "K{at}:1:VI:{}", hexadecimal(&file[at..at + 24])).expect("string");
        writeln!(bodies, "Not{at}:1:VI:{}", hexadecimal(&file[at + 2..at + 26])).expect("string");
        names.insert(format!("K{at}"));
    }
    std::fs::write(databases.join("a.ndb"), bodies).expect("written");
    let Some(found) = found(&databases, &files) else { return };
    assert_eq!(names, found, "ours left, clamscan's right");
}

#[test]
fn an_executable_is_laid_out_as_clamscan_does() {
    let mut dice = Dice(SEED);
    let folder = tempfile::tempdir().expect("a folder");
    let (databases, files) = (folder.path().join("db"), folder.path().join("files"));
    std::fs::create_dir_all(&databases).expect("made");
    std::fs::create_dir_all(&files).expect("made");
    let (mut sections, mut bodies, mut names) = (String::new(), String::new(), BTreeSet::new());
    let mut layouts = Vec::new();
    let mut add = |bodies: &mut String, name: String, offset: String, bytes: &[u8]| {
        writeln!(bodies, "{name}:1:{offset}:{}", hexadecimal(bytes)).expect("string");
        names.insert(name);
    };
    let mut hashed = BTreeSet::new();
    for n in 0..100 {
        let file = executable(&mut dice);
        std::fs::write(files.join(format!("{n:04}")), &file).expect("written");
        walk(&file, &Limits::default(), &|| false, &mut |member| {
            let Some(executable) = member.executable.filter(|_| member.depth == 0) else { return Flow::On };
            layouts.push(executable.clone());
            if let Some(code) = executable.entry.and_then(|entry| file.get(entry as usize..entry as usize + 16)) {
                add(&mut bodies, format!("E{n:04}.entry"), "EP+0".to_owned(), code);
            }
            for (at, section) in executable.sections.iter().enumerate() {
                let bytes = section.slice(&file);
                if bytes.len() < 16 {
                    continue;
                }
                let name = format!("E{n:04}.section{at}");
                // Of two signatures with one digest only one is reported.
                let digest = sha256(bytes);
                if !sections.contains(&digest) {
                    writeln!(sections, "{}:{digest}:{name}", bytes.len()).expect("string");
                    hashed.insert(name);
                }
                add(&mut bodies, format!("E{n:04}.start{at}"), format!("S{at}+0"), &bytes[..16]);
                add(&mut bodies, format!("E{n:04}.inside{at}"), format!("SE{at}"), &bytes[bytes.len() - 16..]);
            }
            if let Some(last) = executable.sections.last().map(|last| last.slice(&file)).filter(|last| last.len() > 32)
            {
                add(&mut bodies, format!("E{n:04}.last"), "SL+16".to_owned(), &last[16..32]);
            }
            Flow::On
        });
    }
    std::fs::write(databases.join("a.ndb"), bodies).expect("written");
    std::fs::write(databases.join("a.msb"), sections).expect("written");
    let Some(found) = found(&databases, &files) else { return };
    names.extend(hashed);
    let missing: Vec<_> = names.difference(&found).collect();
    let first = missing.first().and_then(|name| layouts.get(name[1..5].parse::<usize>().ok()?));
    assert!(missing.is_empty(), "seed {SEED}: {} of {} differ: {missing:?}\n{first:?}", missing.len(), names.len());
}

/// `(document, which signatures clamscan finds in it)`: what target looks at which form of which kind of file.
#[test]
fn targets_look_at_the_forms_that_clamscan_gives_them() {
    let filler = "word ".repeat(300);
    let documents = [
        ("text", "first line\nHello   World of Text\n".to_owned().into_bytes()),
        ("html", b"<html>Hello   World of Text</html>".to_vec()),
        ("late html", format!("{filler}<html>Hello   World of Text</html>").into_bytes()),
        ("data with html", [&[0, 1, 2, 3].repeat(20)[..], b"<html>Hello   World of Text</html>"].concat()),
        ("data with late html", [&[0, 1, 2, 3].repeat(400)[..], b"<html>Hello   World of Text</html>"].concat()),
        ("picture", b"GIF89a<html>Hello   World of Text</html>".to_vec()),
        ("mail", b"From: a@b\nSubject: x\n\nHello   World of Text\n".to_vec()),
        ("PDF", b"%PDF-1.4 Hello   World of Text\n".to_vec()),
        ("data", b"\0\x01\x02\x03\0\x01\x02\x03Hello   World of Text\n".to_vec()),
        ("short", b"Hello".to_vec()),
    ];
    let bodies = [&b"Hello   World of Text"[..], b"hello world of text"];
    for (what, document) in documents {
        let folder = tempfile::tempdir().expect("a folder");
        let (databases, files) = (folder.path().join("db"), folder.path().join("files"));
        std::fs::create_dir_all(&databases).expect("made");
        std::fs::create_dir_all(&files).expect("made");
        std::fs::write(files.join("document"), &document).expect("written");
        let (mut lines, mut ours) = (String::new(), BTreeSet::new());
        for target in [0u8, 1, 2, 3, 4, 5, 6, 7, 10] {
            for (n, body) in bodies.iter().enumerate() {
                let name = format!("T{target}.{n}");
                writeln!(lines, "{name}:{target}:*:{}", hexadecimal(body)).expect("string");
                let target = scanner::file::Target::from_number(target).expect("a target");
                walk(&document, &Limits::default(), &|| false, &mut |member| {
                    if member.targets.holds(target) && memchr::memmem::find(member.bytes, body).is_some() {
                        ours.insert(name.clone());
                    }
                    Flow::On
                });
            }
        }
        std::fs::write(databases.join("a.ndb"), lines).expect("written");
        let Some(theirs) = found(&databases, &files) else { return };
        assert_eq!(ours, theirs, "{what}: ours left, clamscan's right");
    }
}
