//! The text of definitions, as `docs/definitions.md` says it is read.

use super::literal::{Literal, hexadecimal};
use super::name::SignatureName;
use super::recipe::Recipe;

/// Lines of a set, by the extension of the file they belong in.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lines {
    /// Signatures of one literal: `NAME:TARGET:OFFSET:HEX`.
    pub ndb: Vec<String>,
    /// Signatures of several literals: `NAME;BLOCK;EXPRESSION;HEX;HEX`.
    pub ldb: Vec<String>,
    /// Digests: `SHA256:SIZE:NAME`.
    pub hsb: Vec<String>,
    /// Recipes: `NAME;STEP;STEP`.
    pub repair: Vec<String>,
}

impl Lines {
    /// The signature that finds files with all of the literals, of any type and anywhere in them. No lines for none.
    #[must_use]
    pub fn of_literals(name: &SignatureName, literals: &[Literal]) -> Lines {
        let mut lines = Lines::default();
        match literals {
            [] => {}
            [literal] => lines.ndb.push(format!("{name}:0:*:{}", literal.hexadecimal())),
            several => {
                let all: Vec<String> = (0..several.len()).map(|index| index.to_string()).collect();
                let digits: Vec<String> = several.iter().map(Literal::hexadecimal).collect();
                lines.ldb.push(format!("{name};Engine:51-255,Target:0;{};{}", all.join("&"), digits.join(";")));
            }
        }
        lines
    }

    /// The signature that finds exactly these files, by their SHA-256 and size. A size that the language cannot
    /// write, 0 or 4 GiB and more, gives no line.
    #[must_use]
    pub fn of_digests(name: &SignatureName, files: &[([u8; 32], u64)]) -> Lines {
        let writable = files.iter().filter(|(_, bytes)| (1..u64::from(u32::MAX)).contains(bytes));
        let hsb = writable.map(|(digest, bytes)| format!("{}:{bytes}:{name}", hexadecimal(digest))).collect();
        Lines { hsb, ..Lines::default() }
    }

    /// Adds the recipe of a signature.
    pub fn add_recipe(&mut self, name: &SignatureName, recipe: &Recipe) {
        self.repair.push(recipe.line(name));
    }

    /// All that have lines, as extension and lines.
    #[must_use]
    pub fn files(&self) -> Vec<(&'static str, &[String])> {
        let all = [("ndb", &self.ndb), ("ldb", &self.ldb), ("hsb", &self.hsb), ("repair", &self.repair)];
        all.into_iter().filter(|(_, lines)| !lines.is_empty()).map(|(extension, lines)| (extension, &**lines)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(byte: u8) -> Literal {
        Literal { bytes: [byte; 16].into(), at: 0, from_start: None, from_end: None, unknown_grams: 1 }
    }

    #[test]
    fn one_literal_is_an_extended_line_and_several_are_a_logical_one() {
        let name = SignatureName::automatic(&[0xab; 32], 7);
        let one = Lines::of_literals(&name, &[literal(1)]);
        assert_eq!(
            one.files(),
            [("ndb", &["Lazaret.Auto.abababab.7:0:*:01010101010101010101010101010101".into()][..])]
        );
        let two = Lines::of_literals(&name, &[literal(1), literal(2)]);
        let digits = "01010101010101010101010101010101;02020202020202020202020202020202";
        assert_eq!(two.ldb, [format!("Lazaret.Auto.abababab.7;Engine:51-255,Target:0;0&1;{digits}")]);
        assert!(two.ndb.is_empty());
    }

    #[test]
    fn digests_are_one_line_each_and_an_empty_file_has_none() {
        let name = SignatureName::automatic(&[1; 32], 0);
        let lines = Lines::of_digests(&name, &[([0x1f; 32], 9), ([2; 32], 0), ([3; 32], u64::MAX)]);
        assert_eq!(lines.hsb, [format!("{}:9:Lazaret.Auto.01010101.0", "1f".repeat(32))]);
    }

    #[test]
    fn a_name_that_would_end_a_field_is_refused() {
        for text in ["", "a:b", "a;b", "a b", "a\nb", &"a".repeat(129)] {
            assert!(SignatureName::try_from(text).is_err(), "{text:?}");
        }
        assert!(SignatureName::try_from("Lazaret.Auto.0011aabb.1").is_ok());
    }
}
