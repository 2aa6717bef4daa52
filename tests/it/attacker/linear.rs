//! All published numbers at once: which sums over the sessions of few people are
//! linear combinations of them. Exact, by elimination modulo a prime.

use std::collections::{BTreeMap, BTreeSet};

use super::several::{Outcome, Sum};
use super::truth::{K, Period, Rows, Truth};

const PRIME: u64 = 2_147_483_647;

/// Sessions that every published number counts together or not at all are one
/// column. People are narrowed down where a column of fewer than `K` of them is
/// determined, and computed where a person's sessions of a period are.
pub fn attack(name: &'static str, truth: &Truth, sums: &[&Sum]) -> Outcome {
    explained(name, truth, sums).0
}

/// The same, with the combinations that determine a column or a person.
pub fn explained(name: &'static str, truth: &Truth, sums: &[&Sum]) -> (Outcome, Vec<String>) {
    let (mut outcome, mut combinations) = (Outcome::new(name), Vec::new());
    let distinct: BTreeSet<&Rows> =
        sums.iter().map(|sum| &sum.rows).filter(|rows| !rows.is_empty()).collect();
    let distinct: Vec<&Rows> = distinct.into_iter().collect();
    let mut signatures: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, rows) in distinct.iter().enumerate() {
        rows.iter().for_each(|at| signatures.entry(*at).or_default().push(number));
    }
    let mut columns: BTreeMap<&Vec<usize>, Rows> = BTreeMap::new();
    for (at, signature) in &signatures {
        columns.entry(signature).or_default().insert(*at);
    }
    let columns: Vec<(&Vec<usize>, Rows)> = columns.into_iter().collect();
    let mut matrix = vec![vec![0; columns.len()]; distinct.len()];
    for (column, (signature, _)) in columns.iter().enumerate() {
        signature.iter().for_each(|number| matrix[*number][column] = 1);
    }
    let basis = Basis::new(matrix);
    let text = |coefficients: Vec<i64>| {
        let of = |rows: &&Rows| {
            sums.iter().find(|sum| sum.rows == **rows).map(|sum| sum.text()).unwrap_or_default()
        };
        let parts = distinct.iter().zip(coefficients).filter(|(_, number)| *number != 0);
        parts.map(|(rows, number)| format!("{number:+} ({})", of(rows))).collect::<Vec<_>>().join(" ")
    };

    for (column, (_, rows)) in columns.iter().enumerate() {
        if (1..K).contains(&truth.people(rows).len()) {
            let mut wanted = vec![0; columns.len()];
            wanted[column] = 1;
            if let Some(coefficients) = basis.combination(wanted) {
                outcome.differences += 1;
                outcome.narrowed.extend(truth.users(rows));
                combinations.push(text(coefficients));
            }
        }
    }
    let periods: BTreeSet<&Period> = sums.iter().map(|sum| &sum.period).collect();
    for period in periods {
        let of_period = truth.of(period);
        for person in truth.users(&of_period) {
            let is_own = |at: &usize| truth.sessions[*at].user.as_ref() == Some(&person);
            let own: Rows = of_period.iter().copied().filter(is_own).collect();
            let wanted: Vec<u64> = columns.iter().map(|(_, rows)| u64::from(rows.is_subset(&own))).collect();
            let covered: usize =
                columns.iter().filter(|(_, rows)| rows.is_subset(&own)).map(|(_, rows)| rows.len()).sum();
            let combination = basis.combination(wanted).filter(|_| covered == own.len());
            if let Some(coefficients) = combination {
                outcome.narrowed.insert(person.clone());
                outcome.computed.insert(person);
                combinations.push(text(coefficients));
            }
        }
    }
    (outcome, combinations)
}

/// The rows of a matrix in echelon form, each with the column of its first one
/// and with what it is made of.
struct Basis {
    rows: Vec<(usize, Vec<u64>)>,
    width: usize,
}

impl Basis {
    fn new(matrix: Vec<Vec<u64>>) -> Self {
        let (height, width) = (matrix.len(), matrix.first().map_or(0, Vec::len));
        let mut basis = Self { rows: Vec::new(), width };
        for (number, mut row) in matrix.into_iter().enumerate() {
            row.extend((0..height).map(|other| u64::from(other == number)));
            basis.reduce(&mut row);
            if let Some(first) = row[..width].iter().position(|number| *number != 0) {
                let inverse = power(row[first], PRIME - 2);
                row.iter_mut().for_each(|number| *number = *number * inverse % PRIME);
                basis.rows.push((first, row));
                basis.rows.sort_by_key(|(first, _)| *first);
            }
        }
        basis
    }

    /// The coefficients with which the rows of the matrix add up to a vector.
    /// Those that are no small whole numbers are shown as they are.
    fn combination(&self, mut vector: Vec<u64>) -> Option<Vec<i64>> {
        let (_, first) = self.rows.first()?;
        vector.resize(first.len(), 0);
        self.reduce(&mut vector);
        let signed = |number: &u64| match PRIME - number {
            PRIME => 0,
            number if number > PRIME / 2 => number as i64 - PRIME as i64,
            number => number as i64,
        };
        vector[..self.width]
            .iter()
            .all(|number| *number == 0)
            .then(|| vector[self.width..].iter().map(signed).collect())
    }

    fn reduce(&self, vector: &mut [u64]) {
        for (first, row) in &self.rows {
            let factor = vector[*first];
            if factor != 0 {
                for (number, own) in vector[*first..].iter_mut().zip(&row[*first..]) {
                    *number = (*number + (PRIME - factor) * own) % PRIME;
                }
            }
        }
    }
}

fn power(base: u64, mut exponent: u64) -> u64 {
    let (mut result, mut base) = (1, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % PRIME;
        }
        base = base * base % PRIME;
        exponent >>= 1;
    }
    result
}

#[test]
fn a_sum_is_found_where_it_is_a_combination_and_only_there() {
    // a+b, b+c, a+c determine each of them; a+b, b+c determine a-c alone.
    let all = Basis::new(vec![vec![1, 1, 0], vec![0, 1, 1], vec![1, 0, 1]]);
    assert!(
        [vec![1, 0, 0], vec![0, 1, 0], vec![0, 0, 1]]
            .into_iter()
            .all(|wanted| all.combination(wanted).is_some())
    );
    let some = Basis::new(vec![vec![1, 1, 0], vec![0, 1, 1]]);
    assert_eq!(some.combination(vec![1, 0, PRIME - 1]), Some(vec![1, -1]));
    assert!(some.combination(vec![1, 0, 0]).is_none() && some.combination(vec![1, 1, 1]).is_none());
}
