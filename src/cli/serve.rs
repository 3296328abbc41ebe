//! `yingda serve`: everything in one process.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::SignedDuration;
use jiff::Timestamp;

use crate::cli::bots;
use crate::cli::demo_shop;
use crate::cli::key;
use crate::cli::note;
use crate::cli::simulate;
use crate::config::Config;
use crate::config::Serve as ServeSettings;
use crate::desk::feed::Feeds;
use crate::desk::interrupted;
use crate::desk::media;
use crate::desk::notify;
use crate::desk::outbox;
use crate::desk::sweep;
use crate::desk::timers;
use crate::desk::watch::Watch;
use crate::desk::webhook;
use crate::engine::Engine;
use crate::http;
use crate::http::key::Scope;
use crate::http::link::Signer;
use crate::http::server;
use crate::http::server::Stop;
use crate::knowledge;
use crate::secret::Secret;
use crate::service::Service;
use crate::service::aibot;
use crate::service::aibot::AiBots;
use crate::service::app;
use crate::service::app::App;
use crate::service::call::Calls;
use crate::service::callback::Callbacks;
use crate::service::callback::chain;
use crate::service::model::Models;
use crate::service::notify::Notifier;
use crate::service::notify::Urls;
use crate::service::token::Tokens;
use crate::service::version::Versions;
use crate::store::SqliteStore;
use crate::store::Store;
use crate::text::hex::lower_hex;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port [default: 127.0.0.1:8640].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Talk to a WeCom server of our own that starts beside this one, instead of the real one.
    #[arg(long)]
    simulate: bool,
}

#[tokio::main]
pub(super) async fn run(args: Args, mut config: Config) -> anyhow::Result<ExitCode> {
    if let Some(listen) = args.listen {
        config.serve.listen = listen;
    }
    let listener = server::listen(config.serve.listen).await?;
    let address = listener.local_addr().context("asking for the address")?;
    let store = Arc::new(SqliteStore::open(&config.serve.data).await.context("opening the store")?);
    let demo_shop = demo_shop::start(config.serve.demo_shop, Arc::new(Timestamp::now)).await?;
    let calls =
        Calls { allowed: config.serve.allow_hosts.clone(), demo_shop: Some(demo_shop), ..Calls::default() };
    let service = Service::new(Vec::new(), Arc::clone(&store) as Arc<dyn Store>, Arc::new(Timestamp::now));
    let service = Arc::new(service.with_calls(calls).with_notifier(notifier(&config)?));
    let versions = Versions::new(Arc::clone(&store) as Arc<dyn Store>, &config.serve.data);
    let own = Arc::clone(&store) as Arc<dyn Store>;
    let models = Models::new(own, bots::places(&config.serve), config.serve.data.join("models"));
    let models = Arc::new(models);
    let watch = raise(&config.serve, &service, &versions, &models).await?;
    let engines = service.bots();
    let simulator = if args.simulate { Some(simulate::start(address).await?) } else { None };
    let variable = |name: &str| {
        let simulated = simulator.as_ref().and_then(|simulator| simulator.variables.get(name).cloned());
        simulated.or_else(|| std::env::var(name).ok())
    };
    let wecom_url = match &simulator {
        Some(simulator) => format!("http://{}", simulator.address),
        None => config.wecom.url.clone(),
    };
    let (mut apps, off) = app::apps(engines.values().map(|engine| engine.known()), &wecom_url, &variable);
    off.iter().for_each(|error| tracing::warn!("{}", chain(error)));
    let (aibots, off) = aibot::aibots(engines.values().map(|engine| engine.known()), &variable);
    off.iter().for_each(|error| tracing::warn!("{}", chain(error)));
    let (endpoints, off) = webhook::endpoints(engines.values().map(|engine| engine.known()), &variable);
    off.iter().for_each(|error| tracing::warn!("{}", chain(error)));
    let off = service.notifier().map(|notifier| notifier.off(engines.values().map(|engine| engine.known())));
    off.iter().flatten().for_each(|error| tracing::warn!("{}", chain(error)));
    let signer = Signer::new(link_key(store.as_ref()).await?, config.serve.link_days);
    let keys = {
        // Of several processes that start over an empty store, one makes them.
        let _alone = service.leases().take("first-keys".to_owned()).await?;
        first_keys(store.as_ref()).await?
    };
    let callbacks = Callbacks::new(Arc::clone(&service), config.callback_deadline());
    let shelf = Arc::new(Tokens(Arc::clone(&service)));
    apps.values_mut()
        .filter_map(|app| app.active.as_mut())
        .for_each(|active| active.client.share(shelf.clone()));
    let apps: BTreeMap<String, Arc<App>> =
        apps.into_iter().map(|(name, app)| (name, Arc::new(app))).collect();
    let mut desk = http::Desk::new(Arc::clone(&service), apps, callbacks, signer);
    desk.aibots = AiBots::new(Arc::clone(&service), aibots, config.callback_deadline());
    desk.models = models;
    let feeds =
        Feeds::new(Arc::clone(&service), versions.clone(), config.serve.allow_hosts.clone(), |name| {
            std::env::var(name).ok()
        });
    desk.versions = versions;
    desk.public_url = config.serve.public_url.clone();
    desk.body_bytes_max = config.serve.body_bytes_max;
    desk.requests_max = config.serve.requests_max;
    let kf = desk.open_kf();
    let apps = desk.apps.clone();
    let shelf = Arc::clone(&desk.media);
    media::recall(&shelf, &apps).await;
    let (callbacks, aibots) =
        ((desk.callbacks.clone(), desk.plans()), (desk.aibots.clone(), desk.planners()));
    greet(address, engines.values(), &desk, &keys)?;
    if engines.values().any(|engine| demo_shop::wanted(engine)) {
        note(format_args!("  演示店铺（查订单、办退换用）：http://{demo_shop}/"));
    }
    if let Some(simulator) = &simulator {
        note(format_args!("  企业微信模拟器（客户和员工的手机）：http://{}/", simulator.address));
    }
    drop(engines);
    let keep = SignedDuration::from_hours(i64::from(config.callback.keep_hours));
    let beside = [
        tokio::spawn(webhook::run(Arc::clone(&service), endpoints, webhook::LOOK_EVERY)),
        tokio::spawn(timers::run(Arc::clone(&service), desk.handover.clone())),
        tokio::spawn({
            let service = Arc::clone(&service);
            async move { service.leases().run().await }
        }),
        tokio::spawn(sweep::run(Arc::clone(&service), keep)),
        tokio::spawn(watch.run()),
        tokio::spawn(feeds.run()),
        tokio::spawn(media::run(Arc::clone(&shelf), apps.clone())),
        tokio::spawn(outbox::run(Arc::clone(&service), shelf, apps)),
        tokio::spawn(notify::run(Arc::clone(&service))),
        tokio::spawn(kf.run()),
        tokio::spawn(interrupted::run(callbacks, aibots)),
    ];
    let stop = Stop {
        farewell: Duration::from_secs(config.serve.farewell_seconds),
        drain: Duration::from_secs(config.serve.drain_seconds),
    };
    let stopping = Arc::clone(&desk.stopping);
    let served = server::serve(listener, http::router(desk), stop, stopping).await;
    beside.iter().for_each(tokio::task::JoinHandle::abort);
    store.close().await;
    served?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The ways to people outside of the inbox, with secrets of the environment.
fn notifier(config: &Config) -> anyhow::Result<Notifier> {
    let settings = &config.notify;
    let urls = Urls {
        dingtalk: &settings.dingtalk_url,
        aliyun: &settings.aliyun_url,
        tencent: &settings.tencent_url,
    };
    Ok(Notifier::new(urls, Arc::new(|name| std::env::var(name).ok()))?)
}

/// Brings the store up to the folders, and the bots up to the store.
async fn raise(
    settings: &ServeSettings,
    service: &Arc<Service>,
    versions: &Versions,
    models: &Arc<Models>,
) -> anyhow::Result<Watch> {
    let root = settings.knowledge.as_path();
    let dirs = knowledge::bots(root);
    let published = versions.store().published().await?;
    if published.is_empty() {
        let dirs = dirs.with_context(|| format!("reading the knowledge folder {}", root.display()))?;
        anyhow::ensure!(
            !dirs.is_empty(),
            "no bot below {}: a bot is a folder with a bot.toml",
            root.display()
        );
    }
    let mut watch = Watch::new(Arc::clone(service), versions.clone(), Arc::clone(models), root.to_owned());
    watch.models().await;
    watch.folders().await;
    watch.publications().await;
    anyhow::ensure!(
        !service.bots().is_empty(),
        "no bot below {} can be served; `yingda check` tells why",
        root.display()
    );
    Ok(watch)
}

/// The first start of a store makes one key a scope; they are shown this once.
async fn first_keys(store: &dyn Store) -> anyhow::Result<Vec<(Scope, Secret)>> {
    let mut made = Vec::new();
    if store.keys().await?.is_empty() {
        for scope in Scope::ALL {
            made.push((scope, key::make(store, scope.into(), "first start").await?));
        }
    }
    Ok(made)
}

/// The key that signs links; every process over one store uses the same.
async fn link_key(store: &dyn Store) -> anyhow::Result<Secret> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    Ok(Secret::new(store.set_setting_if_absent("link-key", &lower_hex(&random)).await?))
}

