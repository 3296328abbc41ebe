//! The commands, one file each. Data goes to stdout, talk to stderr.

mod agent;
mod archive;
mod ask;
mod backup;
mod bench;
mod bots;
mod calibrate;
mod chat;
mod check;
mod customer;
mod demo_shop;
mod eval;
mod export;
mod gaps;
mod handoffs;
mod health;
mod import;
mod key;
mod listing;
mod load;
mod model;
mod outbox;
mod satisfaction;
mod search;
mod serve;
mod simulate;
mod tasks;
mod teach;
mod threads;
mod tickets;
mod train;
mod versions;
mod voice;
mod wecom;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;

use crate::config::Config;
use crate::telemetry;

/// 应答 Yingda: answers customers' messages from a folder of knowledge, on WeCom and on a page of its own.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// Configuration file; ./yingda.toml is read when it exists.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder with one folder a bot [default: knowledge].
    #[arg(long, global = true, value_name = "DIR")]
    knowledge: Option<PathBuf>,
    /// Folder of the database [default: data].
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve all bots: chat page, HTTP interface, WeCom callbacks.
    Serve(serve::Args),
    /// Ask a running server whether it can answer. Exit code 1: it cannot.
    Health(health::Args),
    /// Talk to a bot in the terminal.
    Chat(chat::Args),
    /// Ask one question, or one a line with --jsonl, and show the answer.
    Ask(ask::Args),
    /// Show what a bot finds for a message, and why.
    Search(search::Args),
    /// Check the folder of a bot, or of all bots, for mistakes. Exit code 1: a bot must not be served.
    Check(check::Args),
    /// Load spreadsheets and documents into a draft of a bot's knowledge.
    Import(import::Args),
    /// Write a version of a bot's knowledge as files.
    Export(export::Args),
    /// List, compare and publish versions of a bot's knowledge, and roll back.
    Versions(versions::Args),
    /// Show what the bot could not settle, by topic, each with a draft of an entry.
    Gaps(gaps::Args),
    /// Show what became of every entry: shown, picked, helpful, and phrasings that customers use.
    Entries(gaps::Args),
    /// List the customers who wait for a human.
    Handoffs(listing::Args),
    /// Add and list the people who answer customers.
    Agent(agent::Args),
    /// Draw the tasks of a bot, and count where customers drop off.
    Tasks(tasks::Args),
    /// List what tasks have left for staff to do.
    Tickets(listing::Args),
    /// Find what was said, by whom and when, or hand all of it out as JSON lines or as a table.
    Archive(archive::Args),
    /// Show how content customers are, by agent and by intent.
    Satisfaction(satisfaction::Args),
    /// List messages that were never sent, and why.
    Outbox(outbox::Args),
    /// Run a shop's order system that does not exist, for trying out tasks.
    DemoShop(demo_shop::Args),
    /// Run a WeCom server on this machine: customers and members who write, and every rule that is broken.
    Simulate(simulate::Args),
    /// Make voice clips of a sound, for WeCom and for pages; needs ffmpeg.
    Voice(voice::Args),
    /// Set up WeCom: check apps, and say where to click.
    Wecom(wecom::Args),
    /// Hand out, or forget, all that is kept of one customer.
    Customer(customer::Args),
    /// Copy the store, the knowledge and the models while everything runs.
    Backup(backup::BackupArgs),
    /// Put a backup into an empty data folder.
    Restore(backup::RestoreArgs),
    /// Make, list and revoke API keys.
    Key(key::Args),
    /// Choose a bot's thresholds from labelled questions.
    Calibrate(calibrate::Args),
    /// Import the encoder's weights.
    Model(model::Args),
    /// Train a model of intents and entities.
    Train(train::Args),
    /// Teach a model a new intent from a handful of examples.
    Teach(teach::Args),
    /// Measure a model, the search or whole conversations.
    Eval(eval::Args),
    /// Measure what an answer costs on this machine.
    Bench(bench::Args),
    /// Measure how many messages a second are accepted and answered with full durability.
    Load(load::Args),
}

/// Runs a command.
///
/// # Errors
/// What went wrong, with its causes, for stderr.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let own = PathBuf::from("yingda.toml");
    let file = cli.config.or_else(|| own.exists().then_some(own));
    // Variables that are not UTF-8 are none of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut config = Config::read(file.as_deref(), variables)?;
    if let Some(knowledge) = cli.knowledge {
        config.serve.knowledge = knowledge;
    }
    if let Some(data) = cli.data {
        config.serve.data = data;
    }
    // Commands that print data stay quiet unless something is wrong.
    let filter = if matches!(cli.command, Command::Serve(_)) { config.log.filter.as_str() } else { "warn" };
    telemetry::start(filter, config.log.format)?;
    match cli.command {
        Command::Serve(args) => serve::run(args, config),
        Command::Health(args) => health::run(&args, &config),
        Command::Chat(args) => chat::run(&args, &config),
        Command::Ask(args) => ask::run(&args, &config),
        Command::Search(args) => search::run(&args, &config),
        Command::Check(args) => check::run(&args, &config),
        Command::Import(args) => import::run(&args, &config),
        Command::Export(args) => export::run(&args, &config),
        Command::Versions(args) => versions::run(&args, &config),
        Command::Gaps(args) => gaps::gaps(&args, &config),
        Command::Entries(args) => gaps::entries(&args, &config),
        Command::Handoffs(args) => handoffs::run(&args, &config),
        Command::Agent(args) => agent::run(&args, &config),
        Command::Tasks(args) => tasks::run(&args, &config),
        Command::Tickets(args) => tickets::run(&args, &config),
        Command::Archive(args) => archive::run(&args, &config),
        Command::Satisfaction(args) => satisfaction::run(&args, &config),
        Command::Outbox(args) => outbox::run(&args, &config),
        Command::DemoShop(args) => demo_shop::run(&args, &config),
        Command::Simulate(args) => simulate::run(&args),
        Command::Voice(args) => voice::run(&args),
        Command::Wecom(args) => wecom::run(&args, &config),
        Command::Customer(args) => customer::run(&args, &config),
        Command::Backup(args) => backup::backup(&args, &config),
        Command::Restore(args) => backup::restore(&args, &config),
        Command::Key(args) => key::run(&args, &config),
        Command::Calibrate(args) => calibrate::run(&args, &config),
        Command::Model(args) => model::run(args),
        Command::Train(args) => train::run(&args),
        Command::Teach(args) => teach::run(args),
        Command::Eval(args) => eval::run(args, &config),
        Command::Load(args) => load::run(&args, &config),
        Command::Bench(args) => bench::run(&args, &config),
    }
}

/// A line for whoever watches, on stderr.
fn note(line: std::fmt::Arguments<'_>) {
    // stderr being closed leaves nobody to tell.
    let _closed = writeln!(std::io::stderr(), "{line}");
}
