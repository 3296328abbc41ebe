//! Who may do what.
//!
//! From outside loopback only `/wecom/*`, signed links and health answer without a key. On loopback the page
//! and the chat are free. A request that a proxy passed on is from outside, and so is one whose `Host` is not
//! this machine: a web page elsewhere must not reach us through a visitor's browser.

use std::net::IpAddr;
use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::Version;
use axum::http::header;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::http::Shared;
use crate::http::error::ApiError;
use crate::http::key::Grant;
use crate::http::key::Scope;
use crate::http::key::hash;
use crate::knowledge::Knowledge;
use crate::service::callback::chain;
use crate::service::personal::Personal;
use crate::store::KeyId;

const BASIC: &str = "Basic realm=\"yingda\", charset=\"UTF-8\"";

/// The route whose errors carry words for the customer.
pub(super) const CHAT: &str = "/api/v1/chat";

/// What the sender of a request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// Whether the request comes from this machine itself.
    pub(super) local: bool,
    /// What its key grants.
    pub(super) grant: Option<Grant>,
    /// The key's number.
    pub(super) key: Option<KeyId>,
}

impl Access {
    /// What its key opens.
    pub(super) fn scope(self) -> Option<Scope> {
        self.grant.map(|grant| grant.scope)
    }

    /// What of customers is shown to it.
    pub(super) fn personal(self) -> Personal {
        if self.grant.is_some_and(|grant| grant.personal) { Personal::Shown } else { Personal::Hidden }
    }

    /// # Errors
    /// 401 without a key, 403 with one that opens less.
    pub(super) fn require(self, needed: Scope) -> Result<(), ApiError> {
        match self.scope() {
            Some(scope) if scope >= needed => Ok(()),
            Some(scope) => Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                format!("这个密钥的权限是 {}，这里需要 {}", scope.as_str(), needed.as_str()),
            )),
            None => Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                format!("需要权限为 {} 的密钥：请求头 Authorization: Bearer KEY", needed.as_str()),
            )),
        }
    }

    /// Whether a bot talks to this sender: a bot that is not for the web talks to this machine and to admins.
    pub(super) fn may_meet(self, bot: &Knowledge) -> bool {
        bot.profile.web || self.local || self.scope() == Some(Scope::Admin)
    }

    /// Like [`Self::require`], but free on this machine.
    ///
    /// # Errors
    /// As above.
    pub(super) fn require_unless_local(self, needed: Scope) -> Result<(), ApiError> {
        if self.local { Ok(()) } else { self.require(needed) }
    }
}

/// Finds out who is asking, and turns strangers away from everything that is not theirs.
pub(super) async fn examine(State(desk): State<Shared>, mut request: Request, next: Next) -> Response {
    if is_cross_site(&request) {
        return ApiError::new(StatusCode::FORBIDDEN, "cross-site", "不接受其他网站发来的请求")
            .into_response();
    }
    let local = is_local(&request);
    let (key, grant) = match presented_key(request.headers()) {
        None => (None, None),
        Some(key) => match desk.service.store().key_by_hash(&hash(&key)).await {
            Ok(row) => {
                match row.filter(|row| !row.revoked).and_then(|row| Some((row.id, Grant::named(&row.scope)?)))
                {
                    Some((id, grant)) => (Some(id), Some(grant)),
                    None => {
                        return ApiError::new(StatusCode::UNAUTHORIZED, "bad-key", "密钥不存在或已停用")
                            .into_response();
                    }
                }
            }
            Err(error) => {
                tracing::error!(error = %chain(&error), "a key could not be looked up");
                return unavailable(request.uri().path()).into_response();
            }
        },
    };
    let access = Access { local, grant, key };
    let path = request.uri().path();
    if !is_open(path)
        && let Err(error) = access.require_unless_local(Scope::Chat)
    {
        let mut response = error.into_response();
        if !path.starts_with("/api/") {
            // A browser asks its user then; the key is the password, whatever the name.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(BASIC));
        }
        return response;
    }
    request.extensions_mut().insert(access);
    next.run(request).await
}

/// What answers without a key: what WeCom and customers with a link call, health, and what the page of an
/// expired link is dressed in.
fn is_open(path: &str) -> bool {
    path.starts_with("/wecom/")
        || path.starts_with("/a/")
        || matches!(path, "/healthz" | "/readyz" | "/chat.css" | "/favicon.svg")
}

/// The store is down; whoever asked for a customer gets words for that customer.
fn unavailable(path: &str) -> ApiError {
    if path == CHAT { ApiError::internal().with_apology() } else { ApiError::internal() }
}

/// Whether a browser says that a page elsewhere made it send this; it would add a key that it remembers.
fn is_cross_site(request: &Request) -> bool {
    let site = request.headers().get("sec-fetch-site");
    !request.method().is_safe() && site.is_some_and(|site| site != "same-origin" && site != "none")
}

fn is_local(request: &Request) -> bool {
    let headers = request.headers();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let direct = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]
        .iter()
        .all(|name| !headers.contains_key(*name));
    // What proxies speak to those behind them unless told otherwise; browsers and programs have moved on.
    let old_proxy = request.version() < Version::HTTP_11;
    peer.is_some_and(is_loopback) && direct && !old_proxy && names_this_machine(headers)
}

fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
    }
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(is_loopback)
}

/// The key of a program (`Bearer KEY`) or of a browser (`Basic`, with the key as password).
fn presented_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    if let Some(key) = value.strip_prefix("Bearer ") {
        return Some(key.trim().to_owned());
    }
    let pair = STANDARD.decode(value.strip_prefix("Basic ")?.trim()).ok()?;
    let (_name, key) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    Some(key.to_owned())
}
