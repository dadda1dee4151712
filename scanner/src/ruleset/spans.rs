//! Sets of places in a buffer, as ranges: what a pattern's parts hand from one to the next.

/// Inclusive ranges, ascending, none touching another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spans(Vec<(usize, usize)>);

impl Spans {
    /// `from ..= to`; nothing when `from` lies behind `to`.
    pub fn one(from: usize, to: usize) -> Spans {
        Spans(if from <= to { vec![(from, to)] } else { Vec::new() })
    }

    /// The union of ranges in any order; those that are empty are left out.
    pub fn union(mut ranges: Vec<(usize, usize)>) -> Spans {
        ranges.retain(|(from, to)| from <= to);
        ranges.sort_unstable();
        let mut joined: Vec<(usize, usize)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match joined.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        Spans(joined)
    }

    /// What lies in both this and `from ..= to`.
    pub fn within(&self, from: usize, to: usize) -> Spans {
        Spans::union(self.0.iter().map(|range| (range.0.max(from), range.1.min(to))).collect())
    }

    /// Whether a place is in it.
    pub fn holds(&self, place: usize) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&place))
    }

    /// Whether no place is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges.
    pub fn ranges(&self) -> &[(usize, usize)] {
        &self.0
    }
}
