//! The commands of 客户联系: what they send, what they refuse to send, and how they tell of errors.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::process::Output;
use std::sync::Arc;
use std::sync::Mutex;

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::routing::get;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use yingda::message::Channel;
use yingda::store::CustomerKey;
use yingda::store::CustomerTold;
use yingda::store::SqliteStore;
use yingda::store::Store;

use super::fixture::FARM_AES_KEY;
use super::fixture::FARM_TOKEN;
use super::fixture::now;
use super::fixture::write_bots;
use super::stand::SECRET;
use crate::cli::stderr;
use crate::cli::stdout;
use crate::cli::yingda;

/// Calls as they came, and what the next ones are answered.
#[derive(Default)]
struct Ledger {
    calls: Vec<(String, Value)>,
    answers: VecDeque<Value>,
}

type Shared = State<Arc<Mutex<Ledger>>>;

/// A folder with the bots, and a WeCom that answers what it is told to.
struct Shop {
    dir: TempDir,
    url: String,
    ledger: Arc<Mutex<Ledger>>,
}

async fn call(State(ledger): Shared, Path(path): Path<String>, body: String) -> Json<Value> {
    let mut ledger = ledger.lock().unwrap();
    ledger.calls.push((path, serde_json::from_str(&body).unwrap()));
    Json(ledger.answers.pop_front().unwrap_or_else(|| json!({ "errcode": 0, "errmsg": "ok" })))
}

async fn fetch(
    State(ledger): Shared,
    Path(path): Path<String>,
    Query(mut query): Query<BTreeMap<String, String>>,
) -> Json<Value> {
    if path == "gettoken" {
        return Json(json!({ "errcode": 0, "errmsg": "ok", "access_token": "t", "expires_in": 7200 }));
    }
    query.remove("access_token");
    let mut ledger = ledger.lock().unwrap();
    ledger.calls.push((path, json!(query)));
    Json(ledger.answers.pop_front().unwrap_or_else(|| json!({ "errcode": 0, "errmsg": "ok" })))
}

impl Shop {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_bots(&dir.path().join("knowledge"));
        let ledger: Arc<Mutex<Ledger>> = Arc::default();
        let shared = Arc::clone(&ledger);
        let (tell, address) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let router =
                    Router::new().route("/cgi-bin/{*path}", post(call).merge(get(fetch))).with_state(shared);
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { dir, url: format!("http://{}", address.recv().unwrap()), ledger }
    }

    /// Runs a command of the app `farm`, and lets WeCom answer its calls in this order.
    fn run(&self, command: &str, answers: &[Value]) -> Output {
        self.ledger.lock().unwrap().answers.extend(answers.iter().cloned());
        let mut yingda = yingda(self.dir.path());
        yingda.arg("wecom").args(command.split(' ')).args(["--app", "farm"]);
        yingda.env("FARM_TOKEN", FARM_TOKEN).env("FARM_AES_KEY", FARM_AES_KEY).env("FARM_SECRET", SECRET);
        yingda.env("YINGDA_WECOM_URL", &self.url).output().unwrap()
    }

    /// The calls since somebody last asked.
    fn calls(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.ledger.lock().unwrap().calls)
    }

    #[track_caller]
    fn refuses(&self, command: &str, words: &str) {
        let output = self.run(command, &[]);
        assert!(!output.status.success(), "{command}");
        assert!(stderr(&output).contains(words), "{command}: {}", stderr(&output));
        assert_eq!(self.calls(), [], "{command}: nothing is asked of WeCom");
    }
}

fn path_and_body(path: &str, body: Value) -> (String, Value) {
    (format!("externalcontact/{path}"), body)
}