/// What the operator reads after the start, on stderr.
fn greet<'e>(
    address: SocketAddr,
    engines: impl Iterator<Item = &'e Arc<Engine>>,
    desk: &http::Desk,
    keys: &[(Scope, Secret)],
) -> std::io::Result<()> {
    let mut talk = std::io::stderr().lock();
    writeln!(talk, "应答已启动：http://{address}/")?;
    for engine in engines {
        let known = engine.known();
        writeln!(
            talk,
            "  机器人 {}（{}，版本 {}）：{} 条知识，{} 件商品，{} 条规则",
            known.bot,
            known.profile.title,
            known.version.unwrap_or_default(),
            known.entries.len(),
            known.products.len(),
            known.rules.len()
        )?;
    }
    for app in desk.apps.values() {
        writeln!(talk, "  企业微信应用 {} → {}：/wecom/{}/callback", app.name, app.bot, app.name)?;
    }
    for aibot in desk.aibots.all().values() {
        writeln!(talk, "  企业微信智能机器人 {} → {}：/wecom/{}/aibot", aibot.name, aibot.bot, aibot.name)?;
    }
    if !keys.is_empty() {
        writeln!(talk, "\n首次启动，生成了三个接口密钥，只显示这一次，请保存：")?;
        for (scope, key) in keys {
            writeln!(talk, "  {:<6} {}", scope.as_str(), key.expose())?;
        }
        if let Some((_, admin)) = keys.iter().find(|(scope, _)| *scope == Scope::Admin) {
            writeln!(talk, "打开这个地址，就能同时看到“为什么这样回答”：")?;
            writeln!(talk, "  http://{address}/#key={}", admin.expose())?;
        }
        writeln!(talk, "丢失后可用 yingda key add --scope admin 再生成。\n")?;
    }
    Ok(())
}
