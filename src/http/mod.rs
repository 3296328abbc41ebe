//! The HTTP side: one router, one file a resource, errors with a status and a stable code.

mod access;
mod aibot;
mod archive;
mod attachment;
mod bots;
mod chat;
mod conversations;
mod error;
mod events;
mod feedback;
mod gaps;
mod handoffs;
mod health;
pub mod key;
pub mod link;
mod listing;
mod meter;
mod models;
mod outbox;
mod page;
mod satisfaction;
mod search;
pub mod server;
mod tickets;
mod versions;
mod wecom;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::get;
use axum::routing::post;
use jiff::tz::TimeZone;

use crate::engine::Engine;
use crate::engine::ModelPlaces;
use crate::http::error::ApiError;
use crate::http::link::Signer;
use crate::http::meter::Meter;
use crate::service::Service;
use crate::service::aibot::AiBot;
use crate::service::aibot::AiBots;
use crate::service::aibot::Planner;
use crate::service::app::App;
use crate::service::callback::Callbacks;
use crate::service::callback::Plan;
use crate::service::handover::Handover;
use crate::service::kf::Accounts;
use crate::service::media::MediaShelf;
use crate::service::model::Models;
use crate::service::version::Versions;
use crate::service::view::Address;

/// What the routes need.
pub struct Desk {
    /// The bots.
    pub service: Arc<Service>,
    /// WeCom apps by the name in the path.
    pub apps: BTreeMap<String, Arc<App>>,
    /// Answers their callbacks.
    pub callbacks: Callbacks,
    /// 智能机器人 by the name in the path, and their callbacks.
    pub aibots: AiBots,
    /// Humans in the conversations.
    pub handover: Handover,
    /// What WeCom has of the bots' files.
    pub media: Arc<MediaShelf>,
    /// Their accounts of 微信客服.
    pub kf: Accounts,
    /// Signs links to attachments.
    pub signer: Signer,
    /// Counters.
    pub meter: Meter,
    /// Where models are.
    pub models: Arc<Models>,
    /// Versions of the bots' knowledge.
    pub versions: Versions,
    /// Address under which customers reach us; empty for the request's own host.
    pub public_url: String,
    /// Largest body of a request to `/api`, in bytes.
    pub body_bytes_max: usize,
    /// Requests worked on at the same time.
    pub requests_max: usize,
    /// Set when the server stops: whoever listens for events is let go.
    pub stopping: Arc<AtomicBool>,
}

type Shared = Arc<Desk>;

/// Every route, ready to be served or to be tested without a socket.
pub fn router(desk: Desk) -> Router {
    let desk: Shared = Arc::new(desk);
    let guarded = Router::new()
        .route("/api/v1/bots", get(bots::list))
        .route("/api/v1/chat", post(chat::chat))
        .route("/api/v1/chat/events", get(events::customer))
        .route("/api/v1/conversations", get(conversations::list))
        .route("/api/v1/conversations/{id}", get(conversations::show))
        .route("/api/v1/conversations/{id}/messages/{message}/media/{index}", get(conversations::media))
        .route("/api/v1/conversations/{id}/take", post(conversations::take))
        .route("/api/v1/conversations/{id}/reply", post(conversations::reply))
        .route("/api/v1/conversations/{id}/note", post(conversations::note))
        .route("/api/v1/conversations/{id}/return", post(conversations::give_back))
        .route("/api/v1/conversations/{id}/close", post(conversations::close))
        .route("/api/v1/conversations/{id}/transfer", post(conversations::transfer))
        .route("/api/v1/events", get(events::staff))
        .route("/api/v1/tickets", get(tickets::list))
        .route("/api/v1/tickets/{id}/close", post(tickets::close))
        .route("/api/v1/bots/{bot}/tasks", get(tickets::steps))
        .route("/api/v1/bots/{bot}/archive", get(archive::list))
        .route("/api/v1/bots/{bot}/satisfaction", get(satisfaction::show))
        .route("/api/v1/bots/{bot}/versions", get(versions::list))
        .route("/api/v1/bots/{bot}/versions/{number}/diff", get(versions::diff))
        .route("/api/v1/bots/{bot}/versions/{number}/publish", post(versions::publish))
        .route("/api/v1/entries", get(gaps::entries))
        .route("/api/v1/feedback", post(feedback::feedback))
        .route("/api/v1/gaps", get(gaps::gaps))
        .route("/api/v1/handoffs", get(handoffs::list))
        .route("/api/v1/handoffs/{id}/close", post(handoffs::close))
        .route("/api/v1/outbox", get(outbox::list))
        .route("/api/v1/models/reload", post(models::reload))
        .route("/api/v1/search", get(search::search))
        .route("/api/v1/openapi.json", get(page::openapi))
        .route("/metrics", get(meter::metrics))
        .layer(DefaultBodyLimit::max(desk.body_bytes_max));
    let open = Router::new()
        .route("/wecom/{app}/callback", get(wecom::verify).post(wecom::receive))
        .route("/wecom/{name}/aibot", get(aibot::verify).post(aibot::receive))
        .layer(DefaultBodyLimit::max(crate::channel::wecom::envelope::ENVELOPE_BYTES_MAX))
        .route("/a/{bot}/{expires}/{signature}/{*path}", get(attachment::serve))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready));
    let console = Router::new().route("/", get(page::index)).route("/{file}", get(page::file));
    Router::new()
        .merge(guarded)
        .merge(open)
        .merge(console)
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(error::not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), access::examine))
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), meter::measure))
        .with_state(desk)
}

