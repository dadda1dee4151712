//! Samples made of nothing: the smallest files of each kind that hold code and something private.

/// What must never leave.
pub const PRIVATE: &[u8] = b"Dear diary, nobody may read this.";
/// What should leave.
pub const CODE: &[u8] = b"what a virus does";
/// File offset of the entry point of every program here.
pub const ENTRY: u64 = 0x210;

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    put(bytes, at, &value.to_le_bytes());
}

fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    put(bytes, at, &value.to_le_bytes());
}

/// A Windows program: code, data, resources, a gap and an overlay; the last three are private.
pub fn pe() -> Vec<u8> {
    let mut file = vec![0; 0xa00];
    put(&mut file, 0, b"MZ");
    put_u32(&mut file, 0x3c, 0x40);
    put(&mut file, 0x40, b"PE\0\0\x4c\x01\x03\0");
    // The optional header's length and mark.
    put(&mut file, 0x54, &[0xe0, 0]);
    put(&mut file, 0x58, &[0x0b, 0x01]);
    put_u32(&mut file, 0x58 + 16, 0x1010);
    put_u32(&mut file, 0x58 + 32, 0x1000);
    put_u32(&mut file, 0x58 + 36, 0x200);
    put_u32(&mut file, 0x58 + 60, 0x200);
    put_u32(&mut file, 0x58 + 112, 0x3000);
    put_u32(&mut file, 0x58 + 116, 0x200);
    section(&mut file, 0, b".text", 0x1000, 0x200, 0x200);
    section(&mut file, 1, b".data", 0x2000, 0x400, 0x200);
    section(&mut file, 2, b".rsrc", 0x3000, 0x800, 0x200);
    put(&mut file, ENTRY as usize, CODE);
    put(&mut file, 0x400, b"texts of the program");
    put(&mut file, 0x620, PRIVATE);
    put(&mut file, 0x820, PRIVATE);
    file.extend_from_slice(PRIVATE);
    file
}

/// One header of the section table of [`pe`].
pub fn section(file: &mut [u8], number: usize, name: &[u8], address: u32, offset: u32, bytes: u32) {
    let at = 0x138 + number * 40;
    file[at..at + 40].fill(0);
    put(file, at, name);
    put_u32(file, at + 8, bytes);
    put_u32(file, at + 12, address);
    put_u32(file, at + 16, bytes);
    put_u32(file, at + 20, offset);
}

/// An ELF program with one segment of code, one section, and private bytes between and behind.
pub fn elf() -> Vec<u8> {
    let mut file = vec![0; 0x400];
    put(&mut file, 0, b"\x7fELF\x02\x01\x01");
    put(&mut file, 16, &[2, 0]);
    put_u64(&mut file, 24, 0x40_0010);
    put_u64(&mut file, 32, 64);
    put_u64(&mut file, 40, 0x340);
    put(&mut file, 54, &[56, 0, 1, 0, 64, 0, 1, 0]);
    put_u32(&mut file, 64, 1);
    put_u64(&mut file, 64 + 8, 0x200);
    put_u64(&mut file, 64 + 16, 0x40_0000);
    put_u64(&mut file, 64 + 32, 0x80);
    put_u64(&mut file, 64 + 40, 0x80);
    put(&mut file, ENTRY as usize, CODE);
    put(&mut file, 0x290, PRIVATE);
    put(&mut file, 0x300, b"a section");
    put_u32(&mut file, 0x340 + 4, 1);
    put_u64(&mut file, 0x340 + 24, 0x300);
    put_u64(&mut file, 0x340 + 32, 16);
    put(&mut file, 0x390, PRIVATE);
    file
}

/// A Mach-O program with one segment.
pub fn macho() -> Vec<u8> {
    let mut file = vec![0; 0x400];
    put(&mut file, 0, b"\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0\x02\0\0\0");
    put_u32(&mut file, 16, 2);
    put_u32(&mut file, 20, 72 + 24);
    put_u32(&mut file, 32, 0x19);
    put_u32(&mut file, 36, 72);
    put_u64(&mut file, 32 + 40, 0x200);
    put_u64(&mut file, 32 + 48, 0x100);
    put_u32(&mut file, 104, 0x8000_0028);
    put_u32(&mut file, 108, 24);
    put_u64(&mut file, 112, ENTRY);
    put(&mut file, 0x180, PRIVATE);
    put(&mut file, ENTRY as usize, CODE);
    put(&mut file, 0x300, PRIVATE);
    file
}

/// A ZIP of stored members.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let mut check = flate2::Crc::new();
        check.update(content);
        let mut described = vec![10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        for word in [check.sum(), content.len() as u32, content.len() as u32, name.len() as u32] {
            described.extend_from_slice(&word.to_le_bytes());
        }
        directory.extend_from_slice(b"PK\x01\x02\x0a\0");
        directory.extend_from_slice(&described);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&(out.len() as u32).to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&described);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(content);
    }
    let at = out.len() as u32;
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&[members.len() as u8, 0, members.len() as u8, 0]);
    out.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

