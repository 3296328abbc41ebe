//! An evaluation as one page that a person can look into: plots, tables, and the errors with what explains them.

use serde::Serialize;

use crate::training::metrics::Metrics;
use crate::training::metrics::intent_is_right;
use crate::training::metrics::scope_scores;
use crate::training::prediction::Prediction;
use crate::training::row::Row;
use crate::training::row::RowSlot;

/// The page; [`PLACE`] is where the report goes.
const PAGE: &str = include_str!("report.html");

/// Stands in the page for the report.
const PLACE: &str = "__REPORT__";

/// Bins of the reliability diagram.
const BINS: usize = 10;

/// Most points of a curve.
const POINTS_MAX: usize = 200;

/// Training rows shown beside an error.
const NEAREST: usize = 3;

/// Which model was measured on what, and when.
#[derive(Clone, Debug, Serialize)]
pub struct Occasion {
    /// Version of the model.
    pub model: String,
    /// File of the rows.
    pub data: String,
    /// Day, as `2026-11-23`.
    pub date: String,
    /// Time for one message in milliseconds.
    pub latency_ms: Latency,
}

/// Times of single messages in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the messages are faster.
    pub p50: f64,
    /// 95 of 100 are.
    pub p95: f64,
    /// 99 of 100 are.
    pub p99: f64,
}

impl Latency {
    /// Of times in milliseconds; zeros of none.
    #[must_use]
    pub fn of(mut times_ms: Vec<f64>) -> Self {
        times_ms.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = ((times_ms.len() as f64 * share).ceil() as usize).max(1) - 1;
            times_ms.get(place).copied().unwrap_or(0.0)
        };
        Self { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
    }
}

/// Rows that the model learned from, by their sentence vectors.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// Text, intent and sentence vector of length 1.
    pub rows: Vec<(String, String, Vec<f32>)>,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    occasion: &'a Occasion,
    n_rows: usize,
    metrics: &'a Metrics,
    reliability: Vec<Bin>,
    risk_coverage: Vec<RiskPoint>,
    scope_curve: Vec<ScopePoint>,
    rows: Vec<ReportRow<'a>>,
}

/// How often messages of about one confidence are right.
#[derive(Debug, PartialEq, Serialize)]
struct Bin {
    from: f32,
    to: f32,
    n: usize,
    confidence: f32,
    accuracy: f32,
}

/// What share of the surest messages is wrong.
#[derive(Debug, PartialEq, Serialize)]
struct RiskPoint {
    coverage: f32,
    risk: f32,
    confidence: f32,
}

/// What a threshold keeps of the bot's own messages, and lets in of the others.
#[derive(Debug, PartialEq, Serialize)]
struct ScopePoint {
    kept: f32,
    let_in: f32,
    threshold: f32,
}

#[derive(Debug, Serialize)]
struct ReportRow<'a> {
    text: &'a str,
    gold: &'a str,
    also: &'a [String],
    said: &'a str,
    confidence: f32,
    out_of_scope: f32,
    right: bool,
    gold_slots: Option<Vec<Mark<'a>>>,
    said_slots: Vec<Mark<'a>>,
    slots_right: bool,
    nearest: Vec<Neighbour<'a>>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Mark<'a> {
    name: &'a str,
    start: usize,
    end: usize,
}

#[derive(Debug, Serialize)]
struct Neighbour<'a> {
    text: &'a str,
    intent: &'a str,
    similarity: f32,
}

/// The page, whole: no other file is needed to look at it.
///
/// * `rows`, `predictions`, `vectors`: of the same length and order; the vectors are those of the messages, of length 1.
///
/// # Errors
/// As serde_json's.
pub fn page(
    occasion: &Occasion,
    metrics: &Metrics,
    rows: &[Row],
    predictions: &[Prediction],
    vectors: &[Vec<f32>],
    learned: &Learned,
) -> serde_json::Result<String> {
    let report = Report {
        occasion,
        n_rows: rows.len(),
        metrics,
        reliability: reliability(rows, predictions),
        risk_coverage: risk_coverage(rows, predictions),
        scope_curve: scope_curve(rows, predictions),
        rows: rows
            .iter()
            .zip(predictions)
            .zip(vectors)
            .map(|((row, said), vector)| report_row(row, said, vector, learned))
            .collect(),
    };
    // Inside of a script no text may end it.
    let json = serde_json::to_string(&report)?.replace('<', "\\u003c");
    Ok(PAGE.replacen(PLACE, &json, 1))
}

fn report_row<'a>(row: &'a Row, said: &'a Prediction, vector: &[f32], learned: &'a Learned) -> ReportRow<'a> {
    let right = row.intent.is_empty() || intent_is_right(row, said);
    let spans = |slots: &'a [RowSlot]| -> Vec<Mark<'a>> {
        slots.iter().map(|slot| Mark { name: &slot.name, start: slot.start, end: slot.end }).collect()
    };
    let (gold_slots, said_slots) = (row.slots.as_deref().map(spans), spans(&said.slots));
    let slots_right = gold_slots.as_ref().is_none_or(|gold| *gold == said_slots);
    let nearest = if right && slots_right { Vec::new() } else { nearest(vector, learned) };
    ReportRow {
        text: &row.text,
        gold: &row.intent,
        also: &row.also,
        said: &said.intent,
        confidence: said.confidence,
        out_of_scope: said.out_of_scope,
        right,
        gold_slots,
        said_slots,
        slots_right,
        nearest,
    }
}

fn nearest<'a>(vector: &[f32], learned: &'a Learned) -> Vec<Neighbour<'a>> {
    let near = |other: &[f32]| vector.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
    let mut all: Vec<Neighbour<'a>> = learned
        .rows
        .iter()
        .map(|(text, intent, other)| Neighbour { text, intent, similarity: near(other) })
        .collect();
    all.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    all.truncate(NEAREST);
    all
}

