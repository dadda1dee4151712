//! The condition on how often sub-signatures match.
//!
//! Operators have no rank and bind to the right: `0&1|2` is `0&(1|2)`, as observed in ClamAV. A comparison binds to
//! the number or the parenthesis before it.

use super::{Compare, Expression};
use crate::definitions::fault::{Fault, LineError};
use crate::definitions::field::Field;
use crate::definitions::limits;
use crate::definitions::outcome::Reason;

impl Expression {
    /// Reads an expression.
    pub(crate) fn read(text: Field<'_>) -> Result<Expression, LineError> {
        let mut reader = Reader { text, at: 0, depth: 0, nested_count: None };
        let expression = reader.chain()?;
        if reader.at < text.bytes.len() {
            return Err(reader.error(Fault::ExpressionOperator));
        }
        reader.nested_count.map_or(Ok(expression), Err)
    }

    /// One more than the highest number in it.
    #[must_use]
    pub fn subsignatures(&self) -> usize {
        match self {
            Expression::Matched(index) => usize::from(*index) + 1,
            Expression::All(terms) | Expression::AnyOf(terms) => {
                terms.iter().map(Expression::subsignatures).max().unwrap_or(0)
            }
            Expression::Count { of, .. } => of.subsignatures(),
        }
    }

    /// Whether it can hold when the given sub-signature does not match. When it cannot, the sub-signature's literals
    /// are required of every file that is found.
    #[must_use]
    pub fn holds_without(&self, index: u8) -> bool {
        match self {
            Expression::Matched(own) => *own != index,
            Expression::All(terms) => terms.iter().all(|term| term.holds_without(index)),
            Expression::AnyOf(terms) => terms.iter().any(|term| term.holds_without(index)),
            Expression::Count { of, compare, matches, distinct_min } => {
                let mut counted = Vec::new();
                of.numbers(&mut counted);
                let others = counted.iter().filter(|own| **own != index).count();
                let least = match compare {
                    Compare::Equal => u64::from(*matches),
                    Compare::Greater => u64::from(*matches) + 1,
                    Compare::Less => 0,
                };
                let enough = if *compare == Compare::Less { *matches > 0 } else { least == 0 || others > 0 };
                enough && others >= *distinct_min as usize
            }
        }
    }

    /// The different sub-signatures in it, ascending.
    pub fn numbers(&self, numbers: &mut Vec<u8>) {
        match self {
            Expression::Matched(index) => {
                if let Err(place) = numbers.binary_search(index) {
                    numbers.insert(place, *index);
                }
            }
            Expression::All(terms) | Expression::AnyOf(terms) => terms.iter().for_each(|term| term.numbers(numbers)),
            Expression::Count { of, .. } => of.numbers(numbers),
        }
    }

    /// Appends the canonical text.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Expression::Matched(index) => out.extend_from_slice(index.to_string().as_bytes()),
            Expression::All(terms) => write_terms(out, terms, b'&'),
            Expression::AnyOf(terms) => write_terms(out, terms, b'|'),
            Expression::Count { of, compare, matches, distinct_min } => {
                of.write_atom(out);
                out.push(match compare {
                    Compare::Equal => b'=',
                    Compare::Greater => b'>',
                    Compare::Less => b'<',
                });
                out.extend_from_slice(matches.to_string().as_bytes());
                if *distinct_min > 0 {
                    out.extend_from_slice(format!(",{distinct_min}").as_bytes());
                }
            }
        }
    }

    fn write_atom(&self, out: &mut Vec<u8>) {
        let group = matches!(self, Expression::All(_) | Expression::AnyOf(_));
        out.extend(group.then_some(b'('));
        self.write(out);
        out.extend(group.then_some(b')'));
    }

    /// Terms under one operator; a term under the same operator joins its neighbours, as nothing depends on the order.
    fn joined(left: Expression, operator: u8, right: Expression) -> Expression {
        let mut terms = Vec::new();
        for side in [left, right] {
            match side {
                Expression::All(inner) if operator == b'&' => terms.extend(inner),
                Expression::AnyOf(inner) if operator == b'|' => terms.extend(inner),
                other => terms.push(other),
            }
        }
        if operator == b'&' { Expression::All(terms.into()) } else { Expression::AnyOf(terms.into()) }
    }

    fn has_counts(&self) -> bool {
        match self {
            Expression::Matched(_) => false,
            Expression::All(terms) | Expression::AnyOf(terms) => terms.iter().any(Expression::has_counts),
            Expression::Count { .. } => true,
        }
    }
}

