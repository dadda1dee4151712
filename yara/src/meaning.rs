//! What a rule means, as a digest: rules of one digest hold in the same buffers, whatever sources they stand in.
//!
//! A rule means its own text and that of the rules it refers to. Nobody is asked which those are: a rule in which the name
//! of an earlier one stands means all that stands before it, and one in a source with global rules means the whole source.
//! So a change may give a new digest to a rule that means what it did, and never leaves an old one to a rule that does not.

use std::collections::BTreeSet;

use boreal_parser::file::{YaraFile, YaraFileComponent};

/// A rule's meaning.
pub type Meaning = [u8; 32];

/// The rules of one source so far.
pub(crate) struct Meanings {
    /// Of the whole source, where a rule of it is global.
    global: Option<blake3::Hash>,
    before: blake3::Hasher,
    names: BTreeSet<String>,
}

impl Meanings {
    pub(crate) fn new(text: &str, file: &YaraFile) -> Self {
        let is_global =
            |component: &YaraFileComponent| matches!(component, YaraFileComponent::Rule(rule) if rule.is_global);
        let global = file.components.iter().any(is_global).then(|| blake3::hash(text.as_bytes()));
        Self { global, before: blake3::Hasher::new(), names: BTreeSet::new() }
    }

    /// The meaning of the next rule, whose text is `piece`. Rules that do not compile are learned too.
    pub(crate) fn learn(&mut self, name: &str, piece: &str) -> Meaning {
        let mut meaning = blake3::Hasher::new();
        if let Some(global) = &self.global {
            meaning.update(global.as_bytes());
        }
        if self.refers(piece) {
            meaning.update(self.before.finalize().as_bytes());
        }
        meaning.update(piece.trim().as_bytes());
        self.before.update(piece.as_bytes());
        self.names.insert(name.to_owned());
        *meaning.finalize().as_bytes()
    }

    /// Whether the name of an earlier rule stands in a text, or the beginning of one before an asterisk.
    fn refers(&self, piece: &str) -> bool {
        let mut rest = piece;
        while let Some(start) = rest.find(is_word) {
            let word = &rest[start..];
            let end = word.find(|c| !is_word(c)).unwrap_or(word.len());
            let (word, behind) = word.split_at(end);
            let begins = behind.starts_with('*') && self.names.iter().any(|name| name.starts_with(word));
            if begins || self.names.contains(word) {
                return true;
            }
            rest = behind;
        }
        false
    }
}

/// `$` is one of them, so that a string's name is not taken for a rule's.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use crate::{Source, compile};
    use std::collections::BTreeMap;

    fn meanings(text: &str) -> BTreeMap<String, super::Meaning> {
        let rules = compile(&[Source { name: "a.yar", text: text.as_bytes() }]).expect("small");
        assert!(rules.report().complaints.is_empty(), "{:?}", rules.report().complaints);
        rules.report().rules.iter().map(|rule| (rule.signature.clone(), rule.meaning)).collect()
    }

    /// Names whose rules mean something else.
    fn changed(old: &str, new: &str) -> Vec<String> {
        let (old, new) = (meanings(old), meanings(new));
        new.into_iter().filter(|(name, meaning)| old.get(name) != Some(meaning)).map(|(name, _)| name).collect()
    }

    const WOLF: &str = "rule wolf { strings: $a = \"a wolf\" condition: $a }\n";
    const SHEEP: &str = "rule sheep { strings: $wolf = \"a sheep\" condition: $wolf }\n";

    #[test]
    fn a_rule_that_refers_to_nothing_means_its_own_text() {
        let other = "rule bear { condition: filesize == 3 }\n";
        assert_eq!(changed(&format!("{WOLF}{SHEEP}"), &format!("{other}{SHEEP}{WOLF}")), ["YARA.bear"]);
        assert_eq!(changed(WOLF, &WOLF.replace("a wolf", "a wulf")), ["YARA.wolf"]);
    }

    #[test]
    fn a_rule_means_those_it_refers_to() {
        for condition in ["wolf", "not wolf", "any of (wo*)"] {
            let both = format!("{SHEEP}{WOLF}rule either {{ condition: {condition} }}\n");
            assert_eq!(changed(&both, &both.replace("a wolf", "a wulf")), ["YARA.either", "YARA.wolf"], "{condition}");
        }
    }

    #[test]
    fn a_global_rule_is_a_part_of_every_other() {
        let text = format!("{WOLF}{SHEEP}global rule small {{ condition: filesize < 100 }}\n");
        let all = ["YARA.sheep", "YARA.small", "YARA.wolf"];
        assert_eq!(changed(&text, &text.replace("< 100", "< 200")), all);
        assert_eq!(changed(&text, &text.replace("global ", "")), all);
    }
}
