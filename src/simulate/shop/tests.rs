//! The shop through its HTTP interface, without a socket.

use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::body::to_bytes;
use axum::http::Request;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use sha2::Sha256;
use tower::ServiceExt as _;

use crate::simulate::shop::BUYERS_MAX;
use crate::simulate::shop::Shop;

const NOW: &str = "2026-11-02T10:00:00+08:00";

/// A shop whose clock the test moves.
struct Bench {
    shop: Shop,
    now: Arc<Mutex<Timestamp>>,
}

fn bench(secret: Option<&[u8]>) -> Bench {
    let now = Arc::new(Mutex::new(NOW.parse().unwrap()));
    let shared = Arc::clone(&now);
    let clock = Arc::new(move || *shared.lock().unwrap());
    Bench { shop: Shop::new(clock, secret.map(<[u8]>::to_vec)), now }
}

impl Bench {
    fn router(&self) -> Router {
        self.shop.clone().router()
    }

    fn later(&self, hours: i64) {
        *self.now.lock().unwrap() += SignedDuration::from_hours(hours);
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.router().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, body) = self.send(Request::get(path).body(Body::empty()).unwrap()).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(path).header("webhook-id", key).body(body.to_string().into()).unwrap();
        let (status, body) = self.send(request).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    /// The orders of `li` that a query finds; every text in it must be percent-encoded.
    async fn orders(&self, query: &str) -> Vec<Value> {
        let (status, answer) = self.get(&format!("/api/orders?buyer=li{query}")).await;
        assert_eq!((status, &answer["code"]), (StatusCode::OK, &json!(0)), "{query}: {answer}");
        answer["data"].as_array().unwrap().clone()
    }

    /// `li`'s order of an article.
    async fn order(&self, sku: &str) -> Value {
        let orders = self.orders("").await;
        let has = |order: &Value| order["lines"].as_array().unwrap().iter().any(|line| line["sku"] == sku);
        orders.into_iter().find(has).unwrap_or_else(|| panic!("no order with {sku}"))
    }

    async fn path(&self, sku: &str, what: &str) -> String {
        format!("/api/orders/{}/{what}", self.order(sku).await["order_no"].as_str().unwrap())
    }

