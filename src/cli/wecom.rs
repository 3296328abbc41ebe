//! `yingda wecom`: setting up WeCom, and 客户联系 from the terminal.

mod caller;
mod contact_way;
mod customer;
mod join_way;
mod kf;
mod tag;
mod transfer;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;
use jiff::Timestamp;

use crate::cli::bots;
use crate::config::Config;
use crate::knowledge::Knowledge;
use crate::message::BotId;
use crate::service::aibot;
use crate::service::app;
use crate::service::doctor;
use crate::service::doctor::Check;
use crate::service::doctor::Outcome;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check everything that the apps need, and say for what is wrong where to click. Exit code 1: something is wrong.
    Doctor {
        /// Only this app, by its name in bot.toml.
        #[arg(long)]
        app: Option<String>,
        /// Where the world reaches this server [default: serve.public_url].
        #[arg(long)]
        url: Option<String>,
    },
    /// Accounts of 微信客服, who takes their customers, and the links that lead to them.
    Kf(kf::Args),
    /// Ways to members (活码), whose state tells where a customer came from.
    ContactWay(contact_way::Args),
    /// Ways into customer groups (拉群).
    JoinWay(join_way::Args),
    /// The company's list of customer tags.
    Tag(tag::Args),
    /// What WeCom knows of a customer.
    Customer(customer::Args),
    /// Hand customers from one member to another.
    Transfer(transfer::Args),
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Doctor { app, url } => return doctor(app.as_ref(), url.as_deref(), config).await,
        Command::Kf(args) => kf::run(args, config).await?,
        Command::ContactWay(args) => contact_way::run(args, config).await?,
        Command::JoinWay(args) => join_way::run(args, config).await?,
        Command::Tag(args) => tag::run(args, config).await?,
        Command::Customer(args) => customer::run(args, config).await?,
        Command::Transfer(args) => transfer::run(args, config).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn doctor(wanted: Option<&String>, url: Option<&str>, config: &Config) -> anyhow::Result<ExitCode> {
    // What is published stands over what the folder says.
    let known: BTreeMap<BotId, Knowledge> =
        bots::all(&config.serve).await?.into_iter().map(|known| (known.bot.clone(), known)).collect();
    let variable = |name: &str| std::env::var(name).ok();
    let (apps, off) = app::apps(known.values(), &config.wecom.url, &variable);
    let public_url = url.unwrap_or(&config.serve.public_url);
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted == name);
    let mut examined: Vec<(String, Vec<Check>)> = Vec::new();
    for error in off.iter().filter(|error| is_wanted(error.app())) {
        examined.push((error.app().to_owned(), vec![doctor::off(error)]));
    }
    for app in apps.values().filter(|app| is_wanted(&app.name)) {
        let checks = doctor::examine(app, &config.wecom.url, public_url, Timestamp::now()).await;
        examined.push((app.name.clone(), checks));
    }
    let (aibots, off) = aibot::aibots(known.values(), &variable);
    for error in off.iter().filter(|error| is_wanted(error.app())) {
        examined.push((error.app().to_owned(), vec![doctor::off_aibot(error)]));
    }
    for aibot in aibots.values().filter(|aibot| is_wanted(&aibot.app())) {
        examined.push((aibot.app(), doctor::examine_aibot(aibot, public_url, Timestamp::now()).await));
    }
    anyhow::ensure!(
        !examined.is_empty(),
        "no bot has an app {:?} in its bot.toml",
        wanted.map(String::as_str).unwrap_or_default()
    );
    let mut out = std::io::stdout().lock();
    for (name, checks) in &examined {
        writeln!(out, "{name}")?;
        checks.iter().try_for_each(|check| tell(&mut out, check))?;
    }
    let is_bad = examined.iter().any(|(_, checks)| checks.iter().any(Check::is_bad));
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tell(out: &mut impl Write, check: &Check) -> std::io::Result<()> {
    match &check.outcome {
        Outcome::Good(found) => writeln!(out, "  ✓ {}：{found}", check.what),
        Outcome::Skipped(why) => writeln!(out, "  - {}：{why}", check.what),
        Outcome::Bad { found, advice } => {
            writeln!(out, "  ✗ {}：{found}\n      怎么办：{advice}", check.what)
        }
    }
}