fn write_terms(out: &mut Vec<u8>, terms: &[Expression], operator: u8) {
    for (index, term) in terms.iter().enumerate() {
        out.extend((index > 0).then_some(operator));
        term.write_atom(out);
    }
}

struct Reader<'a> {
    text: Field<'a>,
    at: usize,
    depth: usize,
    nested_count: Option<LineError>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.bytes.get(self.at).copied()
    }

    fn error(&self, fault: Fault) -> LineError {
        self.text.error_at(self.at, fault)
    }

    /// Terms and operators up to `)` or the end, without recursion along the chain.
    fn chain(&mut self) -> Result<Expression, LineError> {
        let mut terms = vec![self.term(Fault::Expression)?];
        let mut operators = Vec::new();
        while let Some(operator @ (b'&' | b'|')) = self.peek() {
            self.at += 1;
            operators.push(operator);
            terms.push(self.term(Fault::ExpressionOperand)?);
        }
        let mut expression = terms.pop().ok_or_else(|| self.error(Fault::Expression))?;
        while let Some((term, operator)) = terms.pop().zip(operators.pop()) {
            expression = Expression::joined(term, operator, expression);
        }
        Ok(expression)
    }

    /// A number or a parenthesis, and the comparison behind it.
    fn term(&mut self, missing: Fault) -> Result<Expression, LineError> {
        let start = self.at;
        let of = match self.peek() {
            Some(b'(') => {
                self.depth += 1;
                if self.depth > limits::EXPRESSION_DEPTH_MAX {
                    return Err(self.error(Fault::DeepExpression));
                }
                self.at += 1;
                let inner = self.chain()?;
                if self.peek() != Some(b')') {
                    return Err(self.text.error_at(start, Fault::OpenParenthesis));
                }
                self.at += 1;
                self.depth -= 1;
                inner
            }
            Some(b'0'..=b'9') => {
                let index = self.number(missing)?;
                let index = u8::try_from(index).ok().filter(|index| usize::from(*index) < limits::SUBSIGNATURES_MAX);
                let of = index.ok_or_else(|| self.text.error_at(start, Fault::ManySubsignatures))?;
                let loose = matches!(self.peek(), Some(next) if !b"&|=<>()".contains(&next));
                if loose {
                    return Err(self.text.error_at(self.at, Reason::LooseNumber));
                }
                Expression::Matched(of)
            }
            Some(b' ') => return Err(self.text.error_at(self.at, Reason::LooseNumber)),
            _ => return Err(self.error(missing)),
        };
        let compare = match self.peek() {
            Some(b'=') => Compare::Equal,
            Some(b'>') => Compare::Greater,
            Some(b'<') => Compare::Less,
            _ => return Ok(of),
        };
        // A parenthesis that is counted holds an operator in ClamAV.
        let counted = matches!(of, Expression::All(_) | Expression::AnyOf(_)) || self.text.bytes[start] != b'(';
        if !counted {
            return Err(self.error(Fault::ExpressionOperator));
        }
        if of.has_counts() {
            self.nested_count.get_or_insert(self.text.error_at(start, Reason::NestedCount));
        }
        self.at += 1;
        let matches = self.number(Fault::ExpressionCount)?;
        let mut distinct_min = 0;
        if self.peek() == Some(b',') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                distinct_min = self.number(Fault::ExpressionCount)?;
            }
        }
        Ok(Expression::Count { of: Box::new(of), compare, matches, distinct_min })
    }

    fn number(&mut self, missing: Fault) -> Result<u32, LineError> {
        let rest = &self.text.bytes[self.at..];
        let len = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        let number = self.text.part(self.at, self.at + len).number(missing)?;
        self.at += len;
        Ok(number)
    }
}
