//! The rules that hold are those that hold for Debian's `yara`, on files with what the rules look for planted in them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use yara::{Source, compile};

/// Strings, the condition, and what is planted somewhere in one of the files.
const TABLE: &[(&str, &str, &[&[u8]])] = &[
    ("$a = \"plain text\"", "$a", &[b"plain text"]),
    ("$a = \"plain text\" fullword", "$a", &[b" plain text ", b"xplain text ", b"plain texts"]),
    ("$a = \"Some Case\" nocase", "$a", &[b"sOME cASE"]),
    ("$a = \"wide\" wide", "$a", &[b"w\0i\0d\0e\0", b"wide"]),
    ("$a = \"wide\" wide ascii fullword", "$a", &[b"\0\0w\0i\0d\0e\0", b"x\0w\0i\0d\0e\0x\0", b" wide "]),
    ("$a = \"xored string\" xor", "$a", &[b"!6+<=y*-+07>", b"xored string"]),
    ("$a = \"xored string\" xor(1-3)", "$a", &[b"zmpgf\"qvpkle"]),
    ("$a = \"based string\" base64", "$a", &[b"YmFzZWQgc3RyaW5n", b"eHhiYXNlZCBzdHJpbmc="]),
    (
        "$a = \"based string\" base64wide",
        "$a",
        &[b"Y\x00m\x00F\x00z\x00Z\x00W\x00Q\x00g\x00c\x003\x00R\x00y\x00a\x00W\x005\x00n\x00"],
    ),
    ("$a = { 4D 5A ?? 00 [2-4] 50 45 }", "$a", &[b"MZ\x90\0abcPE", b"MZ\x90\0abcdePE"]),
    ("$a = { 4D ( 5A | 5B 5C ) ?0 0? }", "$a", &[b"M[\\\x10\x0f\0", b"MZ\x11\0\0", b"MZ\x10\x01\xff"]),
    ("$a = { 11 22 [-] 33 44 55 }", "$a", &[b"\x11\x22 and much later \x33\x44\x55"]),
    ("$a = /reg[a-f]{2,3}x(yes|no)/", "$a", &[b"regabxyes", b"regabcdxno", b"regfffxno"]),
    ("$a = /\\bcall\\(\\s*['\"]\\w+/i", "$a", &[b" CALL( 'name'", b"recall('x'"]),
    ("$a = /^start/ $b = /end$/", "any of them", &[b"\nstart", b"end"]),
    ("$a = /one.two/s $b = /three.four/", "any of them", &[b"one\ntwo", b"three\nfour"]),
    ("$a = /wi[a-z]e/ wide", "$a", &[b"w\0i\0x\0e\0", b"wixe"]),
    ("$a = \"count\"", "#a == 3", &[b"count count count", b"count count"]),
    ("$a = \"aa\"", "#a > 3", &[b"aaaaa", b"aaaa"]),
    ("$a = \"first\" $b = \"second\"", "@a < @b", &[b"first second", b"second first"]),
    ("$a = \"spread\"", "@a[2] - @a[1] == 10", &[b"spread    spread", b"spread     spread"]),
    ("$a = /len[0-9]+/", "!a == 6", &[b"len123x", b"len12x"]),
    ("$a = \"here\"", "$a at 0 or $a in (100..200)", &[b"here"]),
    ("$a1 = \"sum1\" $a2 = \"sum2\" $b = \"sum3\"", "2 of ($a*, $b)", &[b"sum1 sum3", b"sum2"]),
    ("$a1 = \"sha1\" $a2 = \"sha2\" $b = \"sha3\"", "60% of them", &[b"sha1 sha3", b"sha2 sha1 sha3"]),
    ("$a = \"never\" $b = \"always\"", "$b and none of ($a)", &[b"always", b"always never"]),
    ("$a = \"loop\"", "for any i in (1..#a) : ( uint8(@a[i] + 4) == 0x21 )", &[b"loop? loop!", b"loop?"]),
    ("$a = \"each\" $b = \"both\"", "for all of them : ( # == 2 )", &[b"each both both each", b"each each both"]),
    ("", "uint16(0) == 0x5A4D and filesize < 1MB", &[]),
    ("", "uint32be(0) == 0x7F454C46", &[]),
    ("", "math.entropy(0, filesize) > 7.5", &[]),
    ("", "pe.is_pe and pe.number_of_sections > 0", &[]),
    ("", "pe.is_pe and pe.sections[0].virtual_size > 0 and pe.machine == pe.MACHINE_I386", &[]),
    ("", "elf.type == elf.ET_DYN and elf.number_of_sections > 10", &[]),
    ("", "elf.machine == elf.EM_X86_64", &[]),
    ("", "hash.md5(0, 10) == \"1bc29b36f623ba82aaf6724fd3b16718\"", &[]),
    ("", "filesize \\ 1000 == 4 and not defined pe.entry_point", &[]),
    ("", "private0 and not referred", &[]),
];

