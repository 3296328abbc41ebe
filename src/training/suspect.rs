//! Rows whose label is probably wrong: those that a model which has not seen them confidently takes for another intent.

use std::collections::BTreeMap;
use std::collections::HashMap;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::text::normalise::normalise;
use crate::training::linear;
use crate::training::linear::LinearRow;
use crate::training::metrics::best;
use crate::training::row::Row;

/// Parts of the rows, each judged by what was learned from the others; chosen by hand, more take longer.
const FOLDS: usize = 3;

/// Stand for begin and end of a text; no character has such a number.
const BORDERS: [u32; 2] = [0x11_0000, 0x11_0001];

/// A row that is taken for another intent than its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// Place of the row.
    pub row: usize,
    /// What it is taken for.
    pub said: String,
    /// How much more its phrases speak for that than for any of its own readings; not negative.
    pub margin: f32,
}

/// The suspects among rows, the surest first. Rows without an intent are passed over.
///
/// A row is suspect when its phrases speak for another intent at least as much as they do, in the mean, for the
/// rows of that intent, and for its own label less than for the mean row of its own.
///
/// Source: Northcutt et al., "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 2021; the scores
/// are those of a linear model here, whose order is all that the comparison needs.
#[must_use]
pub fn suspects(rows: &[Row]) -> Vec<Suspect> {
    let judged = cross_validated(rows);
    let own = |row: usize| {
        judged.readings[row].iter().map(|at| judged.scores[row][*at as usize]).fold(f32::MIN, f32::max)
    };
    let mut means: HashMap<u32, (f32, f32)> = HashMap::new();
    for (row, readings) in judged.readings.iter().enumerate() {
        if let Some(label) = readings.first() {
            let mean = means.entry(*label).or_default();
            *mean = (mean.0 + judged.scores[row][*label as usize], mean.1 + 1.0);
        }
    }
    let usual = |class: u32| means.get(&class).map_or(f32::MAX, |(sum, n)| sum / n);
    let mut found = Vec::new();
    for (row, readings) in judged.readings.iter().enumerate() {
        let scores = &judged.scores[row];
        let (Some(label), Some(best)) = (readings.first(), best(scores)) else { continue };
        let is_other = !readings.contains(&best);
        if is_other && scores[best as usize] >= usual(best) && own(row) < usual(*label) {
            let said = judged.names[best as usize].clone();
            found.push(Suspect { row, said, margin: scores[best as usize] - own(row) });
        }
    }
    found.sort_by(|a, b| b.margin.total_cmp(&a.margin).then(a.row.cmp(&b.row)));
    found
}

/// What phrases say of each row when they were learned from other rows.
struct Judged {
    names: Vec<String>,
    /// Of each row: its intents by place among the names, its label first; empty: none.
    readings: Vec<Vec<u32>>,
    /// `[n_rows][n_names]`.
    scores: Vec<Vec<f32>>,
}

fn cross_validated(rows: &[Row]) -> Judged {
    let places: BTreeMap<&str, u32> = {
        let names: BTreeMap<&str, ()> = rows
            .iter()
            .flat_map(Row::readings)
            .filter(|name| !name.is_empty())
            .map(|name| (name, ()))
            .collect();
        names.into_keys().enumerate().map(|(at, name)| (name, at as u32)).collect()
    };
    let of_rows: Vec<Vec<u32>> =
        rows.iter()
            .map(|row| {
                if row.intent.is_empty() { vec![] } else { row.readings().map(|name| places[name]).collect() }
            })
            .collect();
    let ids: Vec<Vec<u32>> = rows
        .iter()
        .map(|row| {
            let text = normalise(&row.text);
            let inner = text.as_str().chars().map(u32::from);
            std::iter::once(BORDERS[0]).chain(inner).chain([BORDERS[1]]).collect()
        })
        .collect();
    let mut order: Vec<usize> = (0..rows.len()).filter(|row| !of_rows[*row].is_empty()).collect();
    order.shuffle(&mut StdRng::seed_from_u64(0));
    let mut scores = vec![vec![0.0; places.len()]; rows.len()];
    for fold in 0..FOLDS {
        let is_held = |at: usize| at % FOLDS == fold;
        let learned: Vec<LinearRow<'_>> = order
            .iter()
            .enumerate()
            .filter(|(at, _)| !is_held(*at))
            .map(|(_, row)| LinearRow {
                ids: &ids[*row],
                right: &of_rows[*row][..1],
                open: &of_rows[*row][1..],
            })
            .collect();
        let linear = linear::fit(&learned, places.len());
        for (_, row) in order.iter().enumerate().filter(|(at, _)| is_held(*at)) {
            scores[*row] = linear.scores(&ids[*row]);
        }
    }
    Judged { names: places.into_keys().map(str::to_owned).collect(), readings: of_rows, scores }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: String, intent: &str) -> Row {
        Row { text, intent: intent.into(), ..Row::default() }
    }

    /// Rows whose words tell their intent.
    fn clean() -> Vec<Row> {
        let ends = ["吗", "呢", "啊", "嘛", "吧", "哦", "了", "么"];
        let of = |word: &'static str, intent: &'static str| {
            ends.iter().flat_map(move |end| {
                [row(format!("{word}{end}"), intent), row(format!("请问{word}{end}"), intent)]
            })
        };
        of("退货", "return").chain(of("发票", "invoice")).chain(of("包邮", "fee")).collect()
    }

    #[test]
    fn a_wrong_label_is_found_and_right_ones_are_not() {
        assert_eq!(suspects(&clean()), []);
        let mut rows = clean();
        rows[5].intent = "invoice".into();
        let found = suspects(&rows);
        assert_eq!(found.iter().map(|one| (one.row, one.said.as_str())).collect::<Vec<_>>(), [(5, "return")]);
        rows[5].also = vec!["return".into()];
        assert_eq!(suspects(&rows), []);
    }

    #[test]
    fn rows_without_an_intent_are_passed_over() {
        let mut rows = clean();
        rows.push(row("退货".into(), ""));
        assert_eq!(suspects(&rows), []);
        assert_eq!(suspects(&[]), []);
    }
}
