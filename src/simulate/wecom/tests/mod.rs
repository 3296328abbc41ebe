//! The server answers as the developer centre's pages say; read from there, not from our client.

mod cards;
mod media;
mod messages;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::body::to_bytes;
use axum::http::HeaderMap;
use axum::http::Request;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use tower::ServiceExt;

use crate::simulate::wecom::Plan;
use crate::simulate::wecom::Simulator;

const KF: &str = "wkSimulatorShop";

pub(super) struct Server {
    pub(super) simulator: Simulator,
    pub(super) router: Router,
    pub(super) token: String,
}

impl Server {
    pub(super) async fn open() -> Self {
        Self::over(Plan::demo("http://127.0.0.1:1")).await
    }

    pub(super) async fn over(mut plan: Plan) -> Self {
        // Nobody listens there: nothing is delivered.
        plan.apps.iter_mut().for_each(|app| app.callback = None);
        let secret = plan.apps[0].secret.expose().to_owned();
        let at = Timestamp::from_second(1_795_485_600).unwrap();
        let simulator = Simulator::new(plan, 7, Arc::new(move || at)).unwrap();
        let router = simulator.clone().router();
        let mut server = Self { simulator, router, token: String::new() };
        let answer = server.get(&format!("gettoken?corpid=wwsimulator00001&corpsecret={secret}")).await;
        server.token = answer["access_token"].as_str().unwrap().to_owned();
        server
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Value {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let bytes = to_bytes(response.into_body(), 8 << 20).await.unwrap();
        serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)))
    }

    /// What comes back, where it is no document.
    async fn raw(&self, request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        (head.status, head.headers, to_bytes(body, 1 << 20).await.unwrap().to_vec())
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        self.send(Request::get(format!("/cgi-bin/{path}")).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn call(&self, path: &str, body: Value) -> Value {
        let uri = format!("/cgi-bin/{path}?access_token={}", self.token);
        self.send(
            Request::post(uri)
                .header("content-type", "application/json")
                .body(body.to_string().into())
                .unwrap(),
        )
        .await
    }

    pub(super) async fn code(&self, path: &str, body: Value) -> i64 {
        self.call(path, body).await["errcode"].as_i64().unwrap()
    }

    pub(super) async fn control(&self, path: &str, body: Value) -> Value {
        let request = Request::post(format!("/_sim/{path}")).header("content-type", "application/json");
        self.send(request.body(body.to_string().into()).unwrap()).await
    }

    pub(super) async fn control_view(&self, path: &str) -> Value {
        self.send(Request::get(format!("/_sim/{path}")).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn says(&self, customer: &str, text: &str) {
        self.control(&format!("customers/{customer}/say"), json!({ "account": KF, "text": text })).await;
    }

    pub(super) async fn broken(&self) -> Vec<String> {
        let ledger = self.send(Request::get("/_sim/ledger").body(Body::empty()).unwrap()).await;
        let broken = ledger["broken"].as_array().unwrap().iter();
        broken.map(|one| one["rule"].as_str().unwrap().to_owned()).collect()
    }

    /// All pages from a cursor on, and how many there were.
    pub(super) async fn listed(&self) -> (Vec<Value>, usize) {
        let (mut items, mut n_pages, mut cursor) = (Vec::new(), 0, None::<String>);
        loop {
            let mut body = json!({ "open_kfid": KF });
            if let Some(cursor) = &cursor {
                body["cursor"] = json!(cursor);
            }
            let page = self.call("kf/sync_msg", body).await;
            assert_eq!(page["errcode"], 0, "{page}");
            items.extend(page["msg_list"].as_array().unwrap().iter().cloned());
            (n_pages, cursor) = (n_pages + 1, Some(page["next_cursor"].as_str().unwrap().to_owned()));
            if page["has_more"] == 0 {
                return (items, n_pages);
            }
        }
    }
}

fn text(customer: &str, words: &str) -> Value {
    json!({ "touser": customer, "open_kfid": KF, "msgtype": "text", "text": { "content": words } })
}

#[tokio::test]
async fn a_token_is_the_same_until_it_ends_or_is_revoked() {
    let server = Server::open().await;
    let path = "gettoken?corpid=wwsimulator00001&corpsecret=simulator-secret-of-shop";
    assert_eq!(server.get(path).await["access_token"], server.token.as_str());
    assert_eq!(server.get("gettoken?corpid=other&corpsecret=x").await["errcode"], 40_013);
    assert_eq!(server.get("gettoken?corpid=wwsimulator00001&corpsecret=x").await["errcode"], 40_001);
    let with = async |token: &str| {
        server
            .send(Request::post(format!("/cgi-bin/kf/account/list{token}")).body("{}".into()).unwrap())
            .await
    };
    assert_eq!(with("").await["errcode"], 41_001);
    assert_eq!(with("?access_token=x").await["errcode"], 40_014);
    server.control("clock", json!({ "advance_seconds": 7_201 })).await;
    assert_eq!(server.code("kf/account/list", json!({})).await, 42_001);
    let next = server.get(path).await["access_token"].clone();
    assert_ne!(next, server.token.as_str());
    server.control("tokens/revoke", json!({})).await;
    assert_eq!(with(&format!("?access_token={}", next.as_str().unwrap())).await["errcode"], 40_014);
}

#[tokio::test]
async fn every_message_is_listed_once_over_short_and_empty_pages_for_three_days() {
    let server = Server::over(Plan { page_max: 2, ..Plan::demo("http://127.0.0.1:1") }).await;
    for number in 0..15 {
        server.says("wm", &format!("{number}")).await;
    }
    let (items, n_pages) = server.listed().await;
    let said: Vec<&str> = items.iter().map(|item| item["text"]["content"].as_str().unwrap()).collect();
    assert_eq!(said, (0..15).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(n_pages > 8, "{n_pages}: no page was empty");
    server.control("clock", json!({ "advance_seconds": 3 * 86_400 + 1 })).await;
    let secret = "simulator-secret-of-shop";
    let token = server.get(&format!("gettoken?corpid=wwsimulator00001&corpsecret={secret}")).await;
    let server = Server { token: token["access_token"].as_str().unwrap().to_owned(), ..server };
    server.says("wm", "late").await;
    assert_eq!(server.listed().await.0.len(), 1);
    assert_eq!(server.code("kf/sync_msg", json!({ "open_kfid": KF, "token": "old" })).await, 95_007);
    assert_eq!(server.code("kf/sync_msg", json!({ "open_kfid": KF, "cursor": "c0.0.other" })).await, 40_058);
}

#[tokio::test]
async fn messages_to_customers_keep_the_rules_of_the_page() {
    let server = Server::open().await;
    assert_eq!(server.code("kf/send_msg", text("wm", "您好")).await, 40_096, "a stranger");
    server.says("wm", "在吗").await;
    let mut own = text("wm", "您好");
    own["msgid"] = json!("bot-1");
    assert_eq!(server.call("kf/send_msg", own.clone()).await["msgid"], "bot-1");
    assert_eq!(server.code("kf/send_msg", own.clone()).await, 95_033);
    own["msgid"] = json!("不行");
    assert_eq!(server.code("kf/send_msg", own.clone()).await, 40_058);
    for _ in 0..4 {
        assert_eq!(server.code("kf/send_msg", text("wm", "再说")).await, 0);
    }
    assert_eq!(server.code("kf/send_msg", text("wm", "第六条")).await, 95_001);
    server.says("wm", "嗯").await;
    let menu = |items: usize, id: &str| {
        let item = json!({ "type": "click", "click": { "id": id, "content": "转人工" } });
        let list: Vec<Value> = (0..items).map(|_| item.clone()).collect();
        json!({ "touser": "wm", "open_kfid": KF, "msgtype": "msgmenu",
                "msgmenu": { "head_content": "请选择", "list": list } })
    };
    assert_eq!(server.code("kf/send_msg", menu(11, "a")).await, 95_008);
    assert_eq!(server.code("kf/send_msg", menu(1, "a-b")).await, 40_058);
    assert_eq!(server.code("kf/send_msg", menu(10, "a_b")).await, 0);
    assert_eq!(server.broken().await.len(), 1, "only the sixth message");
    let mut odd = text("wm", &"长".repeat(700));
    odd["touserr"] = json!("x");
    assert_eq!(server.code("kf/send_msg", odd).await, 0);
    let broken = server.broken().await;
    assert!(broken[1].contains("touserr") && broken[2].contains("2100 bytes"), "{broken:?}");
}

#[tokio::test]
async fn a_servicer_silences_the_interface_until_the_customer_writes_anew() {
    let server = Server::open().await;
    server.says("wm", "在吗").await;
    let state = async || {
        let body = json!({ "open_kfid": KF, "external_userid": "wm" });
        server.call("kf/service_state/get", body).await["service_state"].as_i64().unwrap()
    };
    assert_eq!(state().await, 0);
    assert_eq!(server.code("kf/send_msg", text("wm", "您好")).await, 0);
    assert_eq!(state().await, 1);
    let serving = json!({ "account": KF, "customer": "wm", "text": "我来" });
    server.control("servicers/lilei/take", serving.clone()).await;
    server.control("servicers/lilei/say", serving.clone()).await;
    assert_eq!((state().await, server.code("kf/send_msg", text("wm", "我也在")).await), (3, 95_018));
    server.control("servicers/lilei/end", serving).await;
    let body = json!({ "open_kfid": KF, "external_userid": "wm", "service_state": 1 });
    assert_eq!((state().await, server.code("kf/service_state/trans", body).await), (4, 95_013));
    server.says("wm", "还有个问题").await;
    assert_eq!((state().await, server.code("kf/send_msg", text("wm", "请说")).await), (0, 0));
    let (items, _) = server.listed().await;
    let changes: Vec<i64> = items.iter().filter_map(|item| item["event"]["change_type"].as_i64()).collect();
    assert_eq!(changes, [1, 3]);
    assert!(items.iter().any(|item| item["origin"] == 5 && item["servicer_userid"] == "lilei"));
}

#[tokio::test]
async fn a_welcome_code_is_good_once_and_for_twenty_seconds() {
    let server = Server::open().await;
    let enter = async |customer: &str| {
        server.control(&format!("customers/{customer}/enter"), json!({ "account": KF })).await;
        let (items, _) = server.listed().await;
        items.last().unwrap()["event"]["welcome_code"].as_str().map(str::to_owned)
    };
    let welcome = |code: &str| json!({ "code": code, "msgtype": "text", "text": { "content": "欢迎" } });
    let code = enter("wm").await.unwrap();
    assert_eq!(server.code("kf/send_msg_on_event", welcome(&code)).await, 0);
    assert_eq!(server.code("kf/send_msg_on_event", welcome(&code)).await, 41_050);
    assert_eq!(enter("wm").await, None, "greeted within two days");
    let late = enter("other").await.unwrap();
    server.control("clock", json!({ "advance_seconds": 21 })).await;
    assert_eq!(server.code("kf/send_msg_on_event", welcome(&late)).await, 41_050);
}

#[tokio::test]
async fn app_messages_keep_the_rules_of_the_page() {
    let server = Server::open().await;
    let message = |member: &str, agent_id: i64| {
        json!({ "touser": member, "msgtype": "text", "agentid": agent_id, "text": { "content": "您好" },
                "enable_duplicate_check": 1 })
    };
    assert_eq!(server.code("message/send", message("lilei", 1_000_002)).await, 301_002);
    assert_eq!(server.code("message/send", message("nobody", 1_000_001)).await, 81_013);
    let partly = server.call("message/send", message("LiLei|nobody", 1_000_001)).await;
    assert_eq!((&partly["errcode"], &partly["invaliduser"]), (&json!(0), &json!("nobody")));
    server.call("message/send", message("LiLei|nobody", 1_000_001)).await;
    let phones = server.send(Request::get("/_sim/phones").body(Body::empty()).unwrap()).await;
    assert_eq!(phones["phones"]["lilei"].as_array().unwrap().len(), 1, "a repetition is not delivered");
    let id = partly["msgid"].as_str().unwrap();
    assert_eq!(server.code("message/recall", json!({ "msgid": id })).await, 0);
}

#[tokio::test]
async fn faults_come_by_script_and_as_often_as_it_says() {
    let server = Server::open().await;
    server.control("faults", json!({ "path": "kf/account/list", "effect": "code", "code": 45_009 })).await;
    server.control("faults", json!({ "path": "kf/account/list", "effect": "html" })).await;
    assert_eq!(server.code("kf/account/list", json!({})).await, 45_009);
    assert!(server.call("kf/account/list", json!({})).await.is_string());
    assert_eq!(server.code("kf/account/list", json!({})).await, 0);
    let unknown = server.control("faults", json!({ "path": "x", "effect": "explode" })).await;
    assert!(unknown.as_str().unwrap().contains("explode"), "{unknown}");
}
