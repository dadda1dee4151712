//! The seed corpus of the fuzz targets lies under `model/corpus/`. It is made here, checked to be
//! what the code makes today, and replayed: a file that a fuzzer finds is added beside the seeds.

use super::*;
use std::fs;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}

/// Compares the file with what the code makes; writes it instead when `LAZARET_BLESS` is set.
fn seed(target: &str, name: &str, bytes: &[u8]) {
    let path = folder(target).join(name);
    if std::env::var_os("LAZARET_BLESS").is_some() {
        fs::create_dir_all(folder(target)).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    let found = fs::read(&path).unwrap_or_default();
    assert!(found == bytes, "{} is not what the code makes; LAZARET_BLESS=1 writes it anew", path.display());
}

fn replay(target: &str, check: impl Fn(&[u8])) {
    let mut count = 0;
    for entry in fs::read_dir(folder(target)).unwrap() {
        check(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 0, "the corpus of {target} is empty");
}

#[test]
fn the_seeds_are_what_the_code_makes() {
    let whole = example::client_stream();
    seed("wire-client", "conversation", &whole);
    seed("wire-client", "cut-in-the-body", &whole[..whole.len() - 20]);
    seed("wire-client", "oversize", &[1, 64, 0, 0, 4]);
    for (name, frame) in example::client_said() {
        seed("wire-client", name, &client_bytes(&frame));
    }
    seed("wire-server", "conversation", &example::server_stream());
    for (name, frame) in example::server_said() {
        seed("wire-server", name, &server_bytes(&frame));
    }
    let (mut full, mut empty) = (Vec::new(), Vec::new());
    example::arrival().encode(&mut full);
    Arrival::default().encode(&mut empty);
    seed("arrival", "full", &full);
    seed("arrival", "empty", &empty);
    seed("arrival", "cut", &full[..full.len() / 2]);
}

#[test]
fn every_file_of_the_corpus_reads_without_a_panic() {
    replay("wire-client", |bytes| {
        same_however_cut::<ClientFrame>(bytes, 7);
    });
    replay("wire-server", |bytes| {
        same_however_cut::<ServerFrame>(bytes, 7);
    });
    replay("arrival", |bytes| {
        let _ = Arrival::decode(bytes);
    });
}