impl Desk {
    /// A bot as it is now.
    ///
    /// # Errors
    /// 404 where there is none of that name.
    fn bot(&self, name: &str) -> Result<Arc<Engine>, ApiError> {
        let unknown = || {
            let message = format!("没有名为 {name} 的机器人");
            ApiError::new(StatusCode::NOT_FOUND, "unknown-bot", message)
        };
        self.service.bots().get(name).cloned().ok_or_else(unknown)
    }

    /// The links of one reply of a bot; all of one time, as a reply may be written more than once and must not change over
    /// midnight.
    pub(crate) fn links(&self, bot: &str) -> impl Fn(&str) -> Address + Send + Sync + 'static {
        links(&self.service, &self.signer, bot)
    }

    /// * `public_url`: see the configuration.
    #[must_use]
    pub fn new(
        service: Arc<Service>,
        apps: BTreeMap<String, Arc<App>>,
        callbacks: Callbacks,
        signer: Signer,
    ) -> Self {
        let versions = Versions::new(Arc::clone(service.store()), Path::new("data"));
        let places = ModelPlaces { models: PathBuf::from("models"), vectors: None };
        let models = Models::new(Arc::clone(service.store()), places, PathBuf::from("data/models"));
        let handover = Handover::new(Arc::clone(&service), apps.clone());
        let media = Arc::new(MediaShelf::new(Arc::clone(&service)));
        let aibots = AiBots::new(Arc::clone(&service), BTreeMap::new(), Duration::ZERO);
        Self {
            service,
            apps,
            callbacks,
            aibots,
            handover,
            media,
            kf: Accounts::default(),
            signer,
            meter: Meter::new(),
            models: Arc::new(models),
            versions,
            public_url: String::new(),
            body_bytes_max: 262_144,
            requests_max: 512,
            stopping: Arc::default(),
        }
    }

    /// The links of a bot as they are whenever they are asked for; see [`Self::links`].
    fn links_of(&self, bot: &str) -> impl Fn() -> Box<dyn Fn(&str) -> Address> + Send + Sync + 'static {
        let (service, signer, bot) = (Arc::clone(&self.service), self.signer.clone(), bot.to_owned());
        move || Box::new(links(&service, &signer, &bot))
    }

    /// Opens the accounts of 微信客服 of all apps; they are read when the result runs.
    pub fn open_kf(&mut self) -> Accounts {
        let host = self.public_url.trim_end_matches('/').to_owned();
        self.kf = Accounts::new(&self.service, &self.apps, &|app| wecom::kf_messages(self, app, &host));
        self.kf.clone()
    }

    /// The apps with how their passive replies are laid out when nobody's request says under which address we are reached.
    #[must_use]
    pub fn plans(&self) -> Vec<(Arc<App>, Plan)> {
        let host = self.public_url.trim_end_matches('/');
        self.apps.values().map(|app| (Arc::clone(app), wecom::plan(self, app, host))).collect()
    }

    /// The same for 智能机器人, with links that work from the time on at which they are asked for.
    #[must_use]
    pub fn planners(&self) -> Vec<(Arc<AiBot>, Planner)> {
        let planner = |aibot: &Arc<AiBot>| -> Planner {
            let (service, signer, bot) = (Arc::clone(&self.service), self.signer.clone(), aibot.bot.clone());
            let host = self.public_url.trim_end_matches('/').to_owned();
            Box::new(move || aibot::plan(links(&service, &signer, &bot), &host))
        };
        self.aibots.all().values().map(|aibot| (Arc::clone(aibot), planner(aibot))).collect()
    }
}

/// See [`Desk::links`].
fn links(service: &Service, signer: &Signer, bot: &str) -> impl Fn(&str) -> Address + Send + Sync + 'static {
    let now = service.now();
    let term = match service.bots().get(bot) {
        Some(engine) => signer.term(engine.known().profile.link_days, &engine.calendar().zoned(now)),
        None => signer.term(None, &now.to_zoned(TimeZone::UTC)),
    };
    let (signer, bot) = (signer.clone(), bot.to_owned());
    move |path| Address { url: signer.path(&bot, path, term), until: Some(term.last_day) }
}