#[test]
fn a_contact_way_is_made_listed_and_changed() {
    let shop = Shop::open();
    let made =
        json!({ "errcode": 0, "errmsg": "ok", "config_id": "cfg1", "qr_code": "https://qr.example/1" });
    let output = shop.run("contact-way add --user user01 --state poster_07", std::slice::from_ref(&made));
    assert!(
        stdout(&output).contains("cfg1") && stdout(&output).contains("https://qr.example/1"),
        "{output:?}"
    );
    let body = json!({
        "type": 1, "scene": 2, "state": "poster_07", "skip_verify": true, "user": ["user01"],
    });
    assert_eq!(shop.calls(), [path_and_body("add_contact_way", body)]);

    let page = |ids: &[&str], next: &str| {
        let ways: Vec<Value> = ids.iter().map(|id| json!({ "config_id": id })).collect();
        json!({ "errcode": 0, "errmsg": "ok", "contact_way": ways, "next_cursor": next })
    };
    let output = shop.run("contact-way list --json", &[page(&["cfg1", "cfg2"], "c1"), page(&["cfg3"], "")]);
    let listed: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(listed["contact_way"][2], json!({ "config_id": "cfg3" }));
    let asked = [json!({ "limit": 1000 }), json!({ "limit": 1000, "cursor": "c1" })]
        .map(|body| path_and_body("list_contact_way", body));
    assert_eq!(shop.calls(), asked);

    // What is not named stays, because WeCom replaces the lists.
    let shown = json!({ "errcode": 0, "errmsg": "ok", "contact_way": {
        "config_id": "cfg1", "type": 2, "scene": 2, "state": "old", "skip_verify": false,
        "user": ["user01", "user02"], "party": [3], "qr_code": "https://qr.example/1" } });
    let output = shop.run("contact-way update cfg1 --state store_3", &[shown]);
    assert!(output.status.success(), "{output:?}");
    let body = json!({
        "config_id": "cfg1", "state": "store_3", "skip_verify": false, "user": ["user01", "user02"],
        "party": [3],
    });
    let read = path_and_body("get_contact_way", json!({ "config_id": "cfg1" }));
    assert_eq!(shop.calls(), [read, path_and_body("update_contact_way", body)]);
}

#[test]
fn what_breaks_a_limit_is_named_and_not_sent() {
    let shop = Shop::open();
    let long = "长".repeat(31);
    shop.refuses(&format!("contact-way add --user user01 --state {long}"), "31 个字，要在 0 到 30");
    shop.refuses("contact-way add --user user01 --user user02", "只能写一位员工");
    let people: Vec<String> = (0..101).map(|at| format!("--user u{at}")).collect();
    shop.refuses(&format!("contact-way add --several {}", people.join(" ")), "101 个，要在 1 到 100");
    shop.refuses(&format!("join-way add{}", " --chat wr1".repeat(6)), "6 个，要在 1 到 5");
    shop.refuses(&format!("tag add --group 等级 {long}"), "标签名有 31 个字");
    shop.refuses(&format!("customer remark wm1 --user user01 --remark {}", "长".repeat(21)), "21 个字");
    shop.refuses("customer remark wm1 --user user01", "至少要写一样");
    shop.refuses(&format!("transfer start --from a --to b{}", " wm1".repeat(101)), "101 个");
}

#[test]
fn a_way_into_groups_is_made_with_its_code() {
    let shop = Shop::open();
    let made = json!({ "errcode": 0, "errmsg": "ok", "config_id": "cfg9" });
    let shown = json!({ "errcode": 0, "errmsg": "ok", "join_way": { "config_id": "cfg9", "qr_code": "https://qr.example/9" } });
    let output = shop.run("join-way add --chat wr1 --chat wr2 --room-name 老客户群", &[made, shown]);
    assert!(stdout(&output).contains("https://qr.example/9"), "{output:?}");
    let body = json!({
        "scene": 2, "auto_create_room": 1, "room_base_name": "老客户群", "chat_id_list": ["wr1", "wr2"],
    });
    let read = path_and_body("groupchat/get_join_way", json!({ "config_id": "cfg9" }));
    assert_eq!(shop.calls(), [path_and_body("groupchat/add_join_way", body), read]);
}

