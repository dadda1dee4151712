//! What the demo forwards: the EICAR test file, and synthetic files that are a pure function of their number.
//! No live malware is used anywhere.

use bytes::Bytes;
use model::Blake3;

/// Smallest and largest synthetic file: most suspects are documents and small programs.
const BYTES_MIN: u64 = 512;
/// See [`BYTES_MIN`].
const BYTES_MAX: u64 = 96 << 10;

/// The EICAR test text (eicar.org), each byte raised by one. It stands nowhere as it is, neither in this source
/// nor in the binary, so that no scanner takes either for the test file.
const RAISED: &[u8; 68] = b"Y6P\"Q&ABQ\\5]Q[Y65)Q_*8DD*8~%FJDBS.TUBOEBSE.BOUJWJSVT.UFTU.GJMF\"%I,I+";

/// The EICAR test file.
#[must_use]
pub fn eicar() -> Vec<u8> {
    // Hidden from the optimiser, which would otherwise write the text down.
    let raised_by = std::hint::black_box(1_u8);
    RAISED.iter().map(|byte| byte - raised_by).collect()
}

/// Synthetic file number `index`: two in three compress like programs do, one in three not at all.
#[must_use]
pub fn file(index: u64) -> Bytes {
    let mut stream =
        blake3::Hasher::new_derive_key("lazaret demo corpus v1").update(&index.to_le_bytes()).finalize_xof();
    let mut size = [0; 8];
    stream.fill(&mut size);
    // Squaring a uniform draw makes small files the rule.
    let draw = u64::from_le_bytes(size) >> 32;
    let bytes = BYTES_MIN + (((BYTES_MAX - BYTES_MIN) as u128 * u128::from(draw) * u128::from(draw)) >> 64) as u64;
    let mut content = vec![0; bytes as usize];
    stream.fill(&mut content);
    if !index.is_multiple_of(3) {
        // Sixteen words of eight bytes, in random order: about a third of the size when compressed.
        let words: Vec<u8> = content.iter().copied().cycle().take(128).collect();
        for chunk in content.chunks_mut(8) {
            let word = usize::from(chunk[0] % 16) * 8;
            let keep = chunk[0];
            chunk.copy_from_slice(&words[word..word + chunk.len()]);
            if keep > 200 {
                chunk[0] = keep;
            }
        }
    }
    content.into()
}

/// The digest of `content`.
#[must_use]
pub fn digest(content: &[u8]) -> Blake3 {
    Blake3(*blake3::hash(content).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_file_is_the_one_that_every_scanner_knows() {
        // SHA-256 of the 68 bytes, as published.
        use sha2::Digest;
        let hash: String = sha2::Sha256::digest(eicar()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f");
    }

    #[test]
    fn synthetic_files_are_all_different_and_always_the_same() {
        let digests: std::collections::BTreeSet<Blake3> = (0..100).map(|index| digest(&file(index))).collect();
        assert_eq!(digests.len(), 100);
        assert_eq!(file(7), file(7));
        assert!((0..100).all(|index| (BYTES_MIN..=BYTES_MAX).contains(&(file(index).len() as u64))));
    }
}
