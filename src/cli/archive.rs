//! `yingda archive`: what was said, by whom and when; found, or handed out whole.

use std::io::BufWriter;
use std::io::StdoutLock;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::bots;
use crate::cli::listing::plain;
use crate::config::Config;
use crate::knowledge;
use crate::knowledge::Knowledge;
use crate::service::archive::Line;
use crate::service::archive::Search;
use crate::service::archive::Wish;
use crate::service::archive::zone;
use crate::service::personal::Personal;
use crate::store::ROWS_MAX;
use crate::store::SqliteStore;
use crate::store::Store;

/// Messages of the list for people where nothing else is said.
const LISTED: u64 = 50;

/// Columns of the table, as the JSON lines call them.
const COLUMNS: [&str; 14] = [
    "at",
    "bot",
    "channel",
    "customer_id",
    "conversation_id",
    "message_id",
    "direction",
    "author",
    "agent",
    "kind",
    "with",
    "words",
    "entry",
    "version",
];

/// Lets a spreadsheet see that the file is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    choice: bots::Choice,
    /// Only what came or went by web, wecom_app or wecom_kf.
    #[arg(long)]
    channel: Option<String>,
    /// Only the talks of one customer, by the channel's id.
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// Only what came (in) or what went (out).
    #[arg(long)]
    direction: Option<String>,
    /// Only what these said: customer, bot, agent or system.
    #[arg(long)]
    author: Option<String>,
    /// Only what this human said.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// From this day or time on: 2026-11-23, on the bot's clock, or 2026-11-23T09:00:00+08:00.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until the end of this day, or until this time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only messages that hold all of these words.
    #[arg(long, value_name = "WORD", num_args = 1..)]
    words: Vec<String>,
    /// Which come first: newest or oldest [default: newest].
    #[arg(long)]
    order: Option<String>,
    /// At most this many [default: 50; all with --json and --csv].
    #[arg(long)]
    limit: Option<u64>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// A table for spreadsheets.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Show telephone numbers, order numbers and addresses too.
    #[arg(long)]
    personal: bool,
}

/// Where the messages go.
enum Sink {
    People { out: BufWriter<StdoutLock<'static>>, zone: TimeZone },
    Lines(BufWriter<StdoutLock<'static>>),
    Table(Box<csv::Writer<StdoutLock<'static>>>),
}

pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let known = bots::known_chosen(&config.serve, &args.choice)?;
    hand_out(args, &known, config)
}

#[tokio::main(flavor = "current_thread")]
async fn hand_out(args: &Args, known: &Knowledge, config: &Config) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open(&config.serve.data).await.context("opening the store")?;
    let personal = if args.personal { Personal::Shown } else { Personal::Hidden };
    let search = Search::new(&store, known, &args.wish(), personal, Timestamp::now()).await?;
    let mut sink = Sink::open(args, known)?;
    let is_export = args.json || args.csv;
    let mut left = args.limit.unwrap_or(if is_export { u64::MAX } else { LISTED });
    let (mut after, mut is_empty) = (None, true);
    while left > 0 {
        let limit = u32::try_from(left).unwrap_or(ROWS_MAX).min(ROWS_MAX);
        let page = search.page(&store, after, limit).await?;
        for line in &page.messages {
            sink.write(line)?;
        }
        is_empty &= page.messages.is_empty();
        left = left.saturating_sub(page.messages.len() as u64);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    sink.close()?;
    store.close().await;
    if is_empty && !is_export {
        writeln!(std::io::stderr(), "没有找到消息")?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn wish(&self) -> Wish {
        Wish {
            channel: self.channel.clone(),
            customer: self.customer.clone(),
            direction: self.direction.clone(),
            author: self.author.clone(),
            agent: self.agent.clone(),
            from: self.from.clone(),
            until: self.until.clone(),
            words: self.words.clone(),
            order: self.order.clone(),
        }
    }
}

impl Sink {
    fn open(args: &Args, known: &Knowledge) -> anyhow::Result<Self> {
        let mut out = std::io::stdout().lock();
        if args.csv {
            out.write_all(BYTE_ORDER_MARK.as_bytes())?;
            let mut table = csv::Writer::from_writer(out);
            table.write_record(COLUMNS)?;
            return Ok(Self::Table(Box::new(table)));
        }
        let out = BufWriter::new(out);
        Ok(if args.json { Self::Lines(out) } else { Self::People { out, zone: zone(known) } })
    }

    fn write(&mut self, line: &Line) -> anyhow::Result<()> {
        match self {
            Self::People { out, zone } => writeln!(out, "{}", for_people(line, zone))?,
            Self::Lines(out) => {
                serde_json::to_writer(&mut *out, line)?;
                writeln!(out)?;
            }
            // Words of strangers, which no spreadsheet may run.
            Self::Table(table) => {
                table.write_record(cells(line).map(|cell| knowledge::guarded(&cell)))?;
            }
        }
        Ok(())
    }

    fn close(self) -> std::io::Result<()> {
        match self {
            Self::People { mut out, .. } | Self::Lines(mut out) => out.flush(),
            Self::Table(mut table) => table.flush(),
        }
    }
}

/// The cells of a row, in the order of [`COLUMNS`].
fn cells(line: &Line) -> [String; COLUMNS.len()] {
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        line.at.to_string(),
        line.bot.clone(),
        line.channel.clone(),
        line.customer_id.clone(),
        line.conversation_id.to_string(),
        line.message_id.to_string(),
        line.direction.to_owned(),
        line.author.to_owned(),
        or_empty(&line.agent),
        line.kind.clone(),
        line.with.join(" "),
        line.words.clone(),
        or_empty(&line.entry),
        line.version.map(|version| version.to_string()).unwrap_or_default(),
    ]
}

fn for_people(line: &Line, zone: &TimeZone) -> String {
    let at = line.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S");
    let who = match (line.author, &line.agent) {
        (_, Some(agent)) => agent.as_str(),
        ("customer", None) => "顾客",
        ("bot", None) => "机器人",
        ("agent", None) => "坐席",
        _ => "系统",
    };
    // What the bot says has words, whatever it is; what a customer sends may have none.
    let sent = std::iter::once(&line.kind).chain(&line.with).map(String::as_str);
    let sent: Vec<&str> = sent.filter(|kind| line.direction == "in" && *kind != "text").collect();
    let sent = if sent.is_empty() { String::new() } else { format!("［{}］", sent.join("、")) };
    let source = line.entry.as_ref().map(|entry| match line.version {
        Some(version) => format!("（{entry}，版本 {version}）"),
        None => format!("（{entry}）"),
    });
    let told = format!(
        "#{} {at} [{}] {} {who}：{sent}{}{}",
        line.message_id,
        line.channel,
        line.customer_id,
        line.words,
        source.unwrap_or_default()
    );
    plain(&told)
}
