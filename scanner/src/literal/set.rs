//! The whole: compiled once, scanned with by anyone.

use super::filter::Filter;
use super::limits::{CompileError, CompileLimits};
use super::plan::Plan;
use super::probe::{Candidates, Instructions, PIECE_BYTES, probe};
use super::rarity::GRAM_BYTES;
use super::report::{ClassReport, Report};
use super::shape::{Shape, load};
use super::short::Short;
use super::table::{Table, TableBuilder};
use super::texts::{HEAD_BYTES, Place, Texts};
use super::windows::{Crowd, Levels};
use super::{Case, Literal, LiteralId};
use std::ops::Range;

/// The program's own use of a plan and of small vectors; generous.
const FIXED_BYTES: usize = 64 << 10;
/// While a set is made, for each literal: its lower case, its order by hash, its id, its place in two lists
/// that grow by doubling, its class.
const MAKING_BYTES: usize = 24 + 16 + 4 + 4 * 4 + 1;

/// A large set of literals, ready to be looked for.
///
/// Good for everything from a handful of literals to millions, on any input. Not for patterns: what has
/// wildcards is looked for by its longest literal and verified by the caller.
pub struct LiteralSet {
    texts: Texts,
    classes: Vec<Class>,
    short: Vec<Short>,
    literals: usize,
    copies: usize,
}

/// Literals that are looked for in the same way.
struct Class {
    shape: Shape,
    filter: Filter,
    table: Table,
    literals: usize,
}

/// Bytes that shared windows would need beyond the prediction.
struct TooCrowded(u64);

