//! One app's way to WeCom for a command: errors say in Chinese what is wrong and what to do.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::Value;

use crate::channel::wecom::client::Client;
use crate::channel::wecom::client::ClientError;
use crate::channel::wecom::contact;
use crate::cli::bots;
use crate::cli::listing::plain;
use crate::config::Config;
use crate::knowledge::Knowledge;
use crate::message::BotId;
use crate::message::Media;
use crate::service::Service;
use crate::service::app;
use crate::service::app::App;
use crate::service::contact as customers;
use crate::service::doctor;
use crate::service::doctor::Outcome;
use crate::store::SqliteStore;
use crate::store::Store;

/// What every such command is told.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Which app, by its name in bot.toml.
    #[arg(long)]
    app: String,
    /// What WeCom answers, as JSON.
    #[arg(long)]
    json: bool,
}

impl Common {
    /// The app's name.
    pub(super) fn app(&self) -> &str {
        &self.app
    }
}

/// An app that can call.
pub(super) struct Caller {
    app: App,
    json: bool,
}

impl Caller {
    /// Finds the app and its keys.
    pub(super) async fn open(common: &Common, config: &Config) -> anyhow::Result<Self> {
        // What is published stands over what the folder says.
        let known: BTreeMap<BotId, Knowledge> =
            bots::all(&config.serve).await?.into_iter().map(|known| (known.bot.clone(), known)).collect();
        let variable = |name: &str| std::env::var(name).ok();
        let (mut apps, off) = app::apps(known.values(), &config.wecom.url, &variable);
        let name = &common.app;
        if let Some(error) = off.iter().find(|error| error.app() == name) {
            let Outcome::Bad { found, advice } = doctor::off(error).outcome else {
                anyhow::bail!("应用 {name} 用不了");
            };
            anyhow::bail!("应用 {name} 用不了：{found}。怎么办：{advice}");
        }
        let Some(app) = apps.remove(name) else {
            let names: Vec<&str> = apps.keys().map(String::as_str).collect();
            anyhow::bail!("没有叫 {name} 的应用；bot.toml 里有：{}", names.join("、"));
        };
        anyhow::ensure!(
            app.active.is_some(),
            "应用 {name} 没有 Secret，不能调用接口：在 [wecom.{name}] 里写 secret = \"env:变量名\"，并设好变量"
        );
        Ok(Self { app, json: common.json })
    }

    fn client(&self) -> &Client {
        &self.app.active.as_ref().expect("looked at when it was opened").client
    }

    /// Calls an interface.
    pub(super) async fn call(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.client().call(path, body).await.map_err(explained)
    }

    /// All rows of a list that comes page by page.
    ///
    /// * `list`: the field of an answer with its rows.
    pub(super) async fn pages(&self, path: &str, mut body: Value, list: &str) -> anyhow::Result<Vec<Value>> {
        let mut rows = Vec::new();
        loop {
            let mut answer = self.call(path, &body).await?;
            if let Some(page) = answer[list].as_array_mut() {
                rows.append(page);
            }
            let cursor = answer["next_cursor"].take();
            // The end is an empty cursor; one that does not move on would never end.
            if cursor.as_str().unwrap_or_default().is_empty() || cursor == body["cursor"] {
                return Ok(rows);
            }
            body["cursor"] = cursor;
        }
    }

    /// Asks an interface by GET.
    pub(super) async fn fetch(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        self.client().fetch(path, query).await.map_err(explained)
    }

    /// Brings the customers of the store up to the company's list of tags: calls of ours cause no event.
    pub(super) async fn tags_changed(&self, config: &Config) -> anyhow::Result<()> {
        let store = Arc::new(SqliteStore::open(&config.serve.data).await.context("opening the store")?);
        let own = Arc::clone(&store) as Arc<dyn Store>;
        let service = Service::new(Vec::new(), own, Arc::new(Timestamp::now));
        let changed = customers::tags_changed(&service, &self.app).await;
        store.close().await;
        changed.context("标签改好了，但客户身上的标签名没有跟着改；客户下次有变化时会改过来")
    }

    /// Hands WeCom a file to keep; returns its id.
    pub(super) async fn upload(&self, kind: Media, name: &str, bytes: &[u8]) -> anyhow::Result<String> {
        self.client().upload(kind, name, bytes).await.map_err(explained)
    }

    /// Tells what came of it: WeCom's answer for machines, lines for people.
    pub(super) fn tell(&self, answer: &Value, lines: &[String]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            let mut answer = answer.clone();
            if let Some(fields) = answer.as_object_mut() {
                fields.remove("errcode");
                fields.remove("errmsg");
            }
            writeln!(out, "{answer}")?;
            return Ok(());
        }
        // Names are typed by strangers.
        lines.iter().try_for_each(|line| writeln!(out, "{}", plain(line)))?;
        Ok(())
    }
}

/// An error with what it means, where that is known.
fn explained(error: ClientError) -> anyhow::Error {
    let words = match error.code().and_then(contact::advice) {
        Some(advice) => format!("{}。怎么办：{}", advice.meaning, advice.remedy),
        None => "企业微信没有办成".to_owned(),
    };
    anyhow::Error::new(error).context(words)
}

/// A line for people, where there is something to say.
pub(super) fn line(what: &str, words: &str) -> Option<String> {
    (!words.is_empty()).then(|| format!("  {what}：{words}"))
}
