//! The readers of executables: no panic, whatever the headers say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scanner::file::{Executable, Kind};

fuzz_target!(|bytes: &[u8]| {
    for kind in [Kind::Pe, Kind::Elf, Kind::MachO] {
        if let Some(executable) = Executable::read(kind, bytes) {
            for section in &executable.sections {
                assert!(section.slice(bytes).len() as u64 <= section.bytes);
            }
            assert!(executable.version_keys.is_sorted());
        }
    }
});
