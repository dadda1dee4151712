//! What clamscan loads we load, what it refuses we refuse; and what we write reads as the same value.

use scanner::definitions::{Definitions, Options, Source, load};
use std::process::Command;

/// Patterns in a line `T:0:*:pattern` of `.ndb`.
const PATTERNS: &str = "aabbcc aabb aa a aabbc aabb??cc ??aabb aabb?? aa??bb aa??bbcc aabb*ccdd aa*bbcc aabb*cc aabb* \
    *aabb {2}aabb aabb{2}cc aabb{127}cc aabb{128}cc aabb{128}ccdd aabb{2-}ccdd aabb{-2}ccdd aabb{2-4}ccdd \
    aabb{2-2}ccdd aabb{2-}cc aabb{}ccdd aabb{-}ccdd aabb{0}ccdd aabb{x}ccdd aabb{2ccdd aabb[2-4]cc aabb[2-4]ccdd \
    aa[2-4]bb aa[2-4]bbcc aabb[4-2]cc aabb[2]cc aabb[0-32]cc aabb[0-33]cc aabb[0-0]cc aabb[-4]cc aabb[4-]cc \
    aabb(cc|dd) aabb(cc|ddee) aabb!(cc|dd)ee aabb!(cc|ddee) (aa|bb) (aabb|ccdd) (aa|bb)cc aabb() aabb(|cc) aabb(cc|) \
    aabb(cc|dd aabb(c|d) aabb(cc|d?) aabb(cc{2}dd|ee) aabb(cc*dd|ee) aabb(cc{1-2}dd|ee) aabb((cc|dd)|ee) aabb(B) \
    (B)aabb aabb(L)cc aabb(W)ccdd !(B)aabb (B) aabb? a?b? aab? ?aaabb zz aabb**ccdd aabb*??ccdd aa(B)bb aa(B)bbcc \
    aa[1-2]bbcc[1-2]dd aa[1-2]bb[1-2]ccdd aabb*cc[2-4]ddee aabb[2-4]cc*ddee aabb??[2-4]cc ??(B)aabb aa(bb)ccdd \
    aabb!cc aabb) aabb|cc aabb(cc(B)|dd) (aa|bb)[2-4]ccdd [2-4]aabb aabb[2-4] aabb*{1-2}ccdd aabb(aa!(bb|cc)|dd)";

/// Offsets in a line `T:target:offset:aabbccdd`, each tried for targets 0 and 1.
const OFFSETS: &str = "* 0 10 10,5 10, 10,-1 -1 EOF-10 EOF-10,5 EOF EOF- eof-1 EP+0 EP-1 EP EP+x EP+1,2 S0+0 S1 S1-4 Sx+1 \
    SL+1 SL SE0 SE1+2 SE SEx VI VI+1 *,2 0x10 10,5,3 $0 $31 $32 $x";

/// Expressions over two sub-signatures.
const EXPRESSIONS: &str = "0 0&1 0|1 (0&1) (0|1)&0 0&1|0 (0 0) () 0& &0 0&&1 (0|1)=2 (0|1)=2,2 (0|1)>1,2 0=x (0|1)> 2 0&2 64 \
    ((0|1)=1)=1 (0=1|1=2) 01 (0)(1) 0(1) ((0&1)|(0|1))&1 !0 1 0|(1)=1 0|((1)) 0=1|1 (0|1)=1& 0||1";

/// Third fields of a signature with sub-signatures `aabbccdd` and this.
const SUBSIGNATURES: &str = "aabb aa 0:aabb EP+0:aabb *:aabbccdd aabbccdd::i aabbccdd:: aabbccdd::iwfa aabbccdd::x aabbccdd:i 41::w \
    41::a 4?::w 4142!(43|44)::i 4142!(43|44) 41(42|43)::w (41|42)::w ${2-1}x$ ${-2}1$ ${1-2}32$ ${1-2}1 \
    0(>>4#ib2#=10) 0(>>0x4#hb2#>1) 0(<<4#db3#<100) 0(>>4#dl3#<100) 0(>>4#ib3#=1) 0(>>4#ib2#=1,>2) \
    0(>>4#ib2#=1,>2,<3) 0(>>4#ib2#1) 0(4#ib2#=1) 0(>>4#hb0#=1) 0(>>4#hb19#=1) x(>>4#ib2#=1) 0/abc/ 0/abc/z 0// 1/abc/ \
    0/abc fuzzy_img#af2ad01ed42993c7 fuzzy_img#xx";

