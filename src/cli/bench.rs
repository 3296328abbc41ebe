//! `yingda bench`: what an answer costs on this machine, from text to reply.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context as _;
use candle_core::Tensor;
use jiff::Timestamp;
use rayon::ThreadPoolBuilder;
use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

use crate::cli::bots;
use crate::config::Config;
use crate::encoder::peer;
use crate::engine::Engine;
use crate::engine::Stage;
use crate::service;
use crate::text::hex::lower_hex;
use crate::training::report::Latency;
use crate::training::row::read;

/// Rows of a bot that it is asked; a bot without them is asked its own questions.
const ROWS: &str = "nlu/dev.jsonl";

/// Most messages.
const MESSAGES_MAX: usize = 600;

/// Tokens of the sentence on which the encoder is timed.
const N_TOKENS: usize = 16;

/// Runs of either encoder, in turn; the median counts.
const RUNS: usize = 101;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The bot [default: shop, else the only one].
    #[arg(long)]
    bot: Option<String>,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Found {
    bot: String,
    /// Version of the model; `None`: it answers without.
    model: Option<String>,
    n_entries: usize,
    /// First digits of the SHA-256 of what it knows.
    knowledge: String,
    machine: Machine,
    start_ms: f64,
    memory_mib: Option<f64>,
    n_messages: usize,
    /// Each stage by itself, then the whole.
    stages: Vec<(&'static str, Latency)>,
    messages_per_s: f64,
    n_threads: usize,
    encoder: Option<EncoderTimes>,
}

#[derive(Debug, Serialize)]
struct Machine {
    processor: String,
    n_cores: usize,
}

/// Medians for one sentence on one thread, in milliseconds.
#[derive(Debug, Serialize)]
struct EncoderTimes {
    n_tokens: usize,
    n_layers: usize,
    ours_ms: f64,
    candle_transformers_ms: f64,
    ratio: f64,
}

pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let engine = bots::load_one(&config.serve, args.bot.as_deref())?;
    let start_ms = ms(began.elapsed());
    let messages = messages(&engine)?;
    let known = engine.known();
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let found = Found {
        bot: known.bot.to_string(),
        model: engine.model().map(|loaded| loaded.version().to_owned()),
        n_entries: known.entries.len(),
        knowledge: fingerprint(&engine),
        machine: Machine { processor: processor(), n_cores: n_threads },
        start_ms,
        n_messages: messages.len(),
        stages: stages(&engine, &messages),
        messages_per_s: throughput(&engine, &messages, n_threads),
        n_threads,
        memory_mib: memory_mib(),
        encoder: encoder(&engine)?,
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        writeln!(out)?;
    } else {
        print(&mut out, &found)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the bot is asked: its held-out rows, or its own questions.
pub(super) fn messages(engine: &Engine) -> anyhow::Result<Vec<String>> {
    let known = engine.known();
    let file = known.dir.join(ROWS);
    let mut messages: Vec<String> = if file.exists() {
        read(&file).context("reading the messages")?.into_iter().map(|row| row.text).collect()
    } else {
        known.entries.iter().map(|entry| entry.question.clone()).collect()
    };
    messages.truncate(MESSAGES_MAX);
    anyhow::ensure!(!messages.is_empty(), "the bot {} has neither {ROWS} nor entries to ask for", known.bot);
    Ok(messages)
}

/// Every message once, one after the other.
fn stages(engine: &Engine, messages: &[String]) -> Vec<(&'static str, Latency)> {
    let now = Timestamp::now();
    let mut times: Vec<Vec<f64>> = vec![Vec::with_capacity(messages.len()); Stage::ALL.len() + 1];
    for message in messages {
        let (_turn, marks) = service::ask(engine, message, now);
        let mut before = Duration::ZERO;
        for (at, (_stage, mark)) in marks.iter().enumerate() {
            times[at].push(ms(mark.saturating_sub(before)));
            before = *mark;
        }
        times[Stage::ALL.len()].push(ms(before));
    }
    let names = Stage::ALL.iter().map(|stage| stage.as_str()).chain(["all"]);
    names.zip(times).map(|(name, times)| (name, Latency::of(times))).collect()
}

/// Messages a second with every thread asking.
fn throughput(engine: &Engine, messages: &[String], n_threads: usize) -> f64 {
    let now = Timestamp::now();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..n_threads {
            scope.spawn(move || {
                for message in messages.iter().skip(thread).step_by(n_threads) {
                    let _answer = service::ask(engine, message, now);
                }
            });
        }
    });
    messages.len() as f64 / began.elapsed().as_secs_f64()
}