impl LiteralSet {
    /// Compiles literals, in time that grows as their number and bytes do.
    ///
    /// # Errors
    /// A literal is empty, or the set is too large by its prediction: nothing large has been allocated then.
    pub fn compile(literals: &[Literal<'_>], limits: &CompileLimits) -> Result<Self, CompileError> {
        if let Some(id) = literals.iter().position(|literal| literal.bytes.is_empty()) {
            return Err(CompileError::Empty { id: LiteralId(id as u32) });
        }
        let bytes: u64 = literals.iter().map(|literal| literal.bytes.len() as u64).sum();
        if bytes + (HEAD_BYTES * literals.len()) as u64 >= u64::from(u32::MAX) {
            return Err(CompileError::TooMany { count: literals.len(), bytes });
        }
        let predicted_bytes = Self::predicted_bytes(literals);
        if predicted_bytes > limits.memory_bytes_max {
            let (count, memory_bytes_max) = (literals.len(), limits.memory_bytes_max);
            return Err(CompileError::TooLarge { count, predicted_bytes, memory_bytes_max });
        }
        let (texts, places) = Texts::new(literals);
        let copies = literals.len() - places.iter().map(Vec::len).sum::<usize>();
        let mut set = Self { texts, classes: Vec::new(), short: Vec::new(), literals: literals.len(), copies };
        // What shared windows need is known only while they are filed; an ordinary set has few.
        let room_bytes = limits.memory_bytes_max - predicted_bytes;
        let too_large = |more: TooCrowded| CompileError::TooLarge {
            count: literals.len(),
            predicted_bytes: predicted_bytes + more.0,
            memory_bytes_max: limits.memory_bytes_max,
        };
        for (places, folded) in places.into_iter().zip([false, true]) {
            let (windowed, short): (Vec<Place>, Vec<Place>) =
                places.into_iter().partition(|&place| set.texts.get(place).len() >= GRAM_BYTES);
            set.short.extend(Short::new(short, &set.texts, folded));
            set.classes.extend(Class::all(&windowed, &set.texts, folded, room_bytes).map_err(too_large)?);
        }
        Ok(set)
    }

    /// Memory that compiling may hold at once: the set, and what is needed to make it. The caller's own copy
    /// of the literals is not counted. Literals that have only windows in common with others need more, which
    /// is counted, and held against the limit, while they are filed.
    pub fn predicted_bytes(literals: &[Literal<'_>]) -> u64 {
        let (mut bytes, mut windows, mut short) = (0, 0, 0);
        for literal in literals {
            bytes += literal.bytes.len();
            windows += Plan::windows_max(literal.bytes.len());
            short += usize::from(literal.bytes.len() < GRAM_BYTES);
        }
        let texts = 2 * bytes + (HEAD_BYTES + 4) * literals.len();
        let making = MAKING_BYTES * literals.len();
        let total = FIXED_BYTES + texts + making + Class::bytes_for(windows) + Short::bytes_for(short);
        total as u64
    }

    /// Calls for every occurrence of every literal, overlapping ones too, each exactly once, with where it
    /// begins. The order is free: neighbouring occurrences may come in any order.
    pub fn scan(&self, haystack: &[u8], found: impl FnMut(LiteralId, usize)) {
        self.scan_by(Instructions::best(), haystack, found);
    }

    /// As [`scan`](Self::scan), by instructions of the caller's choice: for tests and measurements.
    pub fn scan_by(&self, instructions: Instructions, haystack: &[u8], found: impl FnMut(LiteralId, usize)) {
        self.scan_part(instructions, haystack, 0..haystack.len(), found);
    }

    /// The occurrences of a part: all parts of a haystack together have each of them exactly once. A part begins at a
    /// multiple of [`PIECE_BYTES`]; what it has may begin a little before it, for a window lies anywhere in its literal.
    pub(super) fn scan_part(
        &self,
        instructions: Instructions,
        haystack: &[u8],
        part: Range<usize>,
        mut found: impl FnMut(LiteralId, usize),
    ) {
        debug_assert_eq!(part.start % PIECE_BYTES, 0);
        let mut each = |text, start| self.texts.each_copy(text, |id| found(LiteralId(id), start));
        let beyond = haystack.len().min(part.end + GRAM_BYTES - 2);
        for short in &self.short {
            short.find(&haystack[part.start..beyond], |text, start| {
                if part.start + start < part.end {
                    each(text, part.start + start);
                }
            });
        }
        if self.classes.is_empty() {
            return;
        }
        let mut candidates: Candidates = [0; _];
        for piece in part.step_by(PIECE_BYTES) {
            for class in &self.classes {
                let count = probe(instructions, class.shape, &class.filter, haystack, piece, &mut candidates);
                class.table.find(&self.texts, haystack, piece, &candidates[..count], &mut each);
            }
        }
    }

    /// Literals in the set, copies counted.
    pub fn len(&self) -> usize {
        self.literals
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.literals == 0
    }

    /// Memory of the set.
    pub fn memory_bytes(&self) -> usize {
        let classes: usize = self.classes.iter().map(Class::memory_bytes).sum();
        let short: usize = self.short.iter().map(Short::memory_bytes).sum();
        self.texts.memory_bytes() + classes + short
    }

    /// What became of the literals.
    pub fn report(&self) -> Report {
        Report {
            literals: self.literals,
            copies: self.copies,
            short: self.short.iter().map(Short::len).sum(),
            classes: self.classes.iter().map(Class::report).collect(),
            memory_bytes: self.memory_bytes(),
        }
    }
}

impl Class {
    /// The classes of literals of one case, each of at least [`GRAM_BYTES`].
    fn all(literals: &[Place], texts: &Texts, folded: bool, room_bytes: u64) -> Result<Vec<Self>, TooCrowded> {
        if literals.is_empty() {
            return Ok(Vec::new());
        }
        let plan = Plan::new(literals, texts, folded);
        let mut levels = Levels::new();
        let mut counts = vec![0; plan.shapes().len()];
        let classes: Vec<u8> = literals
            .iter()
            .map(|&literal| {
                levels.read(texts.get(literal), folded);
                let class = plan.class(&levels);
                counts[class] += 1;
                class as u8
            })
            .collect();
        let filled = plan.shapes().iter().zip(counts).enumerate().filter(|(_, (_, count))| *count > 0);
        filled
            .map(|(class, (shape, count))| {
                let mine = literals.iter().zip(&classes).filter(|(_, other)| usize::from(**other) == class);
                Self::new(*shape, count, mine.map(|(literal, _)| *literal), texts, room_bytes)
            })
            .collect()
    }

    fn new(
        shape: Shape,
        count: usize,
        literals: impl Iterator<Item = Place>,
        texts: &Texts,
        room_bytes: u64,
    ) -> Result<Self, TooCrowded> {
        let keys = count * usize::from(shape.stride);
        let (mut levels, mut crowd) = (Levels::new(), Crowd::new(keys));
        let mut filter = Filter::new(keys);
        let mut table = TableBuilder::new(keys, shape);
        for literal in literals {
            let text = texts.get(literal);
            levels.read(text, shape.folded);
            let offsets = levels.choose(text, shape, &mut crowd);
            for &offset in &offsets[..usize::from(shape.stride)] {
                let window = load(text, usize::from(offset)) & shape.mask();
                filter.insert(window);
                table.insert(window, offset, literal);
            }
            if table.crowded_bytes() > room_bytes {
                return Err(TooCrowded(table.crowded_bytes()));
            }
        }
        Ok(Self { shape, filter, table: table.finish(texts), literals: count })
    }

    /// Memory of all classes together while they are made, at most, for so many windows.
    fn bytes_for(windows: usize) -> usize {
        Filter::bytes_for(windows) * 2 + Table::bytes_for(windows) + Crowd::bytes_for(windows)
    }

    fn memory_bytes(&self) -> usize {
        4 * self.filter.words().len() + self.table.memory_bytes()
    }

    fn report(&self) -> ClassReport {
        ClassReport {
            case: if self.shape.folded { Case::AnyAscii } else { Case::Exact },
            width: self.shape.width,
            stride: self.shape.stride,
            literals: self.literals,
            windows: self.literals * usize::from(self.shape.stride),
            windows_shared: self.table.runs().windows(),
            run_len_max: self.table.runs().len_max(),
            filter_bytes: 4 * self.filter.words().len(),
            filter_load: self.filter.load(),
            table_bytes: self.table.memory_bytes(),
        }
    }
}
