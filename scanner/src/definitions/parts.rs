//! The lines in which two sets of sources differ, so that only these need be read to know what has changed.
//!
//! A line of most text databases stands for itself. Where another could change what it means (ignores by line, containers that
//! would have to be unpacked, endings nobody knows) there are no parts, and both sets must be loaded whole.

use super::outcome::Source;
use std::collections::{HashMap, HashSet};

/// Databases whose lines stand for themselves.
const LINES: [&str; 12] = ["ndb", "ldb", "hdb", "hsb", "mdb", "msb", "ndu", "ldu", "hdu", "hsu", "mdu", "msu"];
/// Files that belong to every part: allowances, and ignores by name where both sets have the same.
const WHOLE: [&str; 3] = ["fp", "sfp", "ign2"];
/// Files that change no finding.
const ASIDE: [&str; 1] = ["repair"];

/// Two sets without the lines that they share.
#[derive(Debug)]
pub struct Parts<'a> {
    old: Vec<(&'a str, Vec<u8>)>,
    new: Vec<(&'a str, Vec<u8>)>,
    shared: Vec<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// Takes two sets of files apart, in O(lines); `None` when they have to be looked at whole.
    #[must_use]
    pub fn of(old: &[Source<'a>], new: &[Source<'a>]) -> Option<Self> {
        let mut parts = Self { old: Vec::new(), new: Vec::new(), shared: Vec::new() };
        let mut left: HashMap<(&str, &[u8]), u32> = HashMap::new();
        let mut ignores = [Vec::new(), Vec::new()];
        for (side, sources) in [old, new].into_iter().enumerate() {
            for source in sources {
                let ending = ending(source.name);
                if WHOLE.contains(&ending.as_str()) {
                    if ending == "ign2" {
                        ignores[side].push(source.bytes);
                    }
                    let part = if side == 0 { &mut parts.old } else { &mut parts.new };
                    part.push((source.name, source.bytes.to_vec()));
                } else if LINES.contains(&ending.as_str()) {
                    if side == 0 {
                        lines(source.bytes).for_each(|line| *left.entry((source.name, line)).or_default() += 1);
                    }
                } else if !ASIDE.contains(&ending.as_str()) {
                    return None;
                }
            }
        }
        if ignores[0] != ignores[1] {
            return None;
        }
        let has_lines = |source: &&Source<'a>| LINES.contains(&ending(source.name).as_str());
        for source in new.iter().filter(has_lines) {
            let mut only = Vec::new();
            for line in lines(source.bytes) {
                match left.get_mut(&(source.name, line)).filter(|count| **count > 0) {
                    Some(count) => {
                        *count -= 1;
                        parts.shared.push(line);
                    }
                    None => push(&mut only, line),
                }
            }
            parts.new.push((source.name, only));
        }
        for source in old.iter().filter(has_lines) {
            let mut only = Vec::new();
            for line in lines(source.bytes) {
                if let Some(count) = left.get_mut(&(source.name, line)).filter(|count| **count > 0) {
                    *count -= 1;
                    push(&mut only, line);
                }
            }
            parts.old.push((source.name, only));
        }
        Some(parts)
    }

    /// What only the old set has.
    #[must_use]
    pub fn only_old(&self) -> Vec<Source<'_>> {
        sources(&self.old)
    }

    /// What only the new set has.
    #[must_use]
    pub fn only_new(&self) -> Vec<Source<'_>> {
        sources(&self.new)
    }

    /// Those of some names that may stand in a line that both sets have: all that do, and some that only look so.
    #[must_use]
    pub fn shared<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> HashSet<&'n str> {
        let mut names: HashMap<&[u8], &str> = names.into_iter().map(|name| (name.as_bytes(), name)).collect();
        let mut found = HashSet::new();
        for line in &self.shared {
            if names.is_empty() {
                break;
            }
            for field in line.split(|byte| matches!(byte, b':' | b';' | b'\r')) {
                found.extend(names.remove(field));
            }
        }
        found
    }
}

fn sources<'a>(files: &'a [(&'a str, Vec<u8>)]) -> Vec<Source<'a>> {
    files.iter().map(|(name, bytes)| Source { name, bytes }).collect()
}

fn ending(name: &str) -> String {
    name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase()
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn push(part: &mut Vec<u8>, line: &[u8]) {
    part.extend_from_slice(line);
    part.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(old: &[(&'static str, &'static str)], new: &[(&'static str, &'static str)]) -> Option<String> {
        let sources = |files: &[(&'static str, &'static str)]| -> Vec<Source<'static>> {
            files.iter().map(|(name, text)| Source { name, bytes: text.as_bytes() }).collect()
        };
        let parts = Parts::of(&sources(old), &sources(new))?;
        let text = |sources: Vec<Source<'_>>| {
            let files = sources.iter().map(|source| {
                format!("{}({})", source.name, String::from_utf8_lossy(source.bytes).trim_end().replace('\n', "|"))
            });
            files.collect::<Vec<_>>().join(" ")
        };
        Some(format!("{} -> {}", text(parts.only_old()), text(parts.only_new())))
    }

    #[test]
    fn only_lines_that_differ_are_in_a_part_each_as_often_as_it_is_more() {
        let answer = parts(&[("a.ndb", "one\ntwo\ntwo\n\nthree")], &[("a.ndb", "three\nfour\ntwo\none\n")]);
        assert_eq!(answer.as_deref(), Some("a.ndb(two) -> a.ndb(four)"));
    }

    #[test]
    fn a_line_in_another_file_is_another_line() {
        let answer = parts(&[("a.ndb", "one\n")], &[("b.ndb", "one\n")]);
        assert_eq!(answer.as_deref(), Some("a.ndb(one) -> b.ndb(one)"));
    }

    #[test]
    fn allowances_and_equal_ignores_are_in_both_parts_and_recipes_in_none() {
        let old = [("a.hdb", "one\n"), ("a.fp", "x\n"), ("a.ign2", "y\n"), ("a.repair", "z\n")];
        let new = [("a.fp", "x\nw\n"), ("a.ign2", "y\n")];
        assert_eq!(parts(&old, &new).as_deref(), Some("a.fp(x) a.ign2(y) a.hdb(one) -> a.fp(x|w) a.ign2(y)"));
    }

    #[test]
    fn what_could_mean_something_to_other_lines_leaves_no_parts() {
        for name in ["a.ign", "a.cvd", "a.cld", "a.unheard"] {
            assert!(parts(&[("a.ndb", "one\n")], &[("a.ndb", "two\n"), (name, "x")]).is_none(), "{name}");
        }
        assert!(parts(&[("a.ign2", "one\n")], &[]).is_none());
        assert!(parts(&[("a.ign2", "one\n")], &[("a.ign2", "two\n")]).is_none());
    }

    #[test]
    fn a_name_in_a_line_that_stayed_is_told() {
        let old = "Kept.One:0:*:aabb\nGone:0:*:ccdd\n";
        let new = "Kept.One:0:*:aabb\n";
        let source = |text: &'static str| [Source { name: "a.ndb", bytes: text.as_bytes() }];
        let (old, new) = (source(old), source(new));
        let parts = Parts::of(&old, &new).expect("lines");
        let found = parts.shared(["Kept.One", "Gone", "Kept"]);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["Kept.One"]);
    }
}
