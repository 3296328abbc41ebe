//! `yingda eval search`: how far up the right entries of a corpus are found.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use jiff::Zoned;
use serde::Serialize;

use crate::cli::eval::Vectors;
use crate::cli::note;
use crate::text::segment::Segmenter;
use crate::training::corpus;
use crate::training::corpus::Corpus;
use crate::training::corpus::Mode;
use crate::training::question;
use crate::training::ranking::DEPTH;
use crate::training::ranking::Found;
use crate::training::ranking::Ranking;
use crate::training::ranking::measure;
use crate::training::ranking::page;
use crate::training::ranking::ranks;
use crate::training::report::Latency;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rows {"id", "question", "answer"}, and "phrasings" where there are some.
    #[arg(long, value_name = "FILE")]
    corpus: PathBuf,
    /// Rows {"text", "relevant": [ids]}; those with an empty list are passed over.
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// What the order comes from.
    #[arg(long, value_enum, default_value_t = Mode::Hybrid)]
    mode: Mode,
    #[command(flatten)]
    vectors: Vectors,
    /// Print the measures and the misses as JSON.
    #[arg(long)]
    json: bool,
    /// Write a page with the measures and the misses into this folder.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Print every query whose first entry is wrong.
    #[arg(long, conflicts_with = "json")]
    misses: bool,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    corpus: String,
    queries: String,
    date: String,
    mode: String,
    encoder: &'a str,
    n_entries: usize,
    #[serde(flatten)]
    ranking: Ranking,
    /// Queries by the rank of their first right entry: first to tenth, and below.
    ranks: [usize; DEPTH + 1],
    latency_ms: Latency,
    misses: Vec<Miss<'a>>,
}

/// A query whose first entry is not a right one.
#[derive(Debug, Serialize)]
struct Miss<'a> {
    text: &'a str,
    relevant: &'a [String],
    /// Place of the first right entry, counted from 1; `None` beyond the tenth.
    rank: Option<usize>,
    /// What came first instead.
    found: Option<&'a str>,
    question: Option<&'a str>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let entries = corpus::read(&args.corpus).context("reading the corpus")?;
    let questions = question::read(&args.queries).context("reading the queries")?;
    let (encoder, version) = args.vectors.load()?;
    let lanes = crate::encoder::lanes::Lanes::new()?;
    let segmenter = Segmenter::new(std::iter::empty());
    let corpus = Corpus::new(&entries, &[], &segmenter, &encoder, &lanes)?;
    let places: HashMap<&str, usize> = entries.iter().map(|entry| entry.id.as_str()).zip(0..).collect();
    let (mut lists, mut misses, mut times_ms) = (Vec::new(), Vec::new(), Vec::new());
    for question in questions.iter().filter(|question| !question.relevant.is_empty()) {
        let place = |id: &String| {
            let unknown =
                || format!("the query {:?} names {id:?}, which the corpus does not hold", question.text);
            places.get(id.as_str()).copied().with_context(unknown)
        };
        let relevant: Vec<usize> = question.relevant.iter().map(place).collect::<anyhow::Result<_>>()?;
        let began = Instant::now();
        let hits = corpus.search(&question.text, args.mode)?;
        times_ms.push(began.elapsed().as_secs_f64() * 1e3);
        let right: Vec<bool> = hits.iter().map(|hit| relevant.contains(&hit.entry)).collect();
        if right.first() != Some(&true) {
            let first = hits.first().map(|hit| &entries[hit.entry]);
            misses.push(Miss {
                text: &question.text,
                relevant: &question.relevant,
                rank: right.iter().take(DEPTH).position(|right| *right).map(|at| at + 1),
                found: first.map(|entry| entry.id.as_str()),
                question: first.map(|entry| entry.question.as_str()),
            });
        }
        lists.push(Found { right, n_right: relevant.len() });
    }
    anyhow::ensure!(!lists.is_empty(), "{} holds no query with a right entry", args.queries.display());
    let summary = Summary {
        corpus: args.corpus.display().to_string(),
        queries: args.queries.display().to_string(),
        date: Zoned::now().date().to_string(),
        mode: format!("{:?}", args.mode).to_lowercase(),
        encoder: &version,
        n_entries: entries.len(),
        ranking: measure(&lists),
        ranks: ranks(&lists),
        latency_ms: Latency::of(times_ms),
        misses,
    };
    if let Some(folder) = &args.report {
        let path = folder.join("index.html");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, page(&summary).map_err(std::io::Error::other)?))
            .with_context(|| format!("writing {}", path.display()))?;
        note(format_args!("the report is {}", path.display()));
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &summary)?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let ranking = &summary.ranking;
    writeln!(
        out,
        "{} queries, {} entries, {}, encoder {}",
        ranking.n_queries, summary.n_entries, summary.mode, summary.encoder
    )?;
    let figures = [
        ("hit@1", ranking.hit_at_1),
        ("hit@10", ranking.hit_at_10),
        ("MRR@10", ranking.mrr_at_10),
        ("nDCG@10", ranking.ndcg_at_10),
    ];
    for (name, share) in figures {
        writeln!(out, "{name:<8} {:>6.2} %", 100.0 * share)?;
    }
    let latency = &summary.latency_ms;
    writeln!(out, "latency p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms", latency.p50, latency.p95, latency.p99)?;
    if args.misses {
        for miss in &summary.misses {
            let rank = miss.rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string());
            writeln!(
                out,
                "{rank:>2} {}  {:?} instead of {}",
                miss.text,
                miss.question.unwrap_or_default(),
                miss.relevant.join(" ")
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