    async fn return_of(&self, sku: &str, kind: &str) -> Value {
        let order = self.order(sku).await;
        let mut lines = order["lines"].as_array().unwrap().iter();
        let line = lines.find(|line| line["sku"] == sku).unwrap();
        json!({
            "buyer": "li", "order_no": order["order_no"], "line_id": line["line_id"], "kind": kind,
            "reason": "不合身", "method": "上门取件",
        })
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn a_new_buyer_finds_orders_newest_first() {
    let orders = bench(None).orders("").await;
    assert_eq!(orders.len(), 10);
    let paid: Vec<Timestamp> =
        orders.iter().map(|order| order["paid_at"].as_str().unwrap().parse().unwrap()).collect();
    assert!(paid.is_sorted_by(|newer, older| newer >= older), "{paid:?}");
}

#[tokio::test]
async fn an_order_has_the_fields_of_the_shop() {
    let order = bench(None).order("YR-C101").await;
    let line = json!({
        "line_id": "202610180370-1", "sku": "YR-C101", "title": "云柔新疆长绒棉长袖衬衫", "category": "衬衫",
        "color": "黑色", "size": "L", "qty": 1, "price_fen": 19900, "returnable": true,
        "no_return_reason": null,
    });
    let socks = json!({
        "line_id": "202610180370-2", "sku": "YR-Z101", "title": "云柔纯棉中筒袜五双装", "category": "袜子",
        "color": "白色", "size": "均码", "qty": 1, "price_fen": 3900, "returnable": false,
        "no_return_reason": "贴身商品拆封后不支持无理由退换",
    });
    let expected = json!({
        "order_no": "202610180370", "status": "signed", "status_text": "已签收",
        "paid_at": "2026-10-18T20:41:00+08:00", "shipped_at": "2026-10-26T16:05:00+08:00",
        "signed_at": "2026-10-29T15:12:00+08:00", "amount_fen": 23800,
        "receiver": { "name": "林小云", "mobile": "138****0017", "address": "上海市徐汇区云朵路8号3幢502室" },
        "lines": [line, socks], "hit": line,
        "parcel": {
            "carrier": "圆通", "tracking_no": "YT9202610180370", "last_event": "已签收，签收人：本人",
            "last_event_at": "2026-10-29T15:12:00+08:00",
        },
        "invoice": null, "refund": null,
    });
    assert_eq!(order, expected);
}

/// Which articles a query hits, in the order of the answer.
#[track_caller]
fn check_hits(query: &str, expected: &[&str]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let orders = runtime.block_on(async { bench(None).orders(query).await });
    let hits: Vec<_> = orders.iter().map(|order| order["hit"]["sku"].as_str().unwrap()).collect();
    assert_eq!(hits, expected, "{query}");
}

#[test]
fn filters_find_by_article_colour_time_status_and_number() {
    check_hits(&format!("&goods={}", encoded("衬衫")), &["YR-C101", "YR-C104"]);
    check_hits(&format!("&goods={}&color={}", encoded("衬衫"), encoded("黑色")), &["YR-C101"]);
    check_hits(&format!("&color={}", encoded("黑")), &["XH-D102", "YR-C101"]);
    check_hits(&format!("&color={}", encoded("黑色的")), &["XH-D102", "YR-C101"]);
    check_hits(&format!("&goods={}", encoded("袜")), &["YR-Z101"]);
    check_hits(&format!("&goods={}", encoded("t恤")), &["YR-T101"]);
    // One line has the article and another the colour.
    check_hits(&format!("&goods={}&color={}", encoded("袜"), encoded("黑色")), &[]);
    check_hits("&status=refunding", &["YR-T108"]);
    check_hits("&status=unpaid", &[]);
    check_hits("&order_no=202610180370", &["YR-C101"]);
    check_hits("&order_no=1&goods=&color=&from=&until=&status=", &[]);
    let (from, until) = (encoded("2026-10-18T20:41:00+08:00"), encoded("2026-10-18T20:41:01+08:00"));
    check_hits(&format!("&from={from}&until={until}"), &["YR-C101"]);
    check_hits(&format!("&from={from}&until={from}"), &[]);
    check_hits(&format!("&until={}", encoded("2026-10-01T00:00:00+08:00")), &["XN-L101"]);
}

#[tokio::test]
async fn empty_filters_ask_for_nothing() {
    let bench = bench(None);
    assert_eq!(bench.orders("&order_no=&goods=&color=&from=&until=&status=").await.len(), 10);
}

#[tokio::test]
async fn malformed_queries_are_refused() {
    let bench = bench(None);
    let long = "x".repeat(129);
    for path in [
        "/api/orders".to_owned(),
        "/api/orders?buyer=".to_owned(),
        "/api/orders?buyer=a%0Ab".to_owned(),
        format!("/api/orders?buyer={long}"),
        "/api/orders?buyer=li&from=yesterday".to_owned(),
        "/api/orders?buyer=li&status=lost".to_owned(),
        "/api/orders?buyer=li&colour=x".to_owned(),
        "/api/parcels/1".to_owned(),
    ] {
        let (status, answer) = bench.get(&path).await;
        assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!(4000)), "{path}");
        assert!(answer["msg"].is_string(), "{path}");
    }
    assert_eq!(bench.get("/api/other").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_parcel_tells_its_way_to_its_buyer() {
    let bench = bench(None);
    let number = bench.order("YR-W101").await["parcel"]["tracking_no"].as_str().unwrap().to_owned();
    let (_, answer) = bench.get(&format!("/api/parcels/{number}?buyer=li")).await;
    let expected = json!({ "carrier": "顺丰", "tracking_no": number, "events": [
        { "at": "2026-11-01T14:25:00+08:00", "text": "已到达转运中心，等待派送", "place": "上海" },
        { "at": "2026-10-31T22:10:00+08:00", "text": "已离开发货城市，运往上海", "place": "杭州" },
        { "at": "2026-10-31T16:40:00+08:00", "text": "已揽收", "place": "杭州" },
    ]});
    assert_eq!(answer, json!({ "code": 0, "data": expected }));
    let (status, answer) = bench.get("/api/parcels/SF1?buyer=li").await;
    assert_eq!((status, answer), (StatusCode::OK, json!({ "code": 4043, "msg": "没有这个运单" })));
}

#[tokio::test]
async fn a_return_is_taken_once_and_its_refund_shows() {
    let bench = bench(None);
    let body = bench.return_of("YR-C101", "退货").await;
    let (status, answer) = bench.post("/api/returns", "k1", &body).await;
    let expected = json!({
        "return_no": "R202611020001", "label_url": "https://shop.yunduo.example/returns/R202611020001",
        "pickup_at": "2026-11-03T10:00:00+08:00",
    });
    assert_eq!((status, &answer), (StatusCode::OK, &json!({ "code": 0, "data": expected })));
    let order = bench.order("YR-C101").await;
    assert_eq!((&order["status"], &order["refund"]["amount_fen"]), (&json!("refunding"), &json!(19900)));

    bench.later(1);
    assert_eq!(bench.post("/api/returns", "k1", &body).await.1, answer, "a repetition is answered the same");
    assert_eq!(bench.shop.done().len(), 1);
    let (_, again) = bench.post("/api/returns", "k2", &body).await;
    assert_eq!(again, json!({ "code": 4103, "msg": "这件商品已经申请过售后" }));
    let done = bench.shop.done();
    assert_eq!(done.len(), 1, "what was refused was not done");
    assert_eq!(
        (done[0].kind, done[0].order_no.as_str(), done[0].key.as_str()),
        ("return", "202610180370", "k1")
    );
    assert_eq!(done[0].body, body);

    let mut socks = bench.return_of("YR-Z101", "退款").await;
    socks["method"] = "自己寄回".into();
    let (_, answer) = bench.post("/api/returns", "k3", &socks).await;
    assert_eq!((&answer["code"], &answer["data"]["pickup_at"]), (&json!(0), &Value::Null));
    assert_eq!(bench.order("YR-C101").await["refund"]["amount_fen"], 23800);
}

#[tokio::test]
async fn an_exchange_brings_no_money_back() {
    let bench = bench(None);
    let mut body = bench.return_of("MB-B101", "换货").await;
    body["new_size"] = "41".into();
    body["new_color"] = "".into();
    assert_eq!(bench.post("/api/returns", "k", &body).await.1["code"], 0);
    let order = bench.order("MB-B101").await;
    assert_eq!((&order["status"], &order["refund"]), (&json!("signed"), &Value::Null));
}

#[tokio::test]
async fn returns_are_refused_outside_the_rules() {
    let bench = bench(None);
    for (sku, code) in
        [("YR-W101", 4101), ("XH-D102", 4101), ("YR-T101", 4101), ("XN-L101", 4102), ("YR-T108", 4103)]
    {
        let body = bench.return_of(sku, "退货").await;
        let (status, answer) = bench.post("/api/returns", sku, &body).await;
        assert_eq!((status, &answer["code"]), (StatusCode::OK, &json!(code)), "{sku}");
    }
    let mut body = bench.return_of("YR-C101", "退货").await;
    body["line_id"] = "x".into();
    assert_eq!(bench.post("/api/returns", "line", &body).await.1["code"], 4042);
    body["order_no"] = "x".into();
    assert_eq!(bench.post("/api/returns", "order", &body).await.1["code"], 4041);
    assert!(bench.shop.done().is_empty());
}

#[tokio::test]
async fn a_return_is_taken_until_the_thirtieth_day() {
    let bench = bench(None);
    // Signed on 29 October at 15:12; it is 2 November, 10:00.
    let body = bench.return_of("YR-C101", "退货").await;
    bench.later(30 * 24 - 91);
    assert_eq!(bench.post("/api/returns", "a", &body).await.1["code"], 0);
    let body = bench.return_of("YR-Z101", "退货").await;
    bench.later(1);
    assert_eq!(bench.post("/api/returns", "b", &body).await.1["code"], 4102);
}

#[tokio::test]
async fn an_address_changes_until_shipping() {
    let bench = bench(None);
    let body = json!({ "buyer": "li", "address": "南京市玄武区 1 号", "mobile": null, "name": " 李雷 " });
    let (_, answer) = bench.post(&bench.path("XH-D102", "address").await, "a", &body).await;
    assert_eq!(answer["data"]["address"], "南京市玄武区 1 号");
    let receiver = &bench.order("XH-D102").await["receiver"];
    assert_eq!(*receiver, json!({ "name": "李雷", "mobile": "138****0017", "address": "南京市玄武区 1 号" }));
    let (_, answer) = bench.post(&bench.path("YR-W101", "address").await, "b", &body).await;
    assert_eq!(answer, json!({ "code": 4201, "msg": "已发货，改不了地址" }));
    let (_, answer) = bench.post(&bench.path("YR-T101", "address").await, "c", &body).await;
    assert_eq!(answer["code"], 4202);
}

#[tokio::test]
async fn an_order_is_cancelled_until_shipping_and_once() {
    let bench = bench(None);
    let body = json!({ "buyer": "li", "reason": "不想要了" });
    let path = bench.path("MB-Y101", "cancel").await;
    let (_, answer) = bench.post(&path, "a", &body).await;
    assert_eq!(answer["data"]["refund_fen"], 29900);
    assert_eq!(bench.order("MB-Y101").await["status"], "cancelled");
    assert_eq!(bench.post(&path, "b", &body).await.1["code"], 4302);
    assert_eq!(bench.post(&bench.path("NJ-J101", "cancel").await, "c", &body).await.1["code"], 4301);
    assert_eq!(
        bench.post(&bench.path("MB-Y101", "urge").await, "d", &json!({ "buyer": "li" })).await.1["code"],
        4402
    );
}

#[tokio::test]
async fn other_wishes_are_taken_down() {
    let bench = bench(None);
    let urge = json!({ "buyer": "li" });
    let (_, answer) = bench.post(&bench.path("XH-D102", "urge").await, "1", &urge).await;
    assert_eq!(answer["data"]["promise"], "今天24点前发出");
    assert_eq!(bench.post(&bench.path("YR-W101", "urge").await, "2", &urge).await.1["code"], 4401);

    let invoice =
        json!({ "buyer": "li", "title": "云上公司", "tax_no": "91310000X", "email": "a@b.example" });
    let path = bench.path("MB-B101", "invoice").await;
    let (_, answer) = bench.post(&path, "3", &invoice).await;
    assert_eq!(answer["data"], json!({ "invoice_no": "F202611020003", "email": "a@b.example" }));
    assert_eq!(bench.order("MB-B101").await["invoice"]["tax_no"], "91310000X");
    assert_eq!(bench.post(&path, "4", &invoice).await.1["code"], 4501);
    assert_eq!(bench.post(&bench.path("YR-T101", "invoice").await, "5", &invoice).await.1["code"], 4502);

    let mut repair = json!({
        "buyer": "li", "goods": "加湿器", "fault": "不出雾", "day": "周六", "phone": "138", "address": "上海",
    });
    assert_eq!(bench.post("/api/repairs", "6", &repair).await.1["data"]["repair_no"], "W202611020006");
    repair["order_no"] = "x".into();
    assert_eq!(bench.post("/api/repairs", "7", &repair).await.1["code"], 4041);

    for (key, quantity) in [("8", json!(50)), ("9", json!("五十件")), ("10", json!("")), ("11", Value::Null)]
    {
        let lead = json!({
            "buyer": "li", "kind": "quotation", "phone": "138", "need": "T恤", "quantity": quantity,
        });
        assert_eq!(bench.post("/api/leads", key, &lead).await.1["code"], 0, "{quantity}");
    }
    let kinds: Vec<_> = bench.shop.done().iter().map(|done| done.kind).collect();
    assert_eq!(kinds, ["urge", "invoice", "repair", "lead", "lead", "lead", "lead"]);
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let bench = bench(None);
    let (dress, runners) = (bench.path("XH-D102", "urge").await, bench.path("MB-Y101", "urge").await);
    let body = json!({ "buyer": "li" });
    assert_eq!(bench.post(&dress, "k", &body).await.0, StatusCode::OK);
    let (status, answer) = bench.post(&runners, "k", &body).await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!(4090)), "another path");
    assert_eq!(bench.post(&dress, "k", &json!({ "buyer": "han" })).await.0, StatusCode::CONFLICT);
    // The same JSON, written otherwise.
    let spaced =
        Request::post(&dress).header("webhook-id", "k").body("{ \"buyer\" : \"li\" }".into()).unwrap();
    assert_eq!(bench.send(spaced).await.0, StatusCode::OK);
    assert_eq!(bench.shop.done().len(), 1);
}

