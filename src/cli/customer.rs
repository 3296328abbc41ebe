//! `yingda customer`: all that is kept of one customer, handed out or forgotten.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use serde_json::Value;
use serde_json::json;

use crate::config::Config;
use crate::message::Channel;
use crate::service::personal::Personal;
use crate::service::view;
use crate::store::CustomerFile;
use crate::store::CustomerKey;
use crate::store::Direction;
use crate::store::SqliteStore;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write all that is kept of a customer as one JSON object.
    Export(Who),
    /// Forget a customer with everything that was said. It cannot be taken back; backups made before keep it until they are
    /// thrown away.
    Delete(Who),
}

#[derive(Debug, clap::Args)]
struct Who {
    /// Which bot.
    #[arg(long, default_value = "shop")]
    bot: String,
    /// How they wrote: web, wecom_app, wecom_kf or wecom_bot.
    #[arg(long, default_value = "web", value_parser = channel)]
    channel: Channel,
    /// The channel's id of the customer.
    id: String,
}

fn channel(name: &str) -> Result<Channel, String> {
    let known = Channel::ALL.map(Channel::as_str).join(", ");
    let found = Channel::ALL.into_iter().find(|channel| channel.as_str() == name);
    found.ok_or_else(|| format!("{name:?} is no channel; there are {known}"))
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open(&config.serve.data).await.context("opening the store")?;
    let told = match &args.command {
        Command::Export(who) => {
            store.customer_file(&who.key()?).await?.map(|file| format!("{:#}", view(&file)))
        }
        Command::Delete(who) => store
            .customer_forget(&who.key()?)
            .await?
            .map(|gone| format!("已删除：{} 条消息，{} 条有关的记录", gone.n_messages, gone.n_others)),
    };
    store.close().await;
    match told {
        Some(told) => {
            writeln!(std::io::stdout(), "{told}")?;
            Ok(ExitCode::SUCCESS)
        }
        None => {
            writeln!(std::io::stderr(), "没有这位客户")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

impl Who {
    fn key(&self) -> anyhow::Result<CustomerKey> {
        CustomerKey::new(&self.bot, self.channel, &self.id).context("naming the customer")
    }
}

fn view(file: &CustomerFile) -> Value {
    let text = |json: &str| serde_json::from_str::<Value>(json).unwrap_or(Value::Null);
    let messages = file.messages.iter().map(|message| {
        json!({
            "at": message.at.to_string(),
            "direction": match message.direction { Direction::In => "in", Direction::Out => "out" },
            "body": text(&message.body),
        })
    });
    json!({
        "bot": file.customer.key.bot(),
        "channel": file.customer.key.channel(),
        "customer_id": file.customer.key.customer_id(),
        "name": file.customer.name,
        "tags": file.customer.tags,
        "record": file.customer.record,
        "region": file.customer.region,
        "contact": file.customer.contact.as_deref().map(text),
        "first_seen_at": file.customer.first_seen_at.to_string(),
        "last_seen_at": file.customer.last_seen_at.to_string(),
        "state": file.conversation.as_ref().map(|conversation| text(&conversation.state)),
        "messages": messages.collect::<Vec<_>>(),
        "notes": file.notes.iter()
            .map(|note| json!({ "at": note.at.to_string(), "text": note.words }))
            .collect::<Vec<_>>(),
        "tickets": file.tickets.iter().map(|row| view::ticket(row, Personal::Shown)).collect::<Vec<_>>(),
        "handoffs": file.handoffs.iter().map(|row| view::handoff(row, Personal::Shown)).collect::<Vec<_>>(),
    })
}
