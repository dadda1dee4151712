//! Packages from the outside: what was built opens, and nothing else does.

use defcast::keys::{SigningKey, TrustedKeys};
use defcast::package::{Draft, Limits, Package, PackageError, build};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32], "test")
}

fn draft() -> Draft {
    Draft {
        sequence: 7,
        certified: true,
        created_at: "2026-01-02T03:04:05Z".to_owned(),
        comment: "a comment".to_owned(),
        files: vec![("b.hsb".to_owned(), b"".to_vec()), ("a.ndb".to_owned(), b"Test.One:0:*:6162636465\n".repeat(40))],
    }
}

fn trusted(seeds: &[u8]) -> TrustedKeys {
    TrustedKeys::new(seeds.iter().map(|seed| key(*seed).public()).collect())
}

fn open(bytes: &[u8]) -> Result<Package, PackageError> {
    Package::open(bytes, &trusted(&[1]), Limits::default())
}

#[test]
fn what_was_built_opens_with_its_files_in_order() {
    let bytes = build(&draft(), &key(1)).unwrap();
    assert_eq!(bytes, build(&draft(), &key(1)).unwrap(), "the same draft makes the same bytes");
    let package = open(&bytes).unwrap();
    assert_eq!(package.manifest.sequence, 7);
    assert_eq!(package.files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a.ndb", "b.hsb"]);
    assert_eq!(package.files[0].1, draft().files[1].1);
    assert_eq!(package.signed_by, key(1).id());
    let (manifest, _) = Package::manifest_of(&bytes, &trusted(&[2, 1]), Limits::default()).unwrap();
    assert_eq!(manifest, package.manifest);
}

#[test]
fn every_truncation_and_every_flipped_bit_is_refused() {
    let bytes = build(&draft(), &key(1)).unwrap();
    for end in 0..bytes.len() {
        assert!(open(&bytes[..end]).is_err(), "cut at {end}");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(open(&changed).is_err(), "bit {bit} of byte {at}");
        }
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(open(&longer), Err(PackageError::Trailing(1))));
}

#[test]
fn only_a_trusted_key_vouches() {
    let bytes = build(&draft(), &key(2)).unwrap();
    let error = open(&bytes).unwrap_err();
    assert!(error.to_string().contains(&key(2).id().to_string()), "{error}");
    assert!(Package::open(&bytes, &trusted(&[]), Limits::default()).is_err());
    assert!(Package::open(&bytes, &trusted(&[1, 2]), Limits::default()).is_ok());
    // The id of a trusted key before another's signature.
    let mut lying = bytes;
    lying[16..24].copy_from_slice(&key(1).id().0);
    assert!(matches!(open(&lying), Err(PackageError::Forged(id)) if id == key(1).id()));
}

#[test]
fn a_manifest_of_another_package_does_not_vouch_for_this_content() {
    let (one, mut other) = (build(&draft(), &key(1)).unwrap(), draft());
    other.files[1].1[5] ^= 1;
    let other = build(&other, &key(1)).unwrap();
    // Both manifests have the same length, so what follows is the content.
    let content_at = 16 + 72 + u32::from_le_bytes(one[12..16].try_into().unwrap()) as usize;
    let mixed = [&one[..content_at], &other[content_at..]].concat();
    let error = open(&mixed).unwrap_err();
    assert!(
        matches!(error, PackageError::Digest { .. } | PackageError::Short { .. } | PackageError::Trailing(_)),
        "{error}"
    );
}

#[test]
fn what_is_too_large_is_refused_by_what_it_says_before_it_is_unpacked() {
    let big = Draft { files: vec![("a.ndb".to_owned(), vec![b'x'; 1 << 20])], ..draft() };
    let bytes = build(&big, &key(1)).unwrap();
    let refused = |limits| Package::open(&bytes, &trusted(&[1]), limits).unwrap_err().to_string();
    let few = Limits { plain_bytes_max: 1000, ..Limits::default() };
    assert_eq!(refused(few), "content of the package is 1048576, more than the 1000 allowed");
    let few = Limits { package_bytes_max: 100, ..Limits::default() };
    assert!(refused(few).starts_with("size of the package is"));
    let few = Limits { files_max: 0, ..Limits::default() };
    assert_eq!(refused(few), "files of the package are 1, more than the 0 allowed");
    let few = Limits { manifest_bytes_max: 10, ..Limits::default() };
    assert!(refused(few).starts_with("manifest of the package is"));
}

#[test]
fn a_draft_with_a_hostile_name_or_none_at_all_is_refused() {
    for name in ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "a\n", "\u{e9}", &"a".repeat(129)] {
        let files = vec![(name.to_owned(), Vec::new())];
        assert!(build(&Draft { files, ..draft() }, &key(1)).is_err(), "{name:?}");
    }
    assert!(build(&Draft { files: Vec::new(), ..draft() }, &key(1)).is_err());
    assert!(build(&Draft { sequence: 0, ..draft() }, &key(1)).is_err());
    let twice = vec![("a".to_owned(), Vec::new()), ("a".to_owned(), Vec::new())];
    assert!(build(&Draft { files: twice, ..draft() }, &key(1)).is_err());
}