#[tokio::test]
async fn a_refusal_repeats_under_its_key_too() {
    let bench = bench(None);
    let (cancel, address) = (bench.path("XH-D102", "cancel").await, bench.path("XH-D102", "address").await);
    let wrong = json!({
        "buyer": "li", "order_no": "x", "line_id": "x", "kind": "退货", "reason": "r", "method": "上门取件",
    });
    let first = bench.post("/api/returns", "k", &wrong).await;
    assert_eq!(bench.post("/api/returns", "k", &wrong).await, first);
    let moved = json!({ "buyer": "li", "address": "苏州" });
    let taken = bench.post(&address, "a", &moved).await;
    bench.post(&cancel, "c", &json!({ "buyer": "li", "reason": "r" })).await;
    assert_eq!(bench.post(&address, "a", &moved).await, taken, "the answer of then, not of now");
}

#[tokio::test]
async fn malformed_posts_are_refused_and_leave_nothing() {
    let bench = bench(None);
    let path = bench.path("XH-D102", "address").await;
    let long = "长".repeat(301);
    for body in [
        json!({ "buyer": "li" }),
        json!({ "address": "苏州" }),
        json!({ "buyer": "", "address": "苏州" }),
        json!({ "buyer": 7, "address": "苏州" }),
        json!({ "buyer": "li", "address": " " }),
        json!({ "buyer": "li", "address": long }),
        json!({ "buyer": "li", "address": "苏州", "city": "苏州" }),
        json!(["li"]),
    ] {
        let (status, answer) = bench.post(&path, "k", &body).await;
        assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!(4000)), "{body}");
    }
    let fits = json!({ "buyer": "li", "address": "长".repeat(300) });
    for key in [String::new(), "k".repeat(257)] {
        assert_eq!(bench.post(&path, &key, &fits).await.0, StatusCode::BAD_REQUEST, "{} bytes", key.len());
    }
    let keyless = Request::post(&path).body(fits.to_string().into()).unwrap();
    assert_eq!(bench.send(keyless).await.0, StatusCode::BAD_REQUEST);
    let garbled = Request::post(&path).header("webhook-id", "k").body("{".into()).unwrap();
    assert_eq!(bench.send(garbled).await.0, StatusCode::BAD_REQUEST);
    let huge = Request::post(&path).header("webhook-id", "k").body(" ".repeat(64 * 1024 + 1).into()).unwrap();
    assert_eq!(bench.send(huge).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let mut odd = bench.return_of("YR-C101", "退货").await;
    odd["kind"] = "return".into();
    assert_eq!(bench.post("/api/returns", "k", &odd).await.0, StatusCode::BAD_REQUEST);
    assert!(bench.shop.done().is_empty());
    assert_eq!(bench.post(&path, &"k".repeat(256), &fits).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_shop_with_a_secret_takes_signed_requests_only() {
    const SECRET: &[u8] = b"0123456789abcdef01234567";
    let bench = bench(Some(SECRET));
    let now = NOW.parse::<Timestamp>().unwrap().as_second();
    let path = bench.path("XH-D102", "urge").await;
    let request = |key: &str, at: i64, signed: &str, sent: &str, secret: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(format!("{key}.{at}.{signed}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        Request::post(&path)
            .header("webhook-id", key)
            .header("webhook-timestamp", at)
            .header("webhook-signature", signature)
            .body(sent.to_owned().into())
            .unwrap()
    };
    let (li, han) = ("{\"buyer\":\"li\"}", "{\"buyer\":\"han\"}");
    for (request, why) in [
        (request("k", now, li, han, SECRET), "tampered"),
        (request("k", now - 301, li, li, SECRET), "old"),
        (request("k", now + 301, li, li, SECRET), "ahead"),
        (request("k", now, li, li, b"another"), "another secret"),
        (Request::post(&path).header("webhook-id", "k").body(li.into()).unwrap(), "unsigned"),
    ] {
        let (status, body) = bench.send(request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{why}");
        assert!(body.contains("4010"), "{why}: {body}");
    }
    assert!(bench.shop.done().is_empty());
    assert_eq!(bench.send(request("k", now - 300, li, li, SECRET)).await.0, StatusCode::OK);
    assert_eq!(bench.shop.done().len(), 1);
}

#[tokio::test]
async fn every_buyer_plays_alone_and_keeps_the_orders_of_the_first_day() {
    let bench = bench(None);
    let before = bench.orders("").await;
    bench.post(&bench.path("XH-D102", "cancel").await, "k", &json!({ "buyer": "li", "reason": "r" })).await;
    let (_, han) = bench.get("/api/orders?buyer=han").await;
    assert_eq!(han["data"], json!(before), "what li does is nothing to han");
    let mine = bench.orders("").await;
    bench.later(24 * 40);
    assert_eq!(bench.orders("").await, mine);
    let (_, late) = bench.get("/api/orders?buyer=late").await;
    assert_ne!(late["data"], json!(before), "whoever comes later gets later orders");
}

#[tokio::test]
async fn the_least_recently_seen_buyer_goes_first() {
    let bench = bench(None);
    for buyer in ["gone", "stays"] {
        let path = bench.path("XH-D102", "cancel").await;
        let body = json!({ "buyer": buyer, "reason": "r" });
        assert_eq!(bench.post(&path, buyer, &body).await.1["code"], 0);
    }
    // With li, gone and stays there is room for three less.
    for idx in 0..BUYERS_MAX - 3 {
        bench.shop.read(&format!("crowd-{idx}"), |orders| assert_eq!(orders.len(), 10));
    }
    let cancelled = async |buyer: &str| {
        let (_, answer) = bench.get(&format!("/api/orders?buyer={buyer}&status=cancelled")).await;
        answer["data"].as_array().unwrap().len()
    };
    assert_eq!(cancelled("stays").await, 2);
    bench.orders("").await;
    assert_eq!(bench.shop.lock().buyers.len(), BUYERS_MAX);
    bench.shop.read("one-more", |_| ());
    assert_eq!(bench.shop.lock().buyers.len(), BUYERS_MAX);
    assert_eq!(cancelled("stays").await, 2, "seen a moment ago");
    assert_eq!(cancelled("gone").await, 1, "seeded anew");
}

#[tokio::test]
async fn the_page_shows_orders_and_deeds_and_escapes_what_was_typed() {
    let bench = bench(None);
    let typed = "<script>alert('1')</script>\"&{{orders}}";
    let body = json!({ "buyer": "li", "address": typed });
    bench.post(&bench.path("XH-D102", "address").await, "k<b>", &body).await;
    let (status, html) = bench.send(Request::get("/?buyer=li").body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    let safe = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;&#123;&#123;orders&#125;&#125;";
    assert_eq!(html.matches(safe).count(), 2, "in the order and in the deed: {html}");
    assert!(!html.contains("<script") && !html.contains("<b>") && !html.contains("{{"), "{html}");
    assert!(html.contains("星河赫本小黑裙 黑色 M × 1") && html.contains("改地址"), "{html}");

    let hostile = format!("/?buyer={}", encoded("\"><img src=x>{{done}}"));
    let (_, html) = bench.send(Request::get(hostile).body(Body::empty()).unwrap()).await;
    assert!(html.contains("value=\"&quot;&gt;&lt;img src=x&gt;&#123;&#123;done&#125;&#125;\""), "{html}");
    assert!(html.contains("还没有。"), "another buyer's deeds are not shown: {html}");
    let (_, html) = bench.send(Request::get("/").body(Body::empty()).unwrap()).await;
    assert!(html.contains("value=\"visitor\"") && html.contains("待发货"), "{html}");
}
