//! `yingda load`: accepted messages a second with full durability, from receipt to the committed reply; of customers who wait
//! for their answers, or of ever new ones who do not.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use jiff::Timestamp;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::cli::bench::messages;
use crate::cli::bots;
use crate::cli::demo_shop;
use crate::config::Config;
use crate::message::Channel;
use crate::message::Content;
use crate::message::CustomerKind;
use crate::service;
use crate::service::Question;
use crate::service::Service;
use crate::store::CustomerKey;
use crate::store::CustomerSeen;
use crate::store::SqliteStore;
use crate::store::Store;
use crate::training::report::Latency;

/// Bare commits that the same disk is timed with.
const COMMITS: usize = 200;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The bot [default: shop, else the only one].
    #[arg(long)]
    bot: Option<String>,
    /// Customers who write at the same time, each as soon as they were answered; several figures with commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 100, 10_000])]
    customers: Vec<usize>,
    /// Messages in all, for each of the figures; at least one a customer.
    #[arg(long, default_value_t = 2_000)]
    messages: usize,
    /// Messages a second that come whether or not others are answered, each of another customer; several figures with
    /// commas. In place of --customers.
    #[arg(long, value_delimiter = ',', conflicts_with = "customers", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: Vec<u32>,
    /// How long they come, with --rate.
    #[arg(long, default_value_t = 60, requires = "rate", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// What came of messages that wait for nobody.
#[derive(Debug, Serialize)]
struct Stood {
    /// Messages a second that came.
    rate: u32,
    messages: usize,
    /// Messages a second that were answered, from the first to come to the last answer.
    answered_per_s: f64,
    /// From when a message was due to its committed reply.
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
}

#[derive(Debug, Serialize)]
struct Found {
    customers: usize,
    messages: usize,
    messages_per_s: f64,
    /// From receipt to the committed reply.
    p50_ms: f64,
    p99_ms: f64,
    /// Of it the engine, without waiting for a thread.
    engine_p50_ms: f64,
    /// Writes of nothing but a customer's name, one after another, on the same disk.
    commits_per_s: f64,
    /// Messages a second against those commits.
    ratio: f64,
}

#[tokio::main]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let engine = {
        let (settings, bot) = (config.serve.clone(), args.bot.clone());
        tokio::task::spawn_blocking(move || bots::load_one(&settings, bot.as_deref())).await??
    };
    let texts = Arc::new(messages(&engine)?);
    let bot = engine.known().bot.clone();
    let folder = config.serve.data.join(format!("load-{}", std::process::id()));
    let store = Arc::new(SqliteStore::open(&folder).await.context("opening a store for the load")?);
    let service = Service::new(vec![engine], Arc::clone(&store) as Arc<dyn Store>, Arc::new(Timestamp::now));
    let calls = demo_shop::calls(&config.serve, Arc::new(Timestamp::now)).await?;
    let service = Arc::new(service.with_calls(calls));
    let commits_per_s = commits(store.as_ref(), &bot).await?;
    let mut out = std::io::stdout().lock();
    for (round, rate) in args.rate.iter().enumerate() {
        let stood = stand(&service, &texts, &bot, (round, *rate, args.seconds)).await?;
        if args.json {
            writeln!(out, "{}", serde_json::to_string(&stood)?)?;
        } else {
            writeln!(
                out,
                "{:>6} messages/s come: {:.1} answered, p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms ({} messages)",
                stood.rate, stood.answered_per_s, stood.p50_ms, stood.p95_ms, stood.p99_ms, stood.messages
            )?;
        }
    }
    let rounds = if args.rate.is_empty() { args.customers.as_slice() } else { &[] };
    for (round, customers) in rounds.iter().enumerate() {
        let each = args.messages.div_ceil(*customers).max(1);
        let began = Instant::now();
        let mut talks = JoinSet::new();
        for customer in 0..*customers {
            let (service, texts, bot) = (Arc::clone(&service), Arc::clone(&texts), bot.clone());
            talks.spawn(async move { talk(&service, &texts, bot, (round, customer), each).await });
        }
        let (mut all, mut inside) = (Vec::new(), Vec::new());
        for (whole, engine) in
            talks.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten()
        {
            all.push(whole.as_secs_f64() * 1e3);
            inside.push(engine.as_secs_f64() * 1e3);
        }
        let seconds = began.elapsed().as_secs_f64();
        let (n_messages, times) = (all.len(), Latency::of(all));
        let messages_per_s = n_messages as f64 / seconds;
        let found = Found {
            customers: *customers,
            messages: n_messages,
            messages_per_s,
            p50_ms: times.p50,
            p99_ms: times.p99,
            engine_p50_ms: Latency::of(inside).p50,
            commits_per_s,
            ratio: messages_per_s / commits_per_s,
        };
        if args.json {
            writeln!(out, "{}", serde_json::to_string(&found)?)?;
        } else {
            writeln!(
                out,
                "{:>6} customers: {:.0} messages/s, p50 {:.1} ms, p99 {:.1} ms ({} messages; engine p50 {:.1} ms; {:.0} bare commits/s, ratio {:.2})",
                found.customers,
                found.messages_per_s,
                found.p50_ms,
                found.p99_ms,
                found.messages,
                found.engine_p50_ms,
                found.commits_per_s,
                found.ratio
            )?;
        }
    }
    store.close().await;
    std::fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Messages that come at a steady pace, whatever becomes of those before: a customer does not wait for others to be answered.
