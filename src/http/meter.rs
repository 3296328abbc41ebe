//! Counters for Prometheus, and the limit on requests at the same time.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Extension;
use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::engine::Stage;
use crate::http::Shared;
use crate::http::access::Access;
use crate::http::access::CHAT;
use crate::http::error::ApiError;
use crate::http::key::Scope;

/// Longest that a request may take, its body included: a sender that never ends holds no place for ever. Chosen
/// by hand, above every deadline of ours. A turn is one transaction, so that giving up leaves nothing half done.
const REQUEST: Duration = Duration::from_secs(15);

/// Upper borders of the latency buckets, in seconds.
const BUCKETS: [f64; 10] = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.2, 1.0];

/// All counters of the process.
pub struct Meter {
    registry: Registry,
    answers: Family<AnswerLabels, Counter>,
    engine_seconds: Histogram,
    requests: Family<RequestLabels, Counter>,
    callbacks: Family<CallbackLabels, Counter>,
    flooded: Counter,
    under_way: Gauge<i64, AtomicI64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    bot: String,
    action: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallbackLabels {
    app: String,
    result: &'static str,
}

impl Meter {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("yingda");
        let answers = Family::default();
        registry.register("answers", "Messages answered over HTTP, by bot and action", answers.clone());
        let engine_seconds = Histogram::new(BUCKETS);
        registry.register(
            "engine_seconds",
            "Time from text to reply inside the engine, over HTTP",
            engine_seconds.clone(),
        );
        let requests = Family::default();
        registry.register("http_requests", "HTTP requests, by route and status", requests.clone());
        let callbacks = Family::default();
        registry.register("wecom_callbacks", "WeCom callbacks, by app and result", callbacks.clone());
        let flooded = Counter::default();
        registry.register("flooded", "Messages over a customer's flood limit", flooded.clone());
        let under_way = Gauge::default();
        registry.register("http_requests_under_way", "HTTP requests being worked on", under_way.clone());
        Self { registry, answers, engine_seconds, requests, callbacks, flooded, under_way }
    }

    pub(super) fn answered(&self, bot: &str, action: &'static str, timings: &[(Stage, Duration)]) {
        self.answers.get_or_create(&AnswerLabels { bot: bot.to_owned(), action }).inc();
        if let Some((_, spent)) = timings.last() {
            self.engine_seconds.observe(spent.as_secs_f64());
        }
    }

    pub(super) fn flooded(&self) {
        self.flooded.inc();
    }

    pub(super) fn callback(&self, app: &str, result: &'static str) {
        self.callbacks.get_or_create(&CallbackLabels { app: app.to_owned(), result }).inc();
    }
}

/// Counts a request, and turns it away where too many are under way; health is always told.
pub(super) async fn measure(State(desk): State<Shared>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let health = matches!(route.as_str(), "/healthz" | "/readyz");
    let place = Place::take(&desk);
    let response = if place.number > desk.requests_max as i64 && !health {
        let full = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "请求太多，请稍后再试");
        let full = if route == CHAT { full.with_apology() } else { full };
        let mut response = full.into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    } else {
        match tokio::time::timeout(REQUEST, next.run(request)).await {
            Ok(response) => response,
            Err(_slow) => {
                let slow = ApiError::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "请求没有在限时内完成");
                if route == CHAT { slow.with_apology() } else { slow }.into_response()
            }
        }
    };
    let status = response.status().as_u16();
    desk.meter.requests.get_or_create(&RequestLabels { route, status }).inc();
    response
}

/// A place among the requests under way; given up when dropped, also by a client that hangs up.
struct Place {
    desk: Shared,
    number: i64,
}

impl Place {
    fn take(desk: &Shared) -> Self {
        let number = desk.meter.under_way.inner().fetch_add(1, Ordering::Relaxed) + 1;
        Self { desk: Arc::clone(desk), number }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.desk.meter.under_way.dec();
    }
}

pub(super) async fn metrics(
    State(desk): State<Shared>,
    Extension(access): Extension<Access>,
) -> Result<Response, ApiError> {
    access.require_unless_local(Scope::Agent)?;
    let mut text = String::new();
    if prometheus_client::encoding::text::encode(&mut text, &desk.meter.registry).is_err() {
        return Err(ApiError::internal());
    }
    let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    Ok((kind, text).into_response())
}
