//! What stands in for WeCom's own server: it hands out tokens and pages of messages, takes what is sent, and writes all of it
//! down. It has a thread of its own, so that tests with and without a runtime can use it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;

pub(super) const SECRET: &str = "farmSecret";

/// Messages of one page, so that a few messages make several pages.
const PAGE: usize = 7;

/// What a call gets instead of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Status(u16),
    Html,
    Code(i64),
    /// It is done, and the answer gets lost.
    Lost,
}

#[derive(Default)]
pub(super) struct Ledger {
    pub(super) n_tokens: usize,
    token: String,
    /// Requests of `message/send`; one that is the same to the byte is not delivered again.
    pub(super) members: Vec<Value>,
    /// Messages to customers, once each.
    pub(super) customers: Vec<Value>,
    /// Messages for a code.
    pub(super) welcomes: Vec<Value>,
    /// Calls that were refused because their id was known.
    pub(super) n_repeats: usize,
    /// Pages that were asked for, with the token of the wake-up if any.
    pub(super) pages: Vec<Option<String>>,
    /// What customers wrote, by account.
    logs: BTreeMap<String, Vec<Value>>,
    ids: BTreeSet<String>,
    /// What the next calls of a path get instead of an answer.
    pub(super) faults: VecDeque<(&'static str, Fault)>,
}

#[derive(Clone)]
pub(super) struct Stand {
    pub(super) url: String,
    ledger: Arc<Mutex<Ledger>>,
    called: Arc<Condvar>,
}

impl Stand {
    pub(super) fn open() -> Self {
        let ledger: Arc<Mutex<Ledger>> = Arc::default();
        let called: Arc<Condvar> = Arc::default();
        let (tell, address) = std::sync::mpsc::channel();
        let shared = (Arc::clone(&ledger), Arc::clone(&called));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let router = Router::new()
                    .route("/cgi-bin/gettoken", get(token))
                    .route("/cgi-bin/{*path}", post(call))
                    .with_state(shared);
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { url: format!("http://{}", address.recv().unwrap()), ledger, called }
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// A customer writes.
    pub(super) fn writes(&self, open_kfid: &str, customer: &str, msgid: &str, text: &str, send_time: i64) {
        self.happens(
            open_kfid,
            json!({
                "msgid": msgid, "open_kfid": open_kfid, "external_userid": customer, "send_time": send_time,
                "origin": 3, "msgtype": "text", "text": { "content": text },
            }),
        );
    }

    pub(super) fn happens(&self, open_kfid: &str, item: Value) {
        self.ledger().logs.entry(open_kfid.to_owned()).or_default().push(item);
    }

    /// The token that was given out is no longer known.
    pub(super) fn forget_token(&self) {
        self.ledger().token.clear();
    }

    /// Waits until the ledger is as it should be, or the time is over; whether it is.
    pub(super) fn waits(&self, patience: Duration, until: impl Fn(&Ledger) -> bool) -> bool {
        let ledger = self.ledger();
        let (_ledger, over) =
            self.called.wait_timeout_while(ledger, patience, |ledger| !until(ledger)).unwrap();
        !over.timed_out()
    }

    /// What one customer got, in order.
    pub(super) fn heard_by(&self, customer: &str) -> Vec<String> {
        let ledger = self.ledger();
        let own = ledger.customers.iter().filter(|message| message["touser"] == customer);
        own.map(|message| message["text"]["content"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

type Shared = State<(Arc<Mutex<Ledger>>, Arc<Condvar>)>;
type Params = Query<BTreeMap<String, String>>;

fn refusal(code: i64) -> Response {
    axum::Json(json!({ "errcode": code, "errmsg": "refused, hint: [1] from ip: 10.0.0.1" })).into_response()
}

async fn token(State((ledger, _)): Shared, Query(params): Params) -> Response {
    let mut ledger = ledger.lock().unwrap();
    if params["corpsecret"] != SECRET {
        return refusal(40001);
    }
    ledger.n_tokens += 1;
    if ledger.token.is_empty() {
        ledger.token = format!("token{}", ledger.n_tokens);
    }
    axum::Json(json!({ "errcode": 0, "errmsg": "ok", "access_token": ledger.token, "expires_in": 7200 }))
        .into_response()
}

async fn call(
    State((ledger, called)): Shared,
    Path(path): Path<String>,
    Query(params): Params,
    body: String,
) -> Response {
    let mut ledger = ledger.lock().unwrap();
    if params["access_token"] != ledger.token {
        return refusal(40014);
    }
    let body: Value = serde_json::from_str(&body).unwrap();
    let meets = ledger.faults.front().is_some_and(|(of, _)| *of == path);
    let fault = if meets { ledger.faults.pop_front().map(|(_, fault)| fault) } else { None };
    match fault {
        Some(Fault::Code(code)) => return refusal(code),
        Some(Fault::Html) => return "<html>nginx</html>".into_response(),
        Some(Fault::Status(status)) => {
            return axum::http::StatusCode::from_u16(status).unwrap().into_response();
        }
        Some(Fault::Lost) | None => {}
    }
    called.notify_all();
    let answer = match path.as_str() {
        "message/send" => ledger.member_gets(body),
        "kf/sync_msg" => ledger.page(&body),
        "kf/send_msg" => ledger.customer_gets(body),
        "kf/send_msg_on_event" => {
            ledger.welcomes.push(body);
            json!({ "errcode": 0, "errmsg": "ok", "msgid": "w" })
        }
        _ => json!({ "errcode": 40066, "errmsg": "invalid url" }),
    };
    match fault {
        Some(Fault::Lost) => axum::http::StatusCode::BAD_GATEWAY.into_response(),
        _ => axum::Json(answer).into_response(),
    }
}

impl Ledger {
    fn member_gets(&mut self, body: Value) -> Value {
        if self.members.contains(&body) {
            self.n_repeats += 1;
        } else {
            self.members.push(body);
        }
        json!({ "errcode": 0, "errmsg": "ok", "msgid": "m" })
    }

    fn customer_gets(&mut self, body: Value) -> Value {
        let id = body["msgid"].as_str().unwrap().to_owned();
        assert!(id.len() <= 32, "{id}");
        if !self.ids.insert(id) {
            self.n_repeats += 1;
            return json!({ "errcode": 95033, "errmsg": "duplicate msgid" });
        }
        self.customers.push(body);
        json!({ "errcode": 0, "errmsg": "ok", "msgid": "k" })
    }

    fn page(&mut self, body: &Value) -> Value {
        self.pages.push(body["token"].as_str().map(str::to_owned));
        let log = self.logs.entry(body["open_kfid"].as_str().unwrap().to_owned()).or_default();
        let from: usize = body["cursor"].as_str().map_or(0, |cursor| cursor[1..].parse().unwrap());
        // Every third page is empty and does not end the list.
        let to = if self.pages.len() % 3 == 2 { from } else { (from + PAGE).min(log.len()) };
        json!({
            "errcode": 0, "errmsg": "ok", "next_cursor": format!("c{to}"),
            "has_more": i32::from(to < log.len()), "msg_list": log[from..to],
        })
    }
}
