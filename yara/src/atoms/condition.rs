//! Which strings a condition cannot hold without.

use std::cmp::Reverse;
use std::collections::HashMap;

use boreal_parser::expression::{Expression, ExpressionKind, ForSelection, VariableSet};
use boreal_parser::rule::{Rule, VariableDeclaration};

use super::Atom;
use super::shape::forms;
use super::window::{AtomSet, choose};

/// What is known of the rules of a source so far: later ones refer to them by name.
#[derive(Debug, Default)]
pub(crate) struct Known {
    rules: HashMap<String, Option<AtomSet>>,
}

impl Known {
    /// The atoms of a rule, which is known from now on.
    pub fn learn(&mut self, rule: &Rule) -> Option<Vec<Atom>> {
        let strings =
            rule.variables.iter().map(|variable| AtomSet::either(forms(variable).iter().map(|form| choose(form))));
        let scope = Scope { rules: &self.rules, variables: &rule.variables, strings: strings.collect() };
        let found = scope.needs(&rule.condition, Around::default());
        self.rules.insert(rule.name.clone(), found.clone());
        found.map(|set| set.atoms)
    }
}

struct Scope<'a> {
    rules: &'a HashMap<String, Option<AtomSet>>,
    variables: &'a [VariableDeclaration],
    /// For each variable its atoms.
    strings: Vec<Option<AtomSet>>,
}

/// What a loop around an expression says.
#[derive(Clone, Copy, Default)]
struct Around {
    /// The variable that `$` and `#` mean.
    variable: Option<usize>,
    /// Names are bound, which may hide those of rules.
    names_bound: bool,
}

impl Scope<'_> {
    /// The atoms without which an expression is not true.
    fn needs(&self, expression: &Expression, around: Around) -> Option<AtomSet> {
        use ExpressionKind as Kind;
        let string = |name: &str| self.strings.get(self.variable(name, around)?)?.clone();
        match &expression.expr {
            Kind::And(terms) => AtomSet::best(terms.iter().map(|term| self.needs(term, around))),
            Kind::Or(terms) => AtomSet::either(terms.iter().map(|term| self.needs(term, around))),
            Kind::Variable(name) | Kind::Count(name) => string(name),
            Kind::VariableAt { variable_name, .. }
            | Kind::VariableIn { variable_name, .. }
            | Kind::CountInRange { variable_name, .. } => string(variable_name),
            Kind::Cmp { left, right, less_than, can_be_equal } => {
                let (count, bound) = if *less_than { (right, left) } else { (left, right) };
                let least = if *can_be_equal { 1 } else { 0 };
                (integer(bound)? >= least).then(|| string(counted(count)?)).flatten()
            }
            Kind::Eq(left, right) => {
                let (count, number) = if integer(right).is_some() { (left, right) } else { (right, left) };
                (integer(number)? >= 1).then(|| string(counted(count)?)).flatten()
            }
            Kind::For { selection, set, body: None }
            | Kind::ForIn { selection, set, .. }
            | Kind::ForAt { selection, set, .. } => {
                self.selected(selection, self.members(set), |variable| self.strings[variable].clone())
            }
            // A loop in a loop would be looked at once for each pair of strings, and so on: not worth it.
            Kind::For { selection, set, body: Some(body) } if around.variable.is_none() => {
                self.selected(selection, self.members(set), |variable| {
                    self.needs(body, Around { variable: Some(variable), ..around })
                })
            }
            // No value, and "any" is false; "all" would be true.
            Kind::ForIdentifiers { selection: ForSelection::Any, body, .. } => {
                self.needs(body, Around { names_bound: true, ..around })
            }
            Kind::Identifier(identifier) if identifier.operations.is_empty() && !around.names_bound => {
                self.rules.get(&identifier.name)?.clone()
            }
            _ => None,
        }
    }

    fn variable(&self, name: &str, around: Around) -> Option<usize> {
        if name.is_empty() {
            return around.variable;
        }
        self.variables.iter().position(|variable| variable.name == name)
    }

    /// The variables of a set, one as often as it is named.
    fn members(&self, set: &VariableSet) -> Vec<usize> {
        if set.elements.is_empty() {
            return (0..self.variables.len()).collect();
        }
        let of = |element: &boreal_parser::expression::SetElement| {
            let (name, is_wildcard) = (element.name.clone(), element.is_wildcard);
            let fits = move |other: &str| if is_wildcard { other.starts_with(&name) } else { other == name };
            self.variables.iter().enumerate().filter(move |(_, variable)| fits(&variable.name)).map(|(index, _)| index)
        };
        set.elements.iter().flat_map(of).collect()
    }

    /// Of `members` at least so many hold, so of any but so many less one at least one does: the best of those.
    fn selected(
        &self,
        selection: &ForSelection,
        members: Vec<usize>,
        needs: impl Fn(usize) -> Option<AtomSet>,
    ) -> Option<AtomSet> {
        let least = match selection {
            ForSelection::Any => 1,
            ForSelection::All => members.len(),
            ForSelection::None => return None,
            ForSelection::Expr { expr, as_percent: false } => usize::try_from(integer(expr)?).ok()?,
            // Any share above nothing is at least one.
            ForSelection::Expr { expr, as_percent: true } => usize::from(integer(expr)? > 0),
        };
        if least == 0 || least > members.len() {
            return None;
        }
        let enough = members.len() - least + 1;
        let mut sets: Vec<AtomSet> = members.into_iter().filter_map(needs).collect();
        if sets.len() < enough {
            return None;
        }
        sets.sort_by_key(|set| Reverse(set.rank()));
        AtomSet::either(sets.into_iter().take(enough).map(Some))
    }
}

fn integer(expression: &Expression) -> Option<i64> {
    match expression.expr {
        ExpressionKind::Integer(value) => Some(value),
        _ => None,
    }
}

/// The variable whose matches an expression counts.
fn counted(expression: &Expression) -> Option<&str> {
    match &expression.expr {
        ExpressionKind::Count(name) => Some(name),
        ExpressionKind::CountInRange { variable_name, .. } => Some(variable_name),
        _ => None,
    }
}