/// A compound document of streams; `VBA/Module` lies in the storage `VBA`.
pub fn ole2(streams: &[(&str, &[u8])]) -> Vec<u8> {
    const SECTOR: usize = 512;
    const END: u32 = 0xffff_fffe;
    let mut storages = streams.iter().filter_map(|stream| stream.0.split_once('/')).map(|split| split.0);
    let storage = storages.next_back();
    let in_storage = |name: &str| name.contains('/');
    let mut entries = vec![("Root Entry", 5u8, 1u32, END, 0usize)];
    let mut content = Vec::new();
    let top: Vec<_> = streams.iter().filter(|stream| !in_storage(stream.0)).collect();
    let deep: Vec<_> = streams.iter().filter(|stream| in_storage(stream.0)).collect();
    let directory_sectors = (2 + streams.len()).div_ceil(4);
    let mut place = |bytes: &[u8]| {
        let start = 1 + directory_sectors + content.len() / SECTOR;
        // No stream is small enough to need the small sectors.
        let length = bytes.len().max(4096).next_multiple_of(SECTOR);
        content.extend_from_slice(bytes);
        content.resize((start - 1 - directory_sectors) * SECTOR + length, 0);
        (start as u32, length)
    };
    for (name, bytes) in &top {
        let (start, length) = place(bytes);
        entries.push((name, 2, 0xffff_ffff, start, length));
    }
    if let Some(storage) = storage {
        entries.push((storage, 1, 1 + top.len() as u32 + 1, END, 0));
    }
    for (name, bytes) in &deep {
        let (start, length) = place(bytes);
        entries.push((name.split_once('/').expect("deep").1, 2, 0xffff_ffff, start, length));
    }
    let siblings_end = 1 + top.len() + usize::from(storage.is_some());
    let mut file = vec![0; SECTOR * (2 + directory_sectors)];
    put(&mut file, 0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    put(&mut file, 24, &[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    put_u32(&mut file, 48, 1);
    put_u32(&mut file, 60, END);
    put_u32(&mut file, 68, END);
    file[76..512].fill(0xff);
    put_u32(&mut file, 76, 0);
    let mut starts: Vec<usize> = entries.iter().filter(|entry| entry.1 == 2).map(|entry| entry.3 as usize).collect();
    starts.push(1);
    let sectors = 1 + directory_sectors + content.len() / SECTOR;
    assert!(sectors <= 128, "one sector of table");
    for sector in 1..sectors {
        let is_last = starts.contains(&(sector + 1)) || sector == directory_sectors || sector + 1 == sectors;
        put_u32(&mut file, SECTOR + sector * 4, if is_last { END } else { sector as u32 + 1 });
    }
    for (n, (name, kind, child, start, length)) in entries.iter().enumerate() {
        let at = 2 * SECTOR + n * 128;
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        put(&mut file, at, &units);
        put(&mut file, at + 64, &[units.len() as u8 + 2, 0, *kind]);
        put_u32(&mut file, at + 68, 0xffff_ffff);
        let is_last = n == 0 || n + 1 == siblings_end || n + 1 == entries.len();
        put_u32(&mut file, at + 72, if is_last { 0xffff_ffff } else { n as u32 + 1 });
        put_u32(&mut file, at + 76, *child);
        put_u32(&mut file, at + 116, *start);
        put_u32(&mut file, at + 120, *length as u32);
    }
    file.extend_from_slice(&content);
    file
}

/// A module's stream: something compiled, then the source, compressed without any saving.
pub fn module(source: &[u8]) -> Vec<u8> {
    let mut stream = b"compiled".to_vec();
    let text = [b"Attribute VB_Name = \"M\"\r\n", source].concat();
    let packed: Vec<u8> = text.chunks(8).flat_map(|eight| [&[0][..], eight].concat()).collect();
    stream.push(1);
    stream.extend_from_slice(&(0xb000 | (packed.len() as u16 - 1)).to_le_bytes());
    stream.extend_from_slice(&packed);
    stream
}

/// A Word document of the old kind with a macro.
pub fn word() -> Vec<u8> {
    ole2(&[("WordDocument", PRIVATE), ("VBA/Module", &module(CODE)), ("VBA/_VBA_PROJECT", PRIVATE)])
}

/// A mail with a body and attachments: name, content.
pub fn mail(attachments: &[(&str, &[u8])]) -> Vec<u8> {
    let mut mail = b"From: somebody@example.org\r\nTo: other@example.org\r\nSubject: ".to_vec();
    mail.extend_from_slice(PRIVATE);
    mail.extend_from_slice(b"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n");
    mail.extend_from_slice(b"--b\r\nContent-Type: text/plain\r\n\r\n");
    mail.extend_from_slice(PRIVATE);
    mail.extend_from_slice(b"\r\n--b\r\nContent-Type: text/html\r\n\r\n<html><script>");
    mail.extend_from_slice(PRIVATE);
    mail.extend_from_slice(b"</script></html>\r\n");
    for (name, content) in attachments {
        mail.extend_from_slice(b"--b\r\nContent-Type: application/octet-stream; name=\"");
        mail.extend_from_slice(name.as_bytes());
        mail.extend_from_slice(b"\"\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        mail.extend_from_slice(base64(content).as_bytes());
        mail.extend_from_slice(b"\r\n");
    }
    mail.extend_from_slice(b"--b--\r\n");
    mail
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (n, three) in bytes.chunks(3).enumerate() {
        let word = three.iter().chain(&[0, 0]).take(3).fold(0, |word, byte| word << 8 | u32::from(*byte));
        for digit in 0..4 {
            let is_there = digit <= three.len();
            let value = word >> (18 - 6 * digit) & 63;
            out.push(if is_there { char::from(DIGITS[value as usize]) } else { '=' });
        }
        if n % 19 == 18 {
            out.push_str("\r\n");
        }
    }
    out
}
