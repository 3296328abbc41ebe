//! The archive of talks over WeCom, held against what our own WeCom saw: each message that a person wrote, each that arrived
//! on a phone, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use super::fixture::NUMBERS;
use super::fixture::eventually;
use super::fixture::farm_answer_to;
use super::fixture::write_bots;
use super::simulated::KF;
use super::simulated::World;
use super::simulated::start;
use crate::cli::run;
use crate::cli::stderr;
use crate::cli::stdout;

const CUSTOMERS: [&str; 3] = ["wm0", "wm1", "wm2"];

/// Writes to the app.
const MEMBER: &str = "lilei";

/// Never sure enough to be answered: the bot asks back, by a menu where there is one.
const QUESTION: &str = "怎么退货";

/// Lets the farm ask back as the shop does.
fn teach_the_farm(knowledge: &Path) {
    let profile = knowledge.join("farm/bot.toml");
    let more = "[topics]\nreturn_policy = \"退换货\"\n[thresholds]\nanswer = 1.0\nclarify = 0.05\n";
    fs::write(&profile, fs::read_to_string(&profile).unwrap() + more).unwrap();
    fs::create_dir_all(knowledge.join("farm/faq")).unwrap();
    fs::copy(knowledge.join("shop/faq/return.csv"), knowledge.join("farm/faq/return.csv")).unwrap();
}

impl World {
    async fn asks(&self, customer: &str, text: &str) {
        self.post(&format!("customers/{customer}/say"), json!({ "account": KF, "text": text })).await;
    }

    /// Waits until a phone shows so many messages that were not written on it.
    async fn shows(&self, whom: &str, n: usize) {
        eventually("an answer", async || (self.heard(whom).await.len() >= n).then_some(())).await;
    }

    /// Waits until a phone shows a text, and with it all that was sent before.
    async fn shows_text(&self, whom: &str, text: &str) {
        let is_there = async || self.heard(whom).await.iter().any(|own| own == text).then_some(());
        eventually("an answer", is_there).await;
    }

    async fn member_says(&self, text: &str) {
        self.post(&format!("members/{MEMBER}/say"), json!({ "app": "farm", "text": text })).await;
    }

    /// What an agent does in a conversation.
    async fn agent_does(&self, server: SocketAddr, key: &str, path: &str, body: Value) {
        let request = self
            .http
            .post(format!("http://{server}/api/v1/conversations/{path}"))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {key}"));
        let response = request.body(body.to_string()).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.text().await.unwrap());
    }
}