/// Rules that others need, before and behind the table.
const BEFORE: &str = "import \"pe\" import \"elf\" import \"math\" import \"hash\"\n\
    private rule private0 { strings: $a = \"hidden\" condition: $a or filesize > 4000 }\n\
    rule referred { strings: $a = \"refer\" condition: $a }\n";

fn table() -> String {
    let rules = TABLE.iter().enumerate().map(|(index, (strings, condition, _))| {
        let strings = if strings.is_empty() { String::new() } else { format!("strings: {strings}") };
        format!("rule row{index} : tag {{ {strings} condition: {condition} }}\n")
    });
    [BEFORE.to_owned()].into_iter().chain(rules).collect()
}

/// Debian's test files, where they are installed.
const WINDOWS: [&str; 2] = ["/usr/share/clamav-testfiles/clam.exe", "/usr/share/clamav-testfiles/clam-upx.exe"];

/// Numbers without a pattern, the same in every run.
fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// Files: noise of several kinds with one to five of the plants, and programs of this machine.
fn files() -> Vec<Vec<u8>> {
    let plants: Vec<&[u8]> =
        TABLE.iter().flat_map(|row| row.2.iter().copied()).chain([&b"refer"[..], b"md5"]).collect();
    let mut files = Vec::new();
    for seed in 1..=400u64 {
        let mut next = noise(seed);
        let mut file: Vec<u8> = (0..next() % 5000).map(|_| if seed % 2 == 0 { b'.' } else { next() as u8 }).collect();
        for _ in 0..1 + next() % 5 {
            let place = if next().is_multiple_of(4) { 0 } else { next() as usize % (file.len() + 1) };
            let plant = plants[next() as usize % plants.len()];
            file.splice(place..place, plant.iter().copied());
        }
        files.push(file);
    }
    for plant in plants {
        files.push(plant.to_vec());
    }
    files.push(b"md5ofthis!".to_vec());
    let programs = WINDOWS.iter().chain(&["/bin/cat", "/bin/ls"]);
    files.extend(programs.filter_map(|path| std::fs::read(path).ok()));
    files
}

#[test]
fn as_the_fields_own_program() {
    if Command::new("yara").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "yara is not installed");
        return;
    }
    let text = table();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rules.yar");
    std::fs::write(&path, &text).expect("writable");
    let samples = folder.path().join("samples");
    std::fs::create_dir(&samples).expect("writable");
    let rules = compile(&[Source { name: "rules.yar", text: text.as_bytes() }]).expect("small");
    assert!(rules.report().complaints.is_empty(), "{:?}", rules.report().complaints);
    let mut ours = BTreeSet::new();
    for (index, file) in files().iter().enumerate() {
        std::fs::write(samples.join(index.to_string()), file).expect("writable");
        let found = rules.scan(file, Duration::from_secs(10));
        assert!(found.is_whole);
        for rule in found.rules {
            let signature = &rules.report().rules[rule as usize].signature;
            ours.insert((index.to_string(), signature.trim_start_matches("YARA.").to_owned()));
        }
    }
    let theirs = oracle(&path, &samples);
    let differ: Vec<_> = ours.symmetric_difference(&theirs).collect();
    assert!(differ.is_empty(), "{differ:?}");
    let held: BTreeSet<&str> = theirs.iter().map(|(_, rule)| rule.as_str()).collect();
    let never = (0..TABLE.len()).filter(|row| !held.contains(format!("row{row}").as_str())).map(|row| TABLE[row]);
    // Without the programs of Windows nothing of theirs holds.
    let never: Vec<_> = never.filter(|row| !row.1.starts_with("pe.") || Path::new(WINDOWS[0]).exists()).collect();
    assert!(never.is_empty(), "rows that hold nowhere test nothing: {never:?}");
    assert!(theirs.len() > 400, "{}", theirs.len());
}

fn oracle(rules: &Path, samples: &Path) -> BTreeSet<(String, String)> {
    let run = Command::new("yara").arg("--no-warnings").args([rules, samples]).output().expect("it is there");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(rule, path)| (path.rsplit('/').next().unwrap_or(path).to_owned(), rule.to_owned())).collect()
}