/// The bot's encoder beside another implementation with the same weights.
fn encoder(engine: &Engine) -> anyhow::Result<Option<EncoderTimes>> {
    let Some(loaded) = engine.model() else { return Ok(None) };
    let ours = loaded.model.encoder();
    let theirs = peer::bert(ours)?;
    let n_pieces = ours.vocabulary().len();
    let ids: Vec<u32> = (0..N_TOKENS).map(|at| ((10 + 7 * at) % n_pieces) as u32).collect();
    let batch = Tensor::from_slice(&ids, (1, N_TOKENS), &candle_core::Device::Cpu)?;
    let kinds = batch.zeros_like()?;
    let (mut own, mut other) = (Vec::with_capacity(RUNS), Vec::with_capacity(RUNS));
    let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| -> anyhow::Result<()> {
        for _run in 0..RUNS {
            let began = Instant::now();
            ours.encode(&[&ids])?;
            own.push(ms(began.elapsed()));
            let began = Instant::now();
            theirs.forward(&batch, &kinds, None)?;
            other.push(ms(began.elapsed()));
        }
        Ok(())
    })?;
    let (ours_ms, candle_transformers_ms) = (Latency::of(own).p50, Latency::of(other).p50);
    Ok(Some(EncoderTimes {
        n_tokens: N_TOKENS,
        n_layers: ours.shape().n_layers,
        ours_ms,
        candle_transformers_ms,
        ratio: ours_ms / candle_transformers_ms,
    }))
}

fn fingerprint(engine: &Engine) -> String {
    let known = engine.known();
    let all = format!(
        "{:?}{:?}{:?}{:?}{:?}",
        known.entries, known.products, known.rules, known.replies, known.synonyms
    );
    lower_hex(&Sha256::digest(all))[..12].to_owned()
}

/// What this process holds; `None` where the system does not say.
fn memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

fn processor() -> String {
    let all = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = all.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn print(out: &mut impl std::io::Write, found: &Found) -> std::io::Result<()> {
    let model = found.model.as_deref().unwrap_or("none");
    writeln!(out, "bot {}, model {model}, {} entries ({})", found.bot, found.n_entries, found.knowledge)?;
    writeln!(out, "{}, {} cores", found.machine.processor, found.machine.n_cores)?;
    let memory = found.memory_mib.map_or_else(String::new, |mib| format!(", {mib:.0} MiB"));
    writeln!(out, "start {:.0} ms{memory}", found.start_ms)?;
    writeln!(
        out,
        "\n{:<12}{:>10}{:>10}{:>10}   ms, {} messages",
        "stage", "p50", "p95", "p99", found.n_messages
    )?;
    for (name, times) in &found.stages {
        writeln!(out, "{name:<12}{:>10.3}{:>10.3}{:>10.3}", times.p50, times.p95, times.p99)?;
    }
    writeln!(out, "\n{:.0} messages/s with {} threads", found.messages_per_s, found.n_threads)?;
    if let Some(times) = &found.encoder {
        writeln!(
            out,
            "encoder, {} layers, {} tokens, one thread: {:.2} ms; candle-transformers' BERT {:.2} ms; ratio {:.2}",
            times.n_layers, times.n_tokens, times.ours_ms, times.candle_transformers_ms, times.ratio
        )?;
    }
    Ok(())
}
