use super::super::families::{Family, Kind, corpus, goodware, noise, program, reordered};
use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_sketch_holds_the_lowest_numbers(numbers in prop::collection::vec(0u64..500, 0..600), max in 1usize..40) {
        let mut all = numbers.clone();
        keep_lowest(&mut all, max);
        let sketch = Sketch::lowest(numbers.into_iter(), max);
        prop_assert_eq!(sketch.hashes(), &*all);
    }

    #[test]
    fn similarity_has_no_direction(a in prop::collection::vec(any::<u8>(), 0..3000), cut in 0usize..3000) {
        let b = &a[cut.min(a.len())..];
        let (a, b) = (Features::of(&a), Features::of(b));
        prop_assert_eq!(similarity(&a, &b), similarity(&b, &a));
    }
}

#[test]
fn the_estimate_of_resemblance_is_near_the_truth() {
    let shared = noise("shared", 10_000);
    let a = Features::of(&[&*shared, &noise("a", 10_000)].concat());
    let b = Features::of(&[&*shared, &noise("b", 10_000)].concat());
    let estimate = similarity(&a, &b).resemblance_per_mille;
    assert!((250..420).contains(&estimate), "a third is shared, {estimate} of a thousand were seen");
}

#[test]
fn a_small_body_behind_large_hosts_is_enough() {
    let body = noise("body", 600);
    let a = Features::of(&[&*noise("a", 300_000), &body].concat());
    let b = Features::of(&[&*noise("b", 200_000), &body].concat());
    let near = similarity(&a, &b);
    assert!(near.resemblance_per_mille < 20 && near.is_family(), "{near:?}");
}

#[test]
fn unrelated_samples_are_no_family() {
    let samples: Vec<Features> = (0..40).map(|index| Features::of(&noise(&format!("sample {index}"), 4000))).collect();
    for (index, a) in samples.iter().enumerate() {
        assert!(samples[..index].iter().all(|b| !similarity(a, b).is_family()));
    }
}

/// The measures of all pairs of some samples.
fn pairs(samples: &[Features]) -> Vec<Similarity> {
    let against =
        |(index, a): (usize, &Features)| samples[..index].iter().map(|b| similarity(a, b)).collect::<Vec<_>>();
    samples.iter().enumerate().flat_map(against).collect()
}

#[test]
fn families_measure_well_above_the_thresholds_and_strangers_well_below() {
    let goodware = goodware(&corpus());
    for kind in Kind::ALL {
        let family = Family::new(kind, &format!("{kind:?} measured"));
        let samples: Vec<Features> =
            (0..40).map(|number| Features::beyond(&family.infected(number), &goodware)).collect();
        let edge = pairs(&samples).iter().map(|near| near.common_edge_grams).min();
        assert!(edge >= Some(3 * EDGE_GRAMS_MIN), "{kind:?} {edge:?}");
        let resemblance = pairs(&samples).iter().map(|near| near.resemblance_per_mille).min();
        assert!(kind != Kind::Variant || resemblance >= Some(350), "{resemblance:?}");
    }
    let strangers: Vec<Features> =
        (0..80).map(|number| Features::beyond(&program(&format!("stranger {number}")), &goodware)).collect();
    let pairs = pairs(&strangers);
    assert!(pairs.iter().all(|near| near.resemblance_per_mille <= RESEMBLANCE_PER_MILLE_MIN / 10));
    assert!(pairs.iter().all(|near| near.common_edge_grams <= EDGE_GRAMS_MIN / 3));
    assert!(pairs.iter().all(|near| near.tlsh_distance >= Some(3 * TLSH_DISTANCE_MAX)));
}

#[test]
fn without_goodware_what_all_were_linked_against_makes_relatives_of_strangers() {
    let strangers: Vec<Features> =
        (0..80).map(|number| Features::of(&program(&format!("stranger {number}")))).collect();
    assert!(pairs(&strangers).iter().any(Similarity::is_family));
}

#[test]
fn the_same_instructions_in_another_order_are_near_although_few_grams_are_left() {
    let samples: Vec<Features> = (0..12).map(|number| Features::of(&reordered("one", number))).collect();
    let others: Vec<Features> = (0..12).map(|number| Features::of(&reordered("other", number))).collect();
    let near = pairs(&samples);
    assert!(near.iter().all(|near| near.resemblance_per_mille <= RESEMBLANCE_PER_MILLE_MIN / 2 && near.is_family()));
    let near_others =
        |a: &Features| others.iter().any(|b| similarity(a, b).tlsh_distance < Some(3 * TLSH_DISTANCE_MAX));
    assert!(!samples.iter().any(near_others));
}

#[test]
fn a_short_table_that_is_all_of_an_edge_is_no_family_and_a_body_is() {
    let hosts = [noise("a", 30_000), noise("b", 30_000)];
    let goodware = goodware(&hosts);
    let features = |end: usize| {
        let end = noise("end", end);
        hosts.each_ref().map(|host| Features::beyond(&[&**host, &end].concat(), &goodware))
    };
    let [[a, b], [c, d]] = [features(60), features(500)];
    assert!(!similarity(&a, &b).is_family());
    assert!(similarity(&c, &d).is_family());
}
