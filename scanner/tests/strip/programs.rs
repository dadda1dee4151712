use super::samples::{CODE, ENTRY, PRIVATE, elf, macho, pe, section};
use super::{holds, outline, part, stripped};
use scanner::file::{Executable, Kind};
use scanner::strip::{Kept, NotStripped};

fn entry(kind: Kind, bytes: &[u8]) -> Option<u64> {
    Executable::read(kind, bytes).expect("laid out").entry
}

#[test]
fn a_program_keeps_its_code_and_its_entry_point() {
    for (kind, file) in [(Kind::Pe, pe()), (Kind::Elf, elf()), (Kind::MachO, macho())] {
        assert_eq!(entry(kind, &file), Some(ENTRY), "{kind:?}");
        assert_eq!(outline(&file), Ok(vec![part(Kept::Program, "")]), "{kind:?}");
        let sent = stripped(&file).expect("a program").into_bytes();
        assert_eq!(entry(kind, &sent), Some(ENTRY), "{kind:?}");
        assert!(sent.len() < file.len(), "{kind:?}");
    }
}

#[test]
fn of_a_windows_program_resources_gaps_and_overlay_go() {
    let file = pe();
    let sent = stripped(&file).expect("a program").into_bytes();
    assert_eq!(sent.len(), 0xa00);
    assert_eq!(sent[..0x600], file[..0x600], "headers, code, data");
    assert!(sent[0x600..].iter().all(|byte| *byte == 0), "gap and resources");
    let (before, after) = (Executable::read(Kind::Pe, &file), Executable::read(Kind::Pe, &sent));
    assert_eq!(before.expect("laid out").sections, after.expect("laid out").sections);
}

#[test]
fn a_certificate_goes_with_the_overlay() {
    let mut file = pe();
    file[0x58 + 128..0x58 + 132].copy_from_slice(&0xa00u32.to_le_bytes());
    file[0x58 + 132..0x58 + 136].copy_from_slice(&(PRIVATE.len() as u32).to_le_bytes());
    assert_eq!(stripped(&file).expect("a program").into_bytes().len(), 0xa00);
}

#[test]
fn a_section_named_for_resources_goes_also_where_no_directory_leads_to_it() {
    let mut file = pe();
    file[0x58 + 112..0x58 + 120].fill(0);
    stripped(&file).expect("a program");
}

#[test]
fn resources_are_where_the_directory_says_whatever_the_section_is_called() {
    let mut file = pe();
    section(&mut file, 2, b"UPX2", 0x3000, 0x800, 0x200);
    stripped(&file).expect("a program");
}

#[test]
fn resources_in_the_section_of_the_code_go_as_far_as_the_directory_says() {
    let mut file = pe();
    // Code and resources are one section, 200 to A00.
    section(&mut file, 0, b"packed", 0x1000, 0x200, 0x800);
    section(&mut file, 1, b".empty", 0x9000, 0, 0);
    section(&mut file, 2, b".empty", 0xa000, 0, 0);
    file[0x58 + 112..0x58 + 116].copy_from_slice(&0x1400u32.to_le_bytes());
    file[0x58 + 116..0x58 + 120].copy_from_slice(&0x400u32.to_le_bytes());
    let sent = stripped(&file).expect("a program").into_bytes();
    assert_eq!(sent[..0x600], file[..0x600]);
    assert!(sent[0x600..].iter().all(|byte| *byte == 0));
}

#[test]
fn resources_over_the_entry_point_keep_all_of_it_in_the_house() {
    let mut file = pe();
    section(&mut file, 0, b"packed", 0x1000, 0x200, 0x800);
    for (address, bytes) in [(0x1000u32, 0x800u32), (0x1400, 0)] {
        file[0x58 + 112..0x58 + 116].copy_from_slice(&address.to_le_bytes());
        file[0x58 + 116..0x58 + 120].copy_from_slice(&bytes.to_le_bytes());
        assert_eq!(stripped(&file), Err(NotStripped::Layout), "{address:x}");
    }
}

#[test]
fn an_alignment_or_a_header_that_lies_does_not_take_the_overlay_along() {
    for (at, value) in [(0x58 + 36, 1u32 << 30), (0x58 + 60, u32::MAX), (0x58 + 60, 0xa20)] {
        let mut file = pe();
        file[at..at + 4].copy_from_slice(&value.to_le_bytes());
        // The resources' marker is what would come with a too large header.
        match stripped(&file) {
            Ok(stripped) => assert!(holds(&stripped.into_bytes(), CODE), "{at:x} {value:x}"),
            Err(reason) => assert_eq!(reason, NotStripped::Layout, "{at:x} {value:x}"),
        }
    }
}

#[test]
fn a_program_without_a_layout_is_not_sent() {
    let mut file = pe();
    file[0x58 + 16..0x58 + 20].copy_from_slice(&0x9000u32.to_le_bytes());
    assert_eq!(stripped(&file), Err(NotStripped::Layout), "the entry point is nowhere");
    assert_eq!(stripped(&[b"MZ".as_slice(), PRIVATE, &[0; 600]].concat()), Err(NotStripped::Layout));
    assert_eq!(stripped(&[b"\x7fELF\x02\x01".as_slice(), PRIVATE].concat()), Err(NotStripped::Layout));
}

#[test]
fn a_core_dump_is_no_program() {
    let mut dump = elf();
    dump[16] = 4;
    assert_eq!(stripped(&dump), Err(NotStripped::Layout));
    let mut dump = macho();
    dump[12] = 4;
    assert_eq!(stripped(&dump), Err(NotStripped::Layout));
}

#[test]
fn each_processor_s_part_of_a_universal_binary_is_a_program() {
    let inner = macho();
    let mut file = b"\xca\xfe\xba\xbe\0\0\0\x01\x01\0\0\x07\0\0\0\x03".to_vec();
    file.extend_from_slice(&0x100u32.to_be_bytes());
    file.extend_from_slice(&(inner.len() as u32).to_be_bytes());
    file.resize(0x40, 0);
    file.extend_from_slice(PRIVATE);
    file.resize(0x100, 0);
    file.extend_from_slice(&inner);
    assert_eq!(outline(&file), Ok(vec![part(Kept::Program, "processor")]));
}

#[test]
fn a_java_class_is_code_as_a_whole() {
    let class = [b"\xca\xfe\xba\xbe\0\0\0\x34".as_slice(), CODE].concat();
    assert_eq!(stripped(&class).expect("a class").into_bytes(), class);
}

#[test]
fn a_boot_sector_goes_without_its_partitions() {
    let mut sector = vec![0; 512];
    sector[0] = 0xfa;
    sector[16..16 + CODE.len()].copy_from_slice(CODE);
    sector[446..446 + PRIVATE.len()].copy_from_slice(PRIVATE);
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    assert_eq!(outline(&sector), Ok(vec![part(Kept::BootSector, "")]));
}
