//! `yingda agent`: the people who answer customers.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use jiff::Timestamp;

use crate::cli::bots;
use crate::cli::key;
use crate::config::Config;
use crate::http::key::Grant;
use crate::http::key::Scope;
use crate::http::key::hash;
use crate::store::SqliteStore;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add an agent, or give one other groups and a new key. The key is shown this once.
    Add {
        /// What customers and colleagues call them.
        name: String,
        /// Group of bot.toml that they serve; may be given several times. Without one they serve all.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// Show them telephone numbers, order numbers and addresses of customers; they are masked otherwise.
        #[arg(long)]
        personal: bool,
    },
    /// List the agents.
    List,
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open(&config.serve.data).await.context("opening the store")?;
    let mut out = std::io::stdout().lock();
    match &args.command {
        Command::Add { name, groups, personal } => {
            let known = bots::groups(&config.serve).await?;
            if let Some(unknown) = groups.iter().find(|group| !known.contains(*group)) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                anyhow::bail!("no bot has a group {unknown:?}; there are: {}", known.join(", "));
            }
            let before = store.agents().await?.into_iter().find(|agent| agent.name == *name);
            let secret = key::make(&store, Grant { scope: Scope::Agent, personal: *personal }, name).await?;
            let row = store.key_by_hash(&hash(secret.expose())).await?.context("the key was just made")?;
            let groups: BTreeSet<String> = groups.iter().cloned().collect();
            store.agent_add(name, &groups, row.id, Timestamp::now()).await?;
            // One agent, one key: the old one opens nothing any more.
            if let Some(before) = before {
                store.key_revoke(before.key_id).await?;
            }
            writeln!(out, "{}", secret.expose())?;
        }
        Command::List => {
            for agent in store.agents().await? {
                let groups = if agent.groups.is_empty() {
                    "全部组".to_owned()
                } else {
                    agent.groups.iter().cloned().collect::<Vec<_>>().join("、")
                };
                writeln!(out, "{}  {}  {groups}", agent.id, agent.name)?;
            }
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
