//! Whenever a rule holds in a buffer, one of its atoms is in it; and rules that can have atoms have them.

use std::time::Duration;

use proptest::prelude::*;
use yara::limits::{ATOM_BYTES_MAX, ATOM_BYTES_MIN};
use yara::{Rules, Source, compile};

fn rules(text: &str) -> Rules {
    let rules = compile(&[Source { name: "a.yar", text: text.as_bytes() }]).expect("small");
    assert!(rules.report().complaints.is_empty(), "{:?}", rules.report().complaints);
    rules
}

fn atoms(strings: &str, condition: &str) -> Option<Vec<String>> {
    let rules = rules(&format!("rule a {{ {strings} condition: {condition} }}"));
    let atoms = rules.report().rules[0].atoms.clone()?;
    Some(atoms.iter().map(|atom| atom.escape_ascii().to_string()).collect())
}

const THREE: &str = "strings: $a1 = \"first\" $a2 = \"second\" $b = \"thirdly\"";

#[test]
fn conditions_need_what_they_cannot_hold_without() {
    let cases: &[(&str, Option<&[&str]>)] = &[
        ("any of them", Some(&["thirdly", "second", "first"])),
        ("all of them", Some(&["thirdly"])),
        ("2 of them", Some(&["thirdly", "second"])),
        ("2 of ($a*)", Some(&["second"])),
        ("1 of ($a1, $b)", Some(&["thirdly", "first"])),
        ("$a1 and $a2", Some(&["second"])),
        ("$a1 or $a2", Some(&["first", "second"])),
        ("$a1 or filesize < 10", None),
        ("$a1 and filesize < 10", Some(&["first"])),
        ("not $a1", None),
        ("none of them", None),
        ("0 of them", None),
        ("filesize of them", None),
        ("#a1 > 0", Some(&["first"])),
        ("#a1 > -1", None),
        ("#a1 >= 0", None),
        ("2 < #a1", Some(&["first"])),
        ("#a1 < 2", None),
        ("#a1 == 2", Some(&["first"])),
        ("#a1 == 0", None),
        ("#a1 in (0..100) == 1", Some(&["first"])),
        ("$a1 at 0 or $b in (0..filesize)", Some(&["first", "thirdly"])),
        ("any of ($a*) at 0", Some(&["second", "first"])),
        ("all of ($a*) in (0..100)", Some(&["second"])),
        ("for any of ($a*) : ( $ at 0 )", Some(&["second", "first"])),
        ("for all of them : ( # > 1 )", Some(&["thirdly"])),
        ("for any of them : ( @ > 1 )", None),
        ("for any i in (1..3) : ( $a1 at i )", Some(&["first"])),
        ("for all i in (1..filesize) : ( $a1 at i )", None),
        ("50% of them", Some(&["thirdly", "second", "first"])),
        ("true", None),
        ("false or $b", None),
    ];
    for (condition, expected) in cases {
        let expected = expected.map(|atoms| atoms.iter().map(ToString::to_string).collect::<Vec<_>>());
        // All three are referred to, for a string that is not is an error.
        let found = atoms(THREE, &format!("({condition}) and (any of them or true)"));
        assert_eq!(found, expected, "{condition}");
    }
}

