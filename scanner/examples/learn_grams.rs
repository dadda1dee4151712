//! Learns which grams are common: reads the paths of ordinary files from its input, one a line, and writes
//! the table that `scanner::literal::rarity` holds.
//!
//! ```text
//! cargo run --release -p benches --bin scan_load -- --list-learned | \
//!   cargo run --release -p scanner --example learn_grams -- scanner/src/literal/rarity.bin
//! ```

use scanner::literal::rarity::{BUCKETS, GRAM_BYTES, bucket, level_of_share};
use std::fs::File;
use std::io::{self, BufRead, Read};

/// Of one file, so that a few large ones do not decide.
const FILE_BYTES_MAX: u64 = 2 << 20;

fn main() -> io::Result<()> {
    let to = std::env::args_os().nth(1).ok_or_else(|| io::Error::other("name the file to write"))?;
    let mut counts = vec![0_u64; BUCKETS];
    let (mut files, mut grams) = (0, 0);
    for path in io::stdin().lock().lines() {
        let mut bytes = Vec::new();
        File::open(path?)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        for gram in bytes.windows(GRAM_BYTES) {
            counts[bucket(u32::from_le_bytes(gram.try_into().expect("four bytes")))] += 1;
        }
        files += 1;
        grams += bytes.len().saturating_sub(GRAM_BYTES - 1);
    }
    if grams == 0 {
        return Err(io::Error::other("no path was given, or the files are empty"));
    }
    let level = |count: u64| level_of_share(count as f64 / grams as f64);
    let table: Vec<u8> = counts.chunks_exact(2).map(|pair| level(pair[0]) | level(pair[1]) << 4).collect();
    std::fs::write(to, table)?;
    eprintln!("{grams} grams of {files} files");
    Ok(())
}