async fn stand(
    service: &Arc<Service>,
    texts: &Arc<Vec<String>>,
    bot: &str,
    (round, rate, seconds): (usize, u32, u32),
) -> anyhow::Result<Stood> {
    let began = tokio::time::Instant::now();
    let mut answers = JoinSet::new();
    for number in 0..rate * seconds {
        let due = began + Duration::from_secs_f64(f64::from(number) / f64::from(rate));
        tokio::time::sleep_until(due).await;
        let question = Question {
            bot: bot.to_owned(),
            channel: Channel::Web,
            customer_id: format!("stand-{round}-{number}"),
            name: None,
            kind: CustomerKind::Customer,
            content: Content::Text(texts[number as usize * 7 % texts.len()].clone()),
            with: Vec::new(),
        };
        let service = Arc::clone(service);
        answers.spawn(async move { service.answer(&question).await.map(|_answer| due.elapsed()) });
    }
    let times: Vec<Duration> = answers.join_all().await.into_iter().collect::<Result<_, _>>()?;
    let answered_per_s = times.len() as f64 / began.elapsed().as_secs_f64();
    let messages = times.len();
    let times = Latency::of(times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect());
    let Latency { p50: p50_ms, p95: p95_ms, p99: p99_ms } = times;
    Ok(Stood { rate, messages, answered_per_s, p50_ms, p95_ms, p99_ms })
}

/// One customer's messages, each as soon as the one before was answered: the whole, and the engine's part of it.
async fn talk(
    service: &Service,
    texts: &[String],
    bot: String,
    (round, customer): (usize, usize),
    n_messages: usize,
) -> Result<Vec<(Duration, Duration)>, service::ServiceError> {
    let mut times = Vec::with_capacity(n_messages);
    for at in 0..n_messages {
        let text = texts[(customer * 7 + at) % texts.len()].clone();
        let question = Question {
            bot: bot.clone(),
            channel: Channel::Web,
            customer_id: format!("load-{round}-{customer}-{}", at / MESSAGES_A_CUSTOMER),
            name: None,
            kind: CustomerKind::Customer,
            content: Content::Text(text),
            with: Vec::new(),
        };
        let began = Instant::now();
        let answer = service.answer(&question).await?;
        let engine = answer.timings.last().map_or(Duration::ZERO, |(_, spent)| *spent);
        times.push((began.elapsed(), engine));
    }
    Ok(times)
}

/// Messages after which a customer is another person, so that no flood limit is met.
const MESSAGES_A_CUSTOMER: usize = 10;

/// Bare commits a second, one after another.
async fn commits(store: &dyn Store, bot: &str) -> anyhow::Result<f64> {
    let began = Instant::now();
    for at in 0..COMMITS {
        let key = CustomerKey::new(bot, Channel::Web, &format!("commit-{at}"))?;
        let seen = CustomerSeen { key, kind: CustomerKind::Customer, name: None, region: None };
        store.customer_seen(&seen, Timestamp::now()).await?;
    }
    Ok(COMMITS as f64 / began.elapsed().as_secs_f64())
}