/// Rows of `yingda archive`.
fn archive(dir: &Path, args: &[&str]) -> Vec<Value> {
    let told = run(
        dir,
        &[&["archive", "--bot", "farm", "--json", "--personal", "--order", "oldest"], args].concat(),
    );
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    stdout(&told).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines that somebody reads; an option of a menu reads the same with its number in front.
fn lines(words: &[String]) -> Vec<String> {
    let unnumbered = |line: &str| match line.split_once(". ") {
        Some((number, rest)) if number.parse::<u32>().is_ok() => rest.to_owned(),
        _ => line.to_owned(),
    };
    let lines = words.iter().flat_map(|words| words.lines()).map(str::trim);
    lines.filter(|line| !line.is_empty()).map(unnumbered).collect()
}

/// All that a message on a phone says.
fn on_phone(message: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match message["msgtype"].as_str().unwrap() {
        "text" => text(&message["content"]),
        "msgmenu" => {
            let items =
                message["items"].as_array().unwrap().iter().map(|item| text(&item["click"]["content"]));
            let all: Vec<String> = std::iter::once(text(&message["head"]))
                .chain(items)
                .chain([text(&message["tail"])])
                .collect();
            all.join("\n")
        }
        other => format!("［{other}］"),
    }
}

/// What the archive says that somebody wrote or got.
fn archived(rows: &[Value], whom: &str, direction: &str) -> Vec<String> {
    let own = rows.iter().filter(|row| row["customer_id"] == whom && row["direction"] == direction);
    let said = own.filter(|row| row["kind"] != "entered").map(|row| match row["words"].as_str().unwrap() {
        "" => format!("［{}］", row["kind"].as_str().unwrap()),
        words => words.to_owned(),
    });
    said.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_tells_what_was_written_and_what_arrived_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    teach_the_farm(&dir.path().join("knowledge"));
    let world = World::open().await;
    let mut server = start(&dir, &world).await;

    world.member_says(NUMBERS[0]).await;
    world.shows(MEMBER, 1).await;
    world.member_says(QUESTION).await;
    world.shows(MEMBER, 2).await;

    for customer in CUSTOMERS {
        world.post(&format!("customers/{customer}/enter"), json!({ "account": KF })).await;
        world.shows(customer, 1).await;
        world.says(customer, 0).await;
        world.shows(customer, 2).await;
        world.asks(customer, QUESTION).await;
        world.shows(customer, 3).await;
    }
    let picture = json!({ "account": KF, "msgtype": "image", "object": { "media_id": "M1" } });
    world.post("customers/wm2/send", picture).await;
    world.shows("wm2", 4).await;
    // What is delivered again, and what is sent again, is one message all the same.
    world.fails("callback", 2, json!({ "effect": "twice", "copies": 3 })).await;
    world.fails("kf/send_msg", 1, json!({ "effect": "answer_lost" })).await;
    world.says("wm2", 1).await;
    world.shows_text("wm2", &farm_answer_to(NUMBERS[1])).await;

    // A colleague in the WeCom client.
    let serving = |text: &str| json!({ "account": KF, "customer": "wm0", "text": text });
    world.post("servicers/lilei/take", serving("")).await;
    world.says("wm0", 1).await;
    world.post("servicers/lilei/say", serving("我是小李，来帮您看看")).await;
    world.post("servicers/lilei/end", serving("")).await;
    world.says("wm0", 2).await;
    world.shows_text("wm0", &farm_answer_to(NUMBERS[2])).await;

    // One of our own agents.
    let added = run(dir.path(), &["agent", "add", "小王", "--group", "service"]);
    let key = stdout(&added).trim().to_owned();
    let id = archive(dir.path(), &["--customer", "wm1", "--limit", "1"])[0]["conversation_id"].to_string();
    let does = async |deed: &str, body: Value| {
        world.agent_does(server.address, &key, &format!("{id}/{deed}"), body).await;
    };
    does("take", json!({})).await;
    does("reply", json!({ "text": "我来帮您处理" })).await;
    world.shows_text("wm1", "我来帮您处理").await;
    does("return", json!({})).await;
    world.says("wm1", 3).await;
    world.shows_text("wm1", &farm_answer_to(NUMBERS[3])).await;
    server.kill();

    let (ledger, phones) = (world.get("ledger").await, world.get("phones").await);
    assert_eq!(ledger["broken"], json!([]), "rules of WeCom's");
    let rows = archive(dir.path(), &[]);
    let people: BTreeSet<&str> = rows.iter().map(|row| row["customer_id"].as_str().unwrap()).collect();
    assert_eq!(people, CUSTOMERS.into_iter().chain([MEMBER]).collect());
    for whom in people {
        let shown = phones["phones"][whom].as_array().unwrap().iter();
        let written: Vec<String> =
            shown.filter(|one| one["from"] == "self").map(|one| on_phone(&one["message"])).collect();
        assert_eq!(archived(&rows, whom, "in"), written, "what {whom} wrote");
        let entries = ledger["entries"].as_array().unwrap().iter();
        let arrived: Vec<String> = entries
            .filter(|one| one["kind"] == "arrival" && one["whom"] == whom)
            .map(|one| on_phone(&one["message"]))
            .collect();
        assert_eq!(lines(&archived(&rows, whom, "out")), lines(&arrived), "what {whom} got");
        let channel = if whom == MEMBER { "wecom_app" } else { "wecom_kf" };
        assert!(rows.iter().filter(|row| row["customer_id"] == whom).all(|row| row["channel"] == channel));
    }
    let n_entered = rows.iter().filter(|row| row["kind"] == "entered").count();
    assert_eq!(n_entered, CUSTOMERS.len(), "who comes in says nothing, and is greeted");

    let by = |author: &str| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let said = archive(dir.path(), &["--author", author]);
        said.iter().map(|row| (text(&row["agent"]), text(&row["words"]))).collect()
    };
    assert_eq!(by("agent"), [("小王".to_owned(), "我来帮您处理".to_owned())]);
    let servicer = ("企业微信客户端的同事".to_owned(), "我是小李，来帮您看看".to_owned());
    assert!(by("system").contains(&servicer), "{:?}", by("system"));
}