#[test]
fn strings_are_what_their_modifiers_make_of_them() {
    let cases: &[(&str, Option<&[&str]>)] = &[
        ("\"abcd\"", None),
        ("\"abcde\"", Some(&["abcde"])),
        ("\"abcde\" wide", Some(&[r"a\x00b\x00c\x00d\x00e\x00"])),
        ("\"abcde\" wide ascii", Some(&[r"a\x00b\x00c\x00d\x00e\x00", "abcde"])),
        ("\"abcde\" nocase", None),
        ("\"ab12345\" nocase", Some(&["12345"])),
        ("\"abcde\" xor", None),
        ("\"abcdefgh\" base64", None),
        ("\"abcdefgh\" base64wide", None),
        ("\"abcde\" fullword private", Some(&["abcde"])),
        ("{ 41 42 43 44 45 ?? 46 47 48 49 4A 4B }", Some(&["FGHIJK"])),
        ("{ 41 42 43 44 4? 46 47 48 49 }", None),
        ("{ 41 42 ( 43 44 45 46 47 | 48 49 4A 4B 4C ) 4D }", Some(&["CDEFG", "HIJKL"])),
        ("{ 41 42 ( 43 44 45 46 47 | 48 ) 4D }", None),
        ("{ 41 42 43 [2-4] 44 45 46 }", None),
        ("/abc[0-9]defgh/", Some(&["defgh"])),
        ("/abcd?efg/", None),
        ("/(abcde|fghij)k/", Some(&["abcde", "fghij"])),
        ("/(abcde)+/", Some(&["abcde"])),
        ("/(abcde)*fghij/", Some(&["fghij"])),
        ("/abcde/i", None),
        ("/ab\\x00cde/", Some(&[r"ab\x00cde"])),
        ("/ab\\bcde/", Some(&["abcde"])),
        ("/a.cde/ wide", Some(&[r"c\x00d\x00e\x00"])),
    ];
    for (string, expected) in cases {
        let expected = expected.map(|atoms| atoms.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(atoms(&format!("strings: $a = {string}"), "$a"), expected, "{string}");
    }
}

#[test]
fn long_strings_give_a_window_and_many_strings_give_none() {
    let long = atoms(&format!("strings: $a = \"{}\"", "abcdefgh".repeat(40)), "$a").expect("long");
    assert_eq!(long[0].len(), ATOM_BYTES_MAX);
    let many: String = (0..300).map(|index| format!("$s{index} = \"string {index}\" ")).collect();
    assert_eq!(atoms(&format!("strings: {many}"), "any of them"), None);
    assert_eq!(atoms(&format!("strings: {many}"), "all of them").map(|atoms| atoms.len()), Some(1));
}

#[test]
fn a_rule_that_needs_another_needs_its_atoms() {
    let rules = rules(
        "private rule base { strings: $a = \"bases\" condition: $a } rule a { condition: base and filesize > 0 } \
         rule b { condition: for any base in (1..2) : ( base == 1 ) }",
    );
    assert_eq!(rules.report().rules[1].atoms, Some(vec![b"bases".to_vec()]));
    assert_eq!(rules.report().rules[2].atoms, None);
}

const NODES: &[&str] = &["a", "b", "1", "ab1", "(ab|b1)", "(ab1aa|ba)+", "[ab]?", ".", "\\b", "a{2,3}", "(abab1){2}"];

/// Strings of few letters, so that they are in random buffers often.
fn string() -> impl Strategy<Value = String> {
    let word = "[ab1]{1,7}";
    prop_oneof![
        (word, prop::sample::select(vec!["", " wide", " ascii wide", " nocase", " fullword", " xor(0-1)"]))
            .prop_map(|(word, modifier)| format!("\"{word}\"{modifier}")),
        "(61|62|31|6\\?|\\?\\?|\\( 61 62 31 61 61 \\| 62 62 31 62 61 \\))( (61|62|31|6\\?|\\[0-2\\] 61|\\( 61 \\| 62 62 \\))){1,6} 61"
            .prop_map(|tokens| format!("{{ {tokens} }}")),
        (prop::collection::vec(prop::sample::select(NODES), 3..8), prop::sample::select(vec!["", "i", " wide", "s"]))
            .prop_map(|(nodes, flags)| format!("/x?{}/{flags}", nodes.concat())),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["s0", "s1", "s2"]);
    let leaf = prop_oneof![
        name().prop_map(|name| format!("${name}")),
        (name(), 0..3i64).prop_map(|(name, count)| format!("#{name} > {count}")),
        (name(), 0..3i64).prop_map(|(name, count)| format!("{count} <= #{name}")),
        (name(), 0..3i64).prop_map(|(name, count)| format!("#{name} == {count}")),
        (name(), 0..9i64).prop_map(|(name, at)| format!("${name} at {at}")),
        (name(), 0..9i64).prop_map(|(name, end)| format!("#{name} in ({end}..20) >= 1")),
        (name(), 0..9i64).prop_map(|(name, end)| format!("for any i in (0..{end}) : ( ${name} at i )")),
        (0..4i64).prop_map(|count| format!("{count} of them")),
        (0..101i64).prop_map(|share| format!("{share}% of them")),
        (1..3i64, 0..9i64).prop_map(|(count, end)| format!("{count} of ($s0, $s1) in (0..{end})")),
        Just("all of them".to_owned()),
        Just("none of them".to_owned()),
        Just("for any of ($s0, $s2) : ( $ and # > 1 )".to_owned()),
        Just("for all of them : ( $ or filesize > 9 )".to_owned()),
        Just("for 2 of them : ( @ < 9 )".to_owned()),
        Just("filesize > 10".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) and ({right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) or ({right})")),
            inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_never_holds_without_one_of_its_atoms(
        strings in prop::array::uniform3(string()),
        conditions in prop::collection::vec(condition(), 8),
        buffers in prop::collection::vec("[ab1]{0,30}|(a|b|1|\u{0}){0,40}|(a\u{0}|b\u{0}|1\u{0}){0,20}", 20),
    ) {
        let [s0, s1, s2] = strings;
        let text: String = conditions.iter().enumerate().map(|(index, condition)| {
            format!("rule r{index} {{ strings: $s0 = {s0} $s1 = {s1} $s2 = {s2} condition: ({condition}) and (true or any of them) }}\n")
        }).collect();
        let rules = compile(&[Source { name: "a", text: text.as_bytes() }]).expect("small");
        for buffer in &buffers {
            for rule in rules.scan(buffer.as_bytes(), Duration::from_secs(10)).rules {
                let rule = &rules.report().rules[rule as usize];
                let Some(atoms) = &rule.atoms else { continue };
                let has = |atom: &Vec<u8>| buffer.as_bytes().windows(atom.len()).any(|window| window == atom);
                prop_assert!(atoms.iter().any(has), "{text} {} {buffer:?} {atoms:?}", rule.signature);
                prop_assert!(atoms.iter().all(|atom| (ATOM_BYTES_MIN..=ATOM_BYTES_MAX).contains(&atom.len())));
            }
        }
    }
}
