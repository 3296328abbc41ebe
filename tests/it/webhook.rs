//! A handoff is told to the outside until it is taken, signed, and never twice.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::mpsc;
use yingda::desk::webhook;
use yingda::message::Channel;
use yingda::message::Content;
use yingda::message::CustomerKind;
use yingda::service::Question;
use yingda::service::Service;
use yingda::store::HandoffFilter;
use yingda::store::SqliteStore;
use yingda::store::Store;

use crate::fixture::BOT;
use crate::fixture::Folder;
use crate::fixture::TO_HUMAN;
use crate::fixture::bot_toml;

const KEY: &[u8] = b"twenty-four bytes or more";

/// Far beyond anything but a hang.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the receiver got.
struct Delivery {
    headers: HeaderMap,
    body: String,
}

impl Delivery {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("a readable header")
    }

    fn is_signed(&self) -> bool {
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).expect("a key of any length");
        mac.update(format!("{id}.{at}.{}", self.body).as_bytes());
        self.header("webhook-signature") == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// A receiver that refuses the first delivery and takes those after it.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Delivery>) {
    let (tell, deliveries) = mpsc::unbounded_channel();
    let seen = Arc::new(AtomicI64::new(0));
    let take = move |headers: HeaderMap, body: String| async move {
        tell.send(Delivery { headers, body }).expect("the test listens");
        let first = seen.fetch_add(1, Ordering::SeqCst) == 0;
        if first { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::NO_CONTENT }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/handoffs", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/handoffs", post(take))).await });
    (url, deliveries)
}

#[tokio::test]
async fn a_refused_handoff_is_told_again_and_a_taken_one_is_not() {
    let (url, mut deliveries) = receiver().await;
    let folder = Folder::new();
    let hooked = bot_toml()
        .replace("[handoff]\n", "[handoff]\nwebhook = \"env:HOOK\"\nwebhook_secret = \"env:HOOK_SECRET\"\n");
    folder.write(&format!("{BOT}/bot.toml"), hooked.as_bytes());
    let data = tempfile::tempdir().expect("a temporary folder");
    let store = Arc::new(SqliteStore::open(data.path()).await.expect("a store"));
    let second = Arc::new(AtomicI64::new(1_800_000_000));
    let clock = {
        let second = Arc::clone(&second);
        Arc::new(move || Timestamp::from_second(second.load(Ordering::SeqCst)).expect("a time"))
    };
    let engine = folder.engine();
    let known = engine.known().clone();
    let variable = |name: &str| match name {
        "HOOK" => Some(url.clone()),
        "HOOK_SECRET" => Some(format!("whsec_{}", STANDARD.encode(KEY))),
        _ => None,
    };
    let (endpoints, off) = webhook::endpoints(std::iter::once(&known), &variable);
    assert!(off.is_empty(), "{off:?}");
    let service = Arc::new(Service::new(vec![engine], Arc::clone(&store) as Arc<dyn Store>, clock));
    let sending = tokio::spawn(webhook::run(Arc::clone(&service), endpoints, Duration::from_millis(20)));

    let question = Question {
        with: Vec::new(),
        bot: BOT.to_owned(),
        channel: Channel::Web,
        customer_id: "wang".to_owned(),
        name: None,
        kind: CustomerKind::Customer,
        content: Content::Text(TO_HUMAN.to_owned()),
    };
    service.answer(&question).await.expect("an answer");
    let mut next = async || {
        tokio::time::timeout(DEADLINE, deliveries.recv())
            .await
            .expect("a delivery in time")
            .expect("a delivery")
    };
    let refused = next().await;
    assert!(refused.is_signed());
    let body: Value = serde_json::from_str(&refused.body).expect("JSON");
    assert_eq!(body["type"], "handoff.opened");
    assert_eq!(body["data"]["customer_id"], "wang");
    assert_eq!(body["data"]["group"], "service");

    // The wait before the second attempt is over.
    second.fetch_add(3_600, Ordering::SeqCst);
    let taken = next().await;
    assert!(taken.is_signed(), "signed anew for its own time");
    assert_eq!(taken.header("webhook-id"), refused.header("webhook-id"), "the receiver can tell a repeat");

    let all = || HandoffFilter { bot: None, open_only: false, limit: 10 };
    let settled = async {
        while store.handoffs(all()).await.expect("the handoffs")[0].webhook_done_at.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, settled).await.expect("settled in time");
    sending.abort();
    assert!(deliveries.try_recv().is_err(), "a handoff that was taken is told no more");
}