/// Blocks, behind `Engine:81-255,`.
const BLOCKS: &str = "Target:0 Target:14 Target:x Target: Target FileSize:1-2 Target:0,FileSize:10 Target:0,FileSize:1- \
    Target:0,EntryPoint:1-2 Target:1,EntryPoint:1-2 Target:0,Container:CL_TYPE_ZIP Target:0,Engine:1-2 Target:0, \
    Target:0,Intermediates:CL_TYPE_ZIP>CL_TYPE_ANY Target:-1 Target:0,,FileSize:1-2";

const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

fn cases() -> Vec<(&'static str, String)> {
    let mut cases = Vec::new();
    cases.extend(PATTERNS.split_whitespace().map(|text| ("ndb", format!("T:0:*:{text}"))));
    for target in [0, 1] {
        cases.extend(OFFSETS.split_whitespace().map(|text| ("ndb", format!("T:{target}:{text}:aabbccdd"))));
    }
    let logical = |text: String| ("ldb", format!("T;Engine:81-255,{text}"));
    cases.extend(EXPRESSIONS.split_whitespace().map(|text| logical(format!("Target:0;{text};aabbccdd;11223344"))));
    cases.extend(SUBSIGNATURES.split_whitespace().map(|text| logical(format!("Target:0;0&1;aabbccdd;{text}"))));
    cases.extend(BLOCKS.split_whitespace().map(|text| logical(format!("{text};0;aabbccdd"))));
    for rest in [":10:T", ":*:T", ":*:T:73", ":*:T:72", ":0:T", ":x:T", ":10", ":10:", "::T", ":10:T:300", "0:10:T"] {
        cases.extend(["hdb", "fp", "imp"].map(|extension| (extension, format!("{MD5}{rest}"))));
    }
    cases.extend([("mdb", format!("10:{MD5}:T")), ("mdb", format!("*:{MD5}:T")), ("mdb", format!("{MD5}:10:T"))]);
    cases
}

fn ours(extension: &str, line: &str) -> Definitions {
    let name = format!("t.{extension}");
    load(&[Source { name: &name, bytes: line.as_bytes() }], Options::default()).expect("lenient, within bounds")
}

#[test]
#[allow(clippy::print_stdout, reason = "the line must reach the person who reads the run")]
fn clamscan_loads_exactly_what_is_not_rejected_here() {
    let required =
        ["CI", "LAZARET_REQUIRE_ALL"].iter().any(|name| std::env::var(name).is_ok_and(|on| on == "1" || on == "true"));
    if Command::new("clamscan").arg("--version").output().is_err() {
        assert!(!required, "UNAVAILABLE clamscan: the package clamav is not installed");
        println!("UNAVAILABLE clamscan: the package clamav is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "hello\n").expect("a file");
    let mut differ = Vec::new();
    for (extension, line) in cases() {
        let database = folder.path().join(format!("t.{extension}"));
        std::fs::write(&database, format!("{line}\n")).expect("a database");
        let done = Command::new("clamscan").arg("-d").arg(&database).arg(&empty).output().expect("it starts");
        // 0: nothing found, 1: found, 2: the database was refused.
        let accepts = done.status.code() != Some(2);
        let rejected = ours(extension, &line).rejected;
        if accepts != rejected.is_empty() {
            differ.push(format!("{extension} {line}: clamscan accepts: {accepts}, here: {rejected:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn what_is_written_reads_as_the_same_signature() {
    for (extension, line) in cases() {
        for signature in ours(extension, &line).signatures {
            let again = ours(signature.extension(), &signature.line()).signatures;
            assert_eq!(again.as_slice(), std::slice::from_ref(&signature), "{line} as {}", signature.line());
        }
    }
}

#[test]
fn every_truncation_of_every_line_is_answered() {
    for (extension, line) in cases() {
        (0..line.len()).for_each(|end| drop(ours(extension, &line[..end])));
    }
}
