//! Which classes a set gets, and which of them a literal goes to.
//!
//! A wide stride looks at few positions but files many windows, and needs literals that are long enough and
//! clean at every residue; a stride of 1 looks everywhere and files each literal under the one rarest window
//! it has. Every class costs a look of its own at the buffer. The plan tries every subset of a few shapes on
//! a sample of the literals and takes the one that a simple cost model finds cheapest.

use super::filter::Filter;
use super::shape::Shape;
use super::texts::{Place, Texts};
use super::windows::Levels;

/// What classes can look like.
const SHAPES: [Shape; 9] = [
    Shape::new(8, 8),
    Shape::new(8, 4),
    Shape::new(8, 2),
    Shape::new(8, 1),
    Shape::new(7, 2),
    Shape::new(6, 1),
    Shape::new(5, 4),
    Shape::new(5, 1),
    Shape::new(4, 1),
];
/// Literals that the subsets are tried on.
const SAMPLE_LITERALS: usize = 2_000;

/// Costs in nanoseconds on the machine of reference; only their ratios matter.
mod cost {
    /// One look at a filter that the first-level cache holds, the second-level cache, or neither.
    pub(super) fn look(filter_bytes: usize) -> f32 {
        match filter_bytes {
            0..=0x4000 => 0.5,
            0x4001..=0x4_0000 => 0.8,
            0x4_0001..=0x8_0000 => 1.2,
            0x8_0001..=0x20_0000 => 2.0,
            0x20_0001..=0x40_0000 => 3.0,
            _ => 10.0,
        }
    }
    /// A look that passes the filter in vain: a search in a table of so many bytes.
    pub(super) fn vain(table_bytes: usize) -> f32 {
        if table_bytes <= 0x80_0000 { 8.0 } else { 20.0 }
    }
    /// Chance of passing in vain.
    pub(super) const VAIN: f32 = 0.04;
    /// A window that is filed and in the buffer: search and compare.
    pub(super) const HIT: f32 = 25.0;
    /// What a literal costs the looks of its class, by way of a larger filter that is looked at more often the
    /// narrower the stride. It keeps clean literals out of narrow classes, whose filters must stay small.
    pub(super) const WINDOW: f32 = 3e-6;
}

/// The classes of literals of one case.
pub(super) struct Plan {
    shapes: Vec<Shape>,
}

impl Plan {
    /// Plans for literals of at least four bytes.
    pub(super) fn new(places: &[Place], texts: &Texts, folded: bool) -> Self {
        let shapes = SHAPES.map(|shape| Shape { folded, ..shape });
        let step = places.len().div_ceil(SAMPLE_LITERALS).max(1);
        let mut levels = Levels::new();
        let mut shares = |place: Place| {
            levels.read(texts.get(place), folded);
            shapes.map(|shape| levels.expected_share(shape))
        };
        let sample: Vec<_> = places.iter().step_by(step).map(|&place| shares(place)).collect();
        // The shortest literal decides which subsets carry every literal, so it is in the sample too.
        let shortest = places.iter().copied().min_by_key(|&place| texts.get(place).len()).map(shares);
        let all = 1 << shapes.len();
        let costs = (1_u32..all).filter_map(|subset| {
            let chosen = |place: usize| subset >> place & 1 == 1;
            if let Some(shares) = &shortest
                && !(0..shapes.len()).any(|place| chosen(place) && shares[place].is_some())
            {
                return None;
            }
            Some((total(&shapes, &sample, step, chosen), subset))
        });
        let subset = costs.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, subset)| subset);
        let chosen = shapes.iter().enumerate().filter(|(place, _)| subset >> place & 1 == 1);
        Self { shapes: chosen.map(|(_, shape)| *shape).collect() }
    }

    pub(super) fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The windows that a literal of so many bytes is filed under, at most, whatever the plan.
    pub(super) fn windows_max(literal_bytes: usize) -> usize {
        let fitting = SHAPES.iter().filter(|shape| shape.literal_bytes_min() <= literal_bytes);
        fitting.map(|shape| usize::from(shape.stride)).max().unwrap_or(0)
    }

    /// The place in `shapes` of the class that a literal goes to.
    pub(super) fn class(&self, levels: &Levels) -> usize {
        let costs = self.shapes.iter().enumerate().filter_map(|(place, shape)| {
            let share = levels.expected_share(*shape)?;
            Some((own_cost(*shape, share), place))
        });
        costs.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, place)| place)
    }
}

/// What a literal costs a scan in a class, a byte, beside what the class costs whoever is in it.
fn own_cost(shape: Shape, share: f32) -> f32 {
    share * cost::HIT + cost::WINDOW / f32::from(shape.stride)
}

fn total<const N: usize>(
    shapes: &[Shape; N],
    sample: &[[Option<f32>; N]],
    step: usize,
    chosen: impl Fn(usize) -> bool,
) -> f32 {
    let mut counts = [0; N];
    let mut sum = 0.0;
    for shares in sample {
        let costs = (0..N).filter(|&place| chosen(place));
        let costs = costs.filter_map(|place| Some((own_cost(shapes[place], shares[place]?), place)));
        let Some((cost, place)) = costs.min_by(|a, b| a.0.total_cmp(&b.0)) else { continue };
        counts[place] += step;
        sum += cost * step as f32;
    }
    for place in (0..N).filter(|&place| chosen(place)) {
        let keys = counts[place] * usize::from(shapes[place].stride);
        let vain = cost::VAIN * cost::vain(16 * keys);
        sum += (cost::look(Filter::bytes_for(keys)) + vain) / f32::from(shapes[place].stride);
    }
    sum
}
