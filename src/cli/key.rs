//! `yingda key`: who may use the HTTP interface.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use jiff::Timestamp;

use crate::config::Config;
use crate::http::key::Grant;
use crate::http::key::Scope;
use crate::http::key::hash;
use crate::http::key::new_key;
use crate::secret::Secret;
use crate::store::SqliteStore;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key and show it, this once.
    Add {
        /// What it opens.
        #[arg(long)]
        scope: Scope,
        /// Show its holder telephone numbers, order numbers and addresses of customers; they are masked otherwise. Keys of
        /// the scope admin see them anyway.
        #[arg(long)]
        personal: bool,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        label: String,
    },
    /// List keys, without the keys themselves.
    List,
    /// Revoke a key, by its number in the list.
    Revoke {
        /// The number.
        id: i64,
    },
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open(&config.serve.data).await.context("opening the store")?;
    let mut out = std::io::stdout().lock();
    match &args.command {
        Command::Add { scope, personal, label } => {
            let key = make(&store, Grant { scope: *scope, personal: *personal }, label).await?;
            writeln!(out, "{}", key.expose())?;
        }
        Command::List => {
            for row in store.keys().await? {
                let state = if row.revoked { "已停用" } else { "有效" };
                writeln!(out, "{}\t{}\t{state}\t{}\t{}", row.id, row.scope, row.created_at, row.label)?;
            }
        }
        Command::Revoke { id } => {
            store.key_revoke(*id).await?;
            writeln!(out, "已停用 {id}")?;
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Makes a key and stores its hash.
pub(super) async fn make(store: &dyn Store, grant: Grant, label: &str) -> anyhow::Result<Secret> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    let key = new_key(grant.scope, random);
    store.key_add(&grant.name(), &hash(key.expose()), label, Timestamp::now()).await?;
    Ok(key)
}
