//! What is different between the rules of two sets.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::{Report, Rule};

/// The difference between two reports. Private rules are in none of it: they change what refers to them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change<'a> {
    /// Rules of a meaning that none of the old ones of their name has.
    pub added: Vec<&'a Rule>,
    /// Names that no rule has any more.
    pub gone: BTreeSet<&'a str>,
    /// Names of which some meanings went and some rules are there.
    pub doubtful: BTreeSet<&'a str>,
}

impl<'a> Change<'a> {
    /// Compares the rules of two reports by what they mean, wherever they stand.
    #[must_use]
    pub fn between(old: &'a Report, new: &'a Report) -> Self {
        let (before, after) = (by_name(old), by_name(new));
        let mut change = Self::default();
        for (name, rules) in &after {
            let known = before.get(name);
            let is_new = |rule: &&&Rule| !known.is_some_and(|old| old.iter().any(|old| old.meaning == rule.meaning));
            change.added.extend(rules.iter().filter(is_new));
        }
        for (name, rules) in before {
            match after.get(name) {
                None => change.gone.insert(name),
                Some(now) => {
                    let stays = |old: &&Rule| now.iter().any(|rule| rule.meaning == old.meaning);
                    !rules.iter().all(stays) && change.doubtful.insert(name)
                }
            };
        }
        change
    }
}

fn by_name(report: &Report) -> BTreeMap<&str, Vec<&Rule>> {
    let mut named: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in report.rules.iter().filter(|rule| !rule.is_private) {
        named.entry(&rule.signature).or_default().push(rule);
    }
    named
}

#[cfg(test)]
mod tests {
    use super::Change;
    use crate::{Report, Source, compile};

    fn report(sources: &[&str]) -> Report {
        let sources: Vec<Source<'_>> =
            sources.iter().map(|text| Source { name: "a.yar", text: text.as_bytes() }).collect();
        compile(&sources).expect("small").report().clone()
    }

    fn rule(name: &str, text: &str) -> String {
        format!("rule {name} {{ strings: $a = \"{text}\" condition: $a }}\n")
    }

    #[test]
    fn rules_are_compared_by_meaning_wherever_they_stand() {
        let (wolf, sheep, bear) = (rule("wolf", "a wolf"), rule("sheep", "a sheep"), rule("bear", "a bear"));
        let old = report(&[&(wolf.clone() + &sheep), &bear]);
        let new = report(&[&bear, &rule("deer", "a deer"), &(rule("sheep", "two sheep") + &wolf)]);
        let change = Change::between(&old, &new);
        let added: Vec<&str> = change.added.iter().map(|rule| rule.signature.as_str()).collect();
        assert_eq!(added, ["YARA.deer", "YARA.sheep"]);
        assert!(change.gone.is_empty());
        assert_eq!(change.doubtful.into_iter().collect::<Vec<_>>(), ["YARA.sheep"]);
        assert_eq!(Change::between(&new, &new), Change::default());
        let back = Change::between(&new, &old);
        assert_eq!(back.gone.into_iter().collect::<Vec<_>>(), ["YARA.deer"]);
    }

    #[test]
    fn of_two_rules_of_one_name_each_counts() {
        let (one, two) = (rule("wolf", "a wolf"), rule("wolf", "two wolves"));
        let (both, less) = (report(&[&one, &two]), report(&[&one]));
        assert_eq!(Change::between(&less, &both).added.len(), 1);
        assert!(Change::between(&less, &both).doubtful.is_empty());
        assert_eq!(Change::between(&both, &less).doubtful.len(), 1);
        assert!(Change::between(&both, &less).added.is_empty());
    }

    #[test]
    fn a_private_rule_changes_what_refers_to_it() {
        let of =
            |text: &str| report(&[&format!("private {}rule found {{ condition: hidden }}\n", rule("hidden", text))]);
        let (old, new) = (of("a wolf"), of("a sheep"));
        let change = Change::between(&old, &new);
        assert_eq!(change.added.iter().map(|rule| rule.signature.as_str()).collect::<Vec<_>>(), ["YARA.found"]);
    }
}