#[test]
fn errors_of_wecom_say_what_to_do() {
    let shop = Shop::open();
    let refusal = json!({ "errcode": 40068, "errmsg": "invalid tag, hint: [1] from ip: 10.0.0.1" });
    let output = shop.run("tag rename et1 大客户", &[refusal]);
    let told = stderr(&output);
    assert!(!output.status.success());
    assert!(told.contains("没有这个标签") && told.contains("怎么办") && told.contains("40068"), "{told}");
    assert!(!told.contains("10.0.0.1"), "{told}");
    assert_eq!(shop.calls(), [path_and_body("edit_corp_tag", json!({ "id": "et1", "name": "大客户" }))]);
    let output = shop.run(
        "tag list",
        &[json!({ "errcode": 0, "errmsg": "ok", "tag_group": [
        { "group_id": "eg1", "group_name": "等级", "tag": [{ "id": "et1", "name": "重要" }] }] })],
    );
    assert_eq!(stdout(&output), "等级（eg1）\n  重要（et1）\n");
}

#[tokio::test]
async fn a_tag_that_is_renamed_is_renamed_on_the_customers_too() {
    let shop = Shop::open();
    let key = CustomerKey::new("farm", Channel::WecomKf, "wm1").unwrap();
    let tag = json!({ "id": "et1", "name": "重要", "parent": "等级" });
    let told = CustomerTold {
        tags_added: ["重要", "常客"].map(str::to_owned).into(),
        contact: Some(json!({ "app": "farm", "users": ["user01"], "tags": [tag] }).to_string()),
        ..CustomerTold::nothing(key.clone())
    };
    let data = shop.dir.path().join("data");
    let store = SqliteStore::open(&data).await.unwrap();
    store.customer_told(&told, now()).await.unwrap();
    store.close().await;
    let list = json!({ "errcode": 0, "errmsg": "ok", "tag_group": [
        { "group_id": "eg1", "group_name": "等级", "tag": [{ "id": "et1", "name": "大客户" }] }] });
    let output = shop.run("tag rename et1 大客户", &[json!({ "errcode": 0, "errmsg": "ok" }), list]);
    assert!(stdout(&output).contains("大客户"), "{output:?}");
    let paths: Vec<String> = shop.calls().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["externalcontact/edit_corp_tag", "externalcontact/get_corp_tag_list"]);
    let store = SqliteStore::open(&data).await.unwrap();
    let row = store.customer(&key).await.unwrap().unwrap();
    store.close().await;
    assert_eq!(row.tags, ["大客户", "常客"].map(str::to_owned).into());
}

#[test]
fn customers_are_shown_and_handed_over() {
    let shop = Shop::open();
    let customer = json!({ "errcode": 0, "errmsg": "ok",
        "external_contact": { "external_userid": "wm1", "name": "李四", "type": 1 },
        "follow_user": [{ "userid": "user01", "add_way": 1, "state": "poster_07", "remark": "李先生" }] });
    let output = shop.run("customer show wm1", &[customer]);
    let told = stdout(&output);
    for words in ["李四（wm1，微信用户）", "跟进人 user01", "扫描二维码", "poster_07", "李先生"]
    {
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(shop.calls(), [path_and_body("get", json!({ "external_userid": "wm1" }))]);

    let begun = json!({ "errcode": 0, "errmsg": "ok", "customer": [
        { "external_userid": "wm1", "errcode": 0 }, { "external_userid": "wm2", "errcode": 40128 }] });
    let output = shop.run("transfer start --from user01 --to user02 wm1 wm2", &[begun]);
    assert!(stdout(&output).contains("wm1：开始转接") && stdout(&output).contains("90 天"), "{output:?}");
    let body = json!({
        "handover_userid": "user01", "takeover_userid": "user02", "external_userid": ["wm1", "wm2"],
    });
    assert_eq!(shop.calls(), [path_and_body("transfer_customer", body)]);

    let result = json!({ "errcode": 0, "errmsg": "ok", "next_cursor": "", "customer": [
        { "external_userid": "wm1", "status": 3 }] });
    let output = shop.run("transfer result --from user01 --to user02", &[result]);
    assert_eq!(stdout(&output), "wm1：客户拒绝\n");
    let body = json!({ "handover_userid": "user01", "takeover_userid": "user02" });
    assert_eq!(shop.calls(), [path_and_body("transfer_result", body)]);
}
