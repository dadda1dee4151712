//! Repair recipes: each step does what it says, and one that does not fit changes nothing.

use proptest::prelude::*;
use scanner::definitions::repair::{Anchors, Recipe, RecipeError, apply};
use scanner::definitions::{Options, Source, load};

const FOUND: &[u8] = b"0123456789";

fn recipe(steps: &str) -> Recipe {
    let line = format!("Name;{steps}");
    let source = Source { name: "t.repair", bytes: line.as_bytes() };
    let definitions = load(&[source], Options::default()).expect("lenient, within bounds");
    let complaints: Vec<String> = definitions.complaints().map(|(_, text)| text).collect();
    assert_eq!(complaints, [""; 0], "{line}");
    definitions.repairs[0].clone()
}

fn repaired(steps: &str) -> Result<Vec<u8>, RecipeError> {
    let anchors = Anchors { matches: &[Some((2, 4)), None, Some((6, 7))], entry_point: Some(5) };
    apply(&recipe(steps), FOUND, anchors)
}

#[test]
fn each_step_does_what_it_says() {
    for (steps, expected) in [
        ("truncate match", "01"),
        ("truncate end", "0123456789"),
        ("drop 3", "0123456"),
        ("drop 10", ""),
        ("cut match behind", "01456789"),
        ("cut match2 behind2+1", "01234589"),
        ("write entry-1 5a5a", "0123ZZ6789"),
        ("write end-1 5a", "012345678Z"),
        ("copy end-2 2 start", "8923456789"),
        ("cut start+1 start+3;cut start+2 start+5", "056789"),
        ("copy end-2 2 start;write end-2 5a5a;drop 1", "89234567Z"),
    ] {
        assert_eq!(repaired(steps).as_deref(), Ok(expected.as_bytes()), "{steps}");
    }
}

#[test]
fn what_is_copied_is_what_was_found_not_what_was_written() {
    assert_eq!(repaired("write start 5a;copy start 1 end-1").as_deref(), Ok(&b"Z123456780"[..]));
}

#[test]
fn a_position_outside_the_file_is_an_error_naming_the_step() {
    for steps in [
        "truncate end+1",
        "truncate start-1",
        "drop 11",
        "cut match end+1",
        "cut behind match",
        "write end 5a",
        "write start-1 5a",
        "copy end 1 start",
        "copy start 1 end",
        "copy start 4294967295 start",
        "write start+4294967295 5a",
        "truncate start-4294967295",
    ] {
        let error = repaired(&format!("drop 1;{steps}")).expect_err(steps);
        assert!(matches!(error, RecipeError::Outside { step: 2, bytes: 10, .. }), "{steps}: {error}");
    }
}

#[test]
fn a_position_that_is_not_known_is_an_error() {
    for steps in ["truncate match1", "truncate behind63"] {
        let error = repaired(steps).expect_err(steps);
        assert!(matches!(error, RecipeError::NoAnchor { step: 1, .. }), "{steps}: {error}");
    }
    let error = apply(&recipe("truncate entry"), FOUND, Anchors::default()).expect_err("there is no entry point");
    assert_eq!(error.to_string(), "step 1: entry is not known for this file");
}

#[test]
fn a_line_that_is_no_recipe_is_rejected() {
    for line in [
        "Name",
        "Name;",
        ";drop 1",
        "Name;drop 0",
        "Name;drop",
        "Name;drop 1 2",
        "Name;truncate middle",
        "Name;truncate match64",
        "Name;truncate match01",
        "Name;truncate start+",
        "Name;write start",
        "Name;write start 5",
        "Name;write start zz",
        "Name;cut start",
        "Name;copy start 0 end",
        "Name;erase",
        "Name;drop  1",
        "Name;drop 1;",
    ] {
        let source = Source { name: "t.repair", bytes: line.as_bytes() };
        let definitions = load(&[source], Options::default()).expect("lenient, within bounds");
        assert_eq!((definitions.repairs.len(), definitions.rejected.len()), (0, 1), "{line}");
    }
    let many = format!("Name{}", ";drop 1".repeat(65));
    let source = Source { name: "t.repair", bytes: many.as_bytes() };
    assert_eq!(load(&[source], Options::default()).expect("lenient").rejected.len(), 1);
}

fn position() -> impl Strategy<Value = String> {
    let base = prop::sample::select(vec!["start", "end", "entry", "match", "behind", "match1", "behind2", "match9"]);
    let plus = prop_oneof![
        Just(String::new()),
        (-12i64..12).prop_filter_map("zero is not written", |plus| { (plus != 0).then(|| format!("{plus:+}")) }),
        Just("+4294967295".to_owned())
    ];
    (base, plus).prop_map(|(base, plus)| format!("{base}{plus}"))
}

fn step() -> impl Strategy<Value = String> {
    prop_oneof![
        position().prop_map(|at| format!("truncate {at}")),
        (1u32..12).prop_map(|bytes| format!("drop {bytes}")),
        (position(), position()).prop_map(|(from, to)| format!("cut {from} {to}")),
        (position(), "([0-9a-f]{2}){1,4}").prop_map(|(at, bytes)| format!("write {at} {bytes}")),
        (position(), 1u32..12, position()).prop_map(|(from, bytes, to)| format!("copy {from} {bytes} {to}")),
    ]
}

proptest! {
    #[test]
    fn any_recipe_is_written_as_it_is_read_and_never_lengthens_a_file(
        steps in prop::collection::vec(step(), 1..6),
        input in prop::collection::vec(any::<u8>(), 0..20),
        matched in (any::<u64>(), any::<u64>(), 0u64..20, 0u64..20),
    ) {
        let written = format!("Name;{}", steps.join(";"));
        let recipe = recipe(&steps.join(";"));
        prop_assert_eq!(recipe.line(), written);
        let matches = [Some((matched.0, matched.1)), Some((matched.2, matched.3)), None];
        for entry_point in [None, Some(matched.2), Some(u64::MAX)] {
            if let Ok(output) = apply(&recipe, &input, Anchors { matches: &matches, entry_point }) {
                prop_assert!(output.len() <= input.len());
            }
        }
    }
}
