//! Aligned columns that fit the terminal: when they do not, the columns that may shrink give way, widest
//! first, and a cut is marked. Without a terminal nothing is cut, so that `grep` and `cut` see everything.

use super::Tone;
use console::{measure_text_width, truncate_str};
use std::borrow::Cow;

/// No column is made narrower than this: a mark and a few letters.
const WIDTH_MIN: usize = 8;
/// Between two columns.
const GAP: usize = 2;

/// To which side a column leans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    name: &'static str,
    align: Align,
    shrinks: bool,
    keeps_end: bool,
}

impl Column {
    /// Text that is never cut.
    #[must_use]
    pub fn fixed(name: &'static str) -> Self {
        Self { name, align: Align::Left, shrinks: false, keeps_end: false }
    }

    /// Text that gives way when the terminal is narrow.
    #[must_use]
    pub fn flexible(name: &'static str) -> Self {
        Self { name, align: Align::Left, shrinks: true, keeps_end: false }
    }

    /// A path: as [`Column::flexible`], but cut in front, because the end of a path says more.
    #[must_use]
    pub fn path(name: &'static str) -> Self {
        Self { keeps_end: true, ..Self::flexible(name) }
    }

    /// Numbers.
    #[must_use]
    pub fn number(name: &'static str) -> Self {
        Self { name, align: Align::Right, shrinks: false, keeps_end: false }
    }
}

/// A table under construction.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<(String, Tone)>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Appends a row; missing cells are empty. Texts are shown as they are: escape them before.
    pub fn row<const N: usize>(&mut self, cells: [(String, Tone); N]) {
        debug_assert!(N <= self.columns.len(), "{N} cells for {} columns", self.columns.len());
        self.rows.push(cells.into());
    }

    /// The header and a line for each row, at most `width` wide where the columns can give way.
    #[must_use]
    pub fn lines(&self, width: Option<usize>) -> Vec<String> {
        let widths = self.widths(width);
        let header = self.columns.iter().map(|column| (column.name.to_owned(), Tone::Strong)).collect::<Vec<_>>();
        std::iter::once(&header).chain(&self.rows).map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[(String, Tone)], widths: &[usize]) -> String {
        let mut out = String::new();
        for (at, ((text, tone), (column, width))) in row.iter().zip(self.columns.iter().zip(widths)).enumerate() {
            if at > 0 {
                out.push_str(&" ".repeat(GAP));
            }
            let text = if column.keeps_end { end_of(text, *width) } else { truncate_str(text, *width, "\u{2026}") };
            let pad = width - measure_text_width(&text).min(*width);
            match column.align {
                Align::Right => {
                    out.push_str(&" ".repeat(pad));
                    out.push_str(&tone.paint(&text));
                }
                Align::Left => {
                    out.push_str(&tone.paint(&text));
                    // No blanks at the end of a line.
                    if at + 1 < row.len() {
                        out.push_str(&" ".repeat(pad));
                    }
                }
            }
        }
        out
    }

    fn widths(&self, total: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|column| measure_text_width(column.name)).collect();
        for row in &self.rows {
            for (width, (text, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(measure_text_width(text));
            }
        }
        let Some(total) = total else { return widths };
        let room = total.saturating_sub(GAP * self.columns.len().saturating_sub(1));
        let mut over = widths.iter().sum::<usize>().saturating_sub(room);
        while over > 0 {
            let widest = (0..widths.len())
                .filter(|at| self.columns[*at].shrinks && widths[*at] > WIDTH_MIN)
                .max_by_key(|at| widths[*at]);
            let Some(widest) = widest else { break };
            widths[widest] -= 1;
            over -= 1;
        }
        widths
    }
}

/// The end of `text` that fits `width` columns, with a mark in front when something was cut.
fn end_of(text: &str, width: usize) -> Cow<'_, str> {
    if measure_text_width(text) <= width {
        return text.into();
    }
    let mut start = text.len();
    let mut left = width.saturating_sub(1);
    for (at, c) in text.char_indices().rev() {
        let wide = measure_text_width(c.encode_utf8(&mut [0; 4]));
        if wide > left {
            break;
        }
        left -= wide;
        start = at;
    }
    format!("\u{2026}{}", &text[start..]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec![Column::number("id"), Column::fixed("status"), Column::flexible("name")]);
        table.row([
            ("7".into(), Tone::Plain),
            ("Held".into(), Tone::Plain),
            ("/a/very/long/path.exe".into(), Tone::Plain),
        ]);
        table.row([("1234".into(), Tone::Plain), ("Quarantined".into(), Tone::Plain), ("b".into(), Tone::Plain)]);
        table
    }

    #[test]
    fn columns_are_aligned_and_nothing_is_cut_without_a_terminal() {
        assert_eq!(
            table().lines(None),
            ["  id  status       name", "   7  Held         /a/very/long/path.exe", "1234  Quarantined  b"]
        );
    }

    #[test]
    fn a_narrow_terminal_cuts_only_what_may_shrink_and_marks_the_cut() {
        let lines = table().lines(Some(30));
        assert_eq!(lines[1], "   7  Held         /a/very/lo\u{2026}");
        assert!(lines.iter().all(|line| measure_text_width(line) <= 30), "{lines:?}");
    }

    #[test]
    fn a_path_is_cut_in_front_by_what_it_is_wide() {
        assert_eq!(end_of("/srv/suspects/x.exe", 10), "\u{2026}cts/x.exe");
        assert_eq!(end_of("/short", 10), "/short");
        assert_eq!(end_of("\u{65e5}\u{672c}\u{8a9e}", 4), "\u{2026}\u{8a9e}");
    }

    #[test]
    fn a_terminal_too_narrow_for_any_table_still_shows_one() {
        assert_eq!(table().lines(Some(3)).len(), 3);
    }
}
