//! `yingda calibrate`: thresholds from labelled questions.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::bots;
use crate::config::Config;
use crate::engine;
use crate::engine::Engine;
use crate::engine::Turn;
use crate::knowledge::Source;
use crate::knowledge::entry::Entry;
use crate::knowledge::entry::Validity;
use crate::nlu::artefact::LoadedModel;
use crate::retrieval::faq;
use crate::retrieval::faq::Faq;
use crate::retrieval::faq::Features;
use crate::retrieval::faq::Near;
use crate::retrieval::faq::Query;
use crate::retrieval::nearest::Nearest;
use crate::service;
use crate::text::normalise::Normalised;
use crate::text::normalise::normalise;
use crate::text::segment::Segmenter;
use crate::text::utterance::Utterance;
use crate::training::curve::Shot;
use crate::training::curve::curve;
use crate::training::curve::lowest_with_error_at_most;
use crate::training::logistic::Observation;
use crate::training::logistic::fit;
use crate::training::paraphrase::Group;
use crate::training::paraphrase::Paraphrases;
use crate::training::question;
use crate::training::question::Question;

/// Strength of the penalty on the weights. Chosen by hand: the features overlap, and without it one of two
/// takes all the weight and the other turns negative.
const PENALTY: f64 = 20.0;

/// Parts that the phrasings are cut into for fitting.
const FOLDS: usize = 5;

/// Candidates a phrasing that take part in the fitting.
const CANDIDATES: usize = 15;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rows {"text", "relevant": [entry ids]}; an empty list where the bot knows no answer.
    #[arg(long, value_name = "FILE")]
    questions: PathBuf,
    /// Which bot [default: shop].
    #[arg(long)]
    bot: Option<String>,
    /// Share of wrong answers among the answers given that is still bearable.
    #[arg(long, default_value_t = 0.1)]
    error: f32,
    /// Pretend that it is this moment, for entries that are valid for a time only.
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,
    /// Fit the weights of the FAQ's probability as well (for developers; they stand in the code).
    #[arg(long)]
    fit: bool,
    /// Files of messages that mean the same, rows {"texts": [..], "near": [..]}, to fit the weights on instead of the
    /// bot's phrasings; none that the encoder learned from.
    #[arg(long, num_args = 1.., value_name = "FILE", requires = "fit")]
    groups: Vec<PathBuf>,
    /// Print every question that the first candidate does not settle.
    #[arg(long)]
    misses: bool,
}

pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let engine = bots::load_one(&config.serve, args.bot.as_deref())?;
    let questions = question::read(&args.questions)
        .with_context(|| format!("reading the questions {}", args.questions.display()))?;
    anyhow::ensure!(!questions.is_empty(), "{} holds no question", args.questions.display());
    let now = args.at.unwrap_or_else(Timestamp::now);
    let asked: Vec<(&Question, Turn)> =
        questions.iter().map(|question| (question, service::ask(&engine, &question.text, now).0)).collect();
    let mut out = std::io::stdout().lock();
    if args.fit {
        let groups = Paraphrases::read(&args.groups).context("reading the groups")?;
        weights(&engine, groups.groups(), &asked, &mut out)?;
    }
    let shots: Vec<Shot> = asked.iter().map(|(question, turn)| shot(&engine, question, turn)).collect();
    let answerable = shots.iter().filter(|shot| shot.answerable).count();
    let points = curve(&shots);
    writeln!(out, "{answerable} 个能答的问题，{} 个不能答的", shots.len() - answerable)?;
    writeln!(out, "回答线  答对  答错  不该答却答了")?;
    for point in points.iter().filter(|point| ((point.threshold * 100.0).round() as u32).is_multiple_of(5)) {
        writeln!(out, "{:>6.2} {:>5} {:>5} {:>8}", point.threshold, point.right, point.wrong, point.foreign)?;
    }
    if args.misses {
        for ((question, turn), shot) in asked.iter().zip(&shots).filter(|(_, shot)| !shot.right) {
            let (title, kind) =
                first(&engine, turn).map_or_else(Default::default, |first| (first.title, first.kind));
            writeln!(
                out,
                "{:.2} {} {} → {kind} {title}  [应为 {}]",
                shot.probability,
                turn.decision.action(),
                question.text,
                question.relevant.join(" ")
            )?;
        }
    }
    match lowest_with_error_at_most(&points, args.error) {
        Some(point) => writeln!(
            out,
            "建议写进 bot.toml：[thresholds] answer = {:.2}（给出的答案里最多 {:.0}% 不对）",
            point.threshold,
            args.error * 100.0
        )?,
        None => writeln!(out, "没有一条回答线能把错误压到 {:.0}% 以下", args.error * 100.0)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The most probable candidate.
struct First {
    probability: f32,
    kind: &'static str,
    /// Entry id, or the product's category.
    id: String,
    title: String,
}

fn first(engine: &Engine, turn: &Turn) -> Option<First> {
    let known = engine.known();
    let entry = turn.evidence.entries.first().map(|hit| First {
        probability: hit.probability.value(),
        kind: "faq",
        id: known.entries[hit.entry].id.clone(),
        title: known.entries[hit.entry].question.clone(),
    });
    let product = turn.evidence.products.hits.first().map(|hit| First {
        probability: hit.probability.value(),
        kind: "product",
        id: format!("product:{}", known.products[hit.product].category),
        title: known.products[hit.product].name.clone(),
    });
    // As policy does: of two equals the product.
    match (entry, product) {
        (Some(entry), Some(product)) if entry.probability > product.probability => Some(entry),
        (entry, None) => entry,
        (_, product) => product,
    }
}

fn shot(engine: &Engine, question: &Question, turn: &Turn) -> Shot {
    let first = first(engine, turn);
    Shot {
        probability: first.as_ref().map_or(0.0, |first| first.probability),
        right: first.is_some_and(|first| question.relevant.contains(&first.id)),
        answerable: !question.relevant.is_empty(),
    }
}

/// Fits the direction on groups of messages that mean the same, or without any on the bot's own phrasings, each fifth of
/// them taken out in turn and asked of the rest (not on both: a model may have learned from the phrasings); then shift
/// and scale on the first candidates of the questions (Platt scaling), because a customer's words agree less with an
/// entry than its author's own.
fn weights(
    engine: &Engine,
    groups: &[Group],
    asked: &[(&Question, Turn)],
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let known = engine.known();
    let words = engine::vocabulary(known);
    let segmenter = Segmenter::new(words.iter().map(String::as_str));
    let model = engine.model();
    let mut observations: Vec<Observation<{ Features::N }>> = Vec::new();
    for fold in (0..FOLDS).filter(|_| groups.is_empty()) {
        let mut rest = known.entries.clone();
        let mut asked = Vec::new();
        for (at, entry) in rest.iter_mut().enumerate() {
            let mut place = at;
            entry.phrasings.retain(|phrasing| {
                place += 1;
                let out = place % FOLDS == fold;
                if out {
                    asked.push((at, phrasing.clone()));
                }
                !out
            });
        }
        observations.extend(observed(&rest, &known.synonyms, &asked, &segmenter, model.as_deref())?);
    }
    let (entries, questions) = as_entries(groups);
    observations.extend(observed(&entries, &[], &questions, &segmenter, model.as_deref())?);
    let (bias, weights) = fit(&observations, PENALTY);
    let logit = |features: &Features| {
        bias + weights
            .iter()
            .zip(features.values())
            .map(|(weight, value)| weight * f64::from(value))
            .sum::<f64>()
    };
    let firsts: Vec<Observation<1>> = asked
        .iter()
        .filter_map(|(question, turn)| {
            let best = turn
                .evidence
                .entries
                .iter()
                .max_by(|a, b| logit(&a.features).total_cmp(&logit(&b.features)))?;
            let truth = question.relevant.contains(&known.entries[best.entry].id);
            Some(Observation { features: [logit(&best.features)], truth })
        })
        .collect();
    let (shift, [scale]) = fit(&firsts, 0.0);
    let scaled: Vec<String> = weights.iter().map(|weight| format!("{:.2}", weight * scale)).collect();
    writeln!(
        out,
        "{} 个候选，Weights {{ bias: {:.2}, of: [{}] }}",
        observations.len(),
        bias * scale + shift,
        scaled.join(", ")
    )?;
    Ok(())
}

/// What is found for messages whose entry is known.
///
/// * `asked`: place of the entry, and the message.
fn observed(
    entries: &[Entry],
    synonyms: &[Vec<String>],
    asked: &[(usize, String)],
    segmenter: &Segmenter,
    model: Option<&LoadedModel>,
) -> anyhow::Result<Vec<Observation<{ Features::N }>>> {
    let faq = Faq::build(entries, synonyms, segmenter)?;
    let vectors = |texts: Vec<&str>| -> anyhow::Result<Vec<Vec<f32>>> {
        let Some(loaded) = model else { return Ok(Vec::new()) };
        let texts: Vec<Normalised> = texts.into_iter().map(normalise).collect();
        Ok(loaded.model.vectors(&texts.iter().map(Normalised::as_str).collect::<Vec<_>>())?)
    };
    let phrasings = Nearest::new(&vectors(faq::phrasings(entries).collect())?);
    let of = vectors(asked.iter().map(|(_, text)| text.as_str()).collect())?;
    let mut observations = Vec::new();
    for (at, (own, text)) in asked.iter().enumerate() {
        let utterance = Utterance::read(text, segmenter);
        let near = of.get(at).map(|of| Near::new(&phrasings, of));
        let hits = faq.search(Query { utterance: &utterance, near: near.as_ref() }, &|_| true, CANDIDATES);
        observations.extend(hits.into_iter().map(|hit| Observation {
            features: hit.features.values().map(f64::from),
            truth: hit.entry == *own,
        }));
    }
    Ok(observations)
}

/// Groups as a knowledge base: some messages of each are known, the others are asked; those that only look alike are
/// entries of their own.
fn as_entries(groups: &[Group]) -> (Vec<Entry>, Vec<(usize, String)>) {
    /// Messages of a group that are known, as many as an entry usually has.
    const KNOWN: usize = 4;
    let entry = |question: &String, phrasings: &[String]| Entry {
        id: question.clone(),
        topic: String::new(),
        question: question.clone(),
        phrasings: phrasings.to_vec(),
        answer: String::new(),
        reply: None,
        validity: Validity::default(),
        source: Source { file: String::new(), line: 0 },
    };
    let (mut entries, mut asked) = (Vec::new(), Vec::new());
    for group in groups {
        let (known, rest) = group.texts.split_at(KNOWN.min(group.texts.len() - 1));
        asked.extend(rest.iter().map(|text| (entries.len(), text.clone())));
        entries.push(entry(&known[0], &known[1..]));
        entries.extend(group.near.iter().map(|text| entry(text, &[])));
    }
    (entries, asked)
}