/// Confidence and whether it was right to have it, of every row with an intent.
fn judged(rows: &[Row], predictions: &[Prediction]) -> Vec<(f32, bool)> {
    rows.iter()
        .zip(predictions)
        .filter(|(row, _)| !row.intent.is_empty())
        .map(|(row, said)| (said.confidence, intent_is_right(row, said)))
        .collect()
}

fn reliability(rows: &[Row], predictions: &[Prediction]) -> Vec<Bin> {
    let judged = judged(rows, predictions);
    (0..BINS)
        .map(|bin| {
            let inside = |sure: f32| ((sure * BINS as f32) as usize).min(BINS - 1) == bin;
            let own: Vec<(f32, bool)> = judged.iter().copied().filter(|(sure, _)| inside(*sure)).collect();
            let n = own.len().max(1) as f32;
            Bin {
                from: bin as f32 / BINS as f32,
                to: (bin + 1) as f32 / BINS as f32,
                n: own.len(),
                confidence: own.iter().map(|(sure, _)| sure).sum::<f32>() / n,
                accuracy: own.iter().filter(|(_, right)| *right).count() as f32 / n,
            }
        })
        .collect()
}

fn risk_coverage(rows: &[Row], predictions: &[Prediction]) -> Vec<RiskPoint> {
    let mut judged = judged(rows, predictions);
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let n = judged.len();
    let mut wrong = 0;
    let mut points = Vec::new();
    for (at, (confidence, right)) in judged.iter().enumerate() {
        wrong += usize::from(!right);
        let covered = at + 1;
        // Evenly spread, the last among them.
        if covered * POINTS_MAX / n != at * POINTS_MAX / n {
            points.push(RiskPoint {
                coverage: covered as f32 / n as f32,
                risk: wrong as f32 / covered as f32,
                confidence: *confidence,
            });
        }
    }
    points
}

fn scope_curve(rows: &[Row], predictions: &[Prediction]) -> Vec<ScopePoint> {
    let (inside, foreign) = scope_scores(rows, predictions);
    if inside.is_empty() || foreign.is_empty() {
        return Vec::new();
    }
    let below = |scores: &[f32], threshold: f32| {
        scores.iter().filter(|score| **score < threshold).count() as f32 / scores.len() as f32
    };
    (1..=100)
        .map(|percent| percent as f32 / 100.0)
        .map(|threshold| ScopePoint {
            kept: below(&inside, threshold),
            let_in: below(&foreign, threshold),
            threshold,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::metrics::measure;

    fn said(text: &str, intent: &str, confidence: f32) -> Prediction {
        Prediction {
            text: text.into(),
            intent: intent.into(),
            confidence,
            out_of_scope: 0.1,
            intents: vec![],
            slots: vec![],
            top: vec![],
        }
    }

    fn row(text: &str, intent: &str) -> Row {
        Row { text: text.into(), intent: intent.into(), ..Row::default() }
    }

    #[test]
    fn the_page_has_one_place_for_the_report() {
        assert_eq!(PAGE.matches(PLACE).count(), 1);
    }

    #[test]
    fn errors_come_with_what_is_near_and_no_text_leaves_the_script() {
        let rows = [row("</script><b>", "a"), row("好", "a")];
        let predictions = [said("</script><b>", "b", 0.6), said("好", "a", 0.9)];
        let occasion = Occasion {
            model: "m".into(),
            data: "d".into(),
            date: "2026-11-23".into(),
            latency_ms: Latency::default(),
        };
        let learned = Learned {
            rows: vec![("远".into(), "c".into(), vec![0.0, 1.0]), ("近".into(), "b".into(), vec![1.0, 0.0])],
        };
        let vectors = [vec![1.0, 0.0], vec![0.0, 1.0]];
        let metrics = measure(&rows, &predictions);
        let page = page(&occasion, &metrics, &rows, &predictions, &vectors, &learned).unwrap();
        assert!(!page.contains("</script><b>"));
        let start = page.find("{\"model\"").unwrap();
        let report: serde_json::Value =
            serde_json::Deserializer::from_str(&page[start..]).into_iter().next().unwrap().unwrap();
        assert_eq!(report["rows"][0]["text"], "</script><b>");
        assert_eq!(report["rows"][0]["nearest"][0]["text"], "近");
        assert_eq!(report["rows"][1]["nearest"].as_array().map(Vec::len), Some(0));
        assert_eq!(report["metrics"]["intent_accuracy"], 0.5);
    }

    #[test]
    fn the_surest_are_covered_first() {
        let rows = [row("甲", "a"), row("乙", "a")];
        let predictions = [said("甲", "b", 0.4), said("乙", "a", 0.9)];
        let found = risk_coverage(&rows, &predictions);
        let points: Vec<(f32, f32)> = found.iter().map(|point| (point.coverage, point.risk)).collect();
        assert_eq!(points, [(0.5, 0.0), (1.0, 0.5)]);
        assert_eq!(risk_coverage(&[], &[]), []);
    }

    #[test]
    fn a_bin_holds_its_confidences() {
        let rows = [row("甲", "a"), row("乙", "a"), row("丙", "a")];
        let predictions = [said("甲", "b", 0.92), said("乙", "a", 0.98), said("丙", "a", 1.0)];
        let found = reliability(&rows, &predictions);
        assert_eq!((found.len(), found[9].n, found[0].n), (10, 3, 0));
        assert!((found[9].accuracy - 2.0 / 3.0).abs() < 1e-6);
    }
}
