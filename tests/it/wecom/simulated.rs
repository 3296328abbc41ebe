//! `yingda serve` against our own WeCom server, with faults: its ledger and our archive agree, and no rule was broken.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use yingda::message::Channel;
use yingda::secret::Secret;
use yingda::service::app;
use yingda::service::app::AppError;
use yingda::service::doctor;
use yingda::simulate::wecom::AibotPlan;
use yingda::simulate::wecom::AppPlan;
use yingda::simulate::wecom::Plan;
use yingda::simulate::wecom::Simulator;
use yingda::store::CustomerKey;
use yingda::store::SqliteStore;
use yingda::store::Store;

use super::child::Server;
use super::fixture::FARM_AES_KEY;
use super::fixture::FARM_TOKEN;
use super::fixture::NUMBERS;
use super::fixture::Wecom;
use super::fixture::eventually;
use super::fixture::farm_answer_to;
use super::fixture::write_bots;
use super::stand::SECRET;

pub(super) const KF: &str = "wkFARM";

/// Our own WeCom, over HTTP as anybody reaches it.
pub(super) struct World {
    pub(super) url: String,
    pub(super) http: reqwest::Client,
}

impl World {
    pub(super) async fn open() -> Self {
        Self::open_with(4).await
    }

    /// * `page_max`: messages of one page.
    pub(super) async fn open_with(page_max: usize) -> Self {
        let plan = Plan {
            corp_id: Wecom::farm().corp.to_owned(),
            apps: vec![AppPlan {
                name: "farm".to_owned(),
                agent_id: 1_000_002,
                secret: Secret::new(SECRET),
                token: Secret::new(FARM_TOKEN),
                aes_key: Secret::new(FARM_AES_KEY),
                callback: None,
                accounts: vec![KF.to_owned()],
            }],
            accounts: vec![(KF.to_owned(), "果园".to_owned())],
            members: vec!["lilei".to_owned()],
            contacts: vec!["farm".to_owned()],
            robots: Vec::new(),
            aibots: vec![AibotPlan {
                name: "farm".to_owned(),
                bot_id: "AIBfarm".to_owned(),
                token: Secret::new(FARM_TOKEN),
                aes_key: Secret::new(FARM_AES_KEY),
                callback: None,
            }],
            page_max,
        };
        let simulator = Simulator::new(plan, 11, Arc::new(Timestamp::now)).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, simulator.router()).await });
        Self { url, http: reqwest::Client::new() }
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Value {
        let request =
            self.http.post(format!("{}/_sim/{path}", self.url)).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.text().await.unwrap());
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let response = self.http.get(format!("{}/_sim/{path}", self.url)).send().await.unwrap();
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    async fn leads_to(&self, server: SocketAddr) {
        let address = format!("http://{server}/wecom/farm/callback");
        self.post("callbacks", json!({ "app": "farm", "address": address })).await;
        let address = format!("http://{server}/wecom/farm/aibot");
        self.post("callbacks", json!({ "app": "aibot:farm", "address": address })).await;
    }

    pub(super) async fn fails(&self, path: &str, times: u32, effect: Value) {
        let mut fault = json!({ "path": path, "times": times });
        fault.as_object_mut().unwrap().extend(effect.as_object().unwrap().clone());
        self.post("faults", fault).await;
    }

    pub(super) async fn says(&self, customer: &str, number: usize) {
        let body = json!({ "account": KF, "text": NUMBERS[number], "msgid": format!("{customer}-{number}") });
        self.post(&format!("customers/{customer}/say"), body).await;
    }

    /// What appeared on a phone and was not written there.
    pub(super) async fn heard(&self, customer: &str) -> Vec<String> {
        let phones = self.get("phones").await;
        let messages = phones["phones"][customer].as_array().cloned().unwrap_or_default();
        let heard = messages.iter().filter(|one| one["from"] != "self");
        heard.map(|one| one["message"]["content"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_all_that_can_go_wrong_the_ledger_and_the_archive_agree() {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let world = World::open().await;
    let mut server = start(&dir, &world).await;
    let customers: Vec<String> = (0..5).map(|number| format!("wm{number}")).collect();
    for customer in &customers {
        world.post(&format!("customers/{customer}/enter"), json!({ "account": KF })).await;
    }
    let all_heard = async |n: usize| {
        eventually("an answer", async || {
            for customer in &customers {
                if world.heard(customer).await.len() < n {
                    return None;
                }
            }
            Some(())
        })
        .await;
    };
    all_heard(1).await;
    let troubles: [&[(&str, u32, Value)]; 4] = [
        &[
            ("callback", 3, json!({ "effect": "lose" })),
            ("callback", 9, json!({ "effect": "twice", "copies": 3 })),
        ],
        &[
            ("kf/sync_msg", 1, json!({ "effect": "html" })),
            ("kf/sync_msg", 1, json!({ "effect": "truncated" })),
            ("kf/sync_msg", 1, json!({ "effect": "answer_lost" })),
            ("gettoken", 1, json!({ "effect": "status", "status": 502 })),
        ],
        &[
            ("kf/send_msg", 2, json!({ "effect": "answer_lost" })),
            ("kf/send_msg", 2, json!({ "effect": "code", "code": -1 })),
            ("kf/send_msg", 1, json!({ "effect": "code", "code": 45_033 })),
        ],
        &[("kf/send_msg", 1, json!({ "effect": "status", "status": 500 }))],
    ];
    for (number, trouble) in troubles.into_iter().enumerate() {
        for (path, times, effect) in trouble {
            world.fails(path, *times, effect.clone()).await;
        }
        if number == 1 {
            world.post("tokens/revoke", json!({})).await;
        }
        for customer in &customers {
            world.says(customer, number).await;
        }
        if number == 3 {
            // In the middle of its pages.
            server.kill();
            server = start(&dir, &world).await;
        }
        // Lost wake-ups are made up for by the next one.
        world.post("customers/other/enter", json!({ "account": KF })).await;
        all_heard(number + 2).await;
    }
    server.kill();

    let ledger = world.get("ledger").await;
    assert_eq!(ledger["broken"], json!([]), "rules of WeCom's");
    let entries = ledger["entries"].as_array().unwrap();
    let n_tokens = entries.iter().filter(|one| one["path"] == "gettoken" && one["errcode"] == 0).count();
    assert!(n_tokens <= 4, "{n_tokens} tokens for two starts and one that was revoked");
    let store = SqliteStore::open(&dir.path().join("data")).await.unwrap();
    for customer in &customers {
        let mut expected = vec!["您好，我是小田。".to_owned()];
        expected.extend(NUMBERS[..4].iter().map(|number| farm_answer_to(number)));
        assert_eq!(world.heard(customer).await, expected, "each once and in order");
        let key = CustomerKey::new("farm", Channel::WecomKf, customer).unwrap();
        let id = store.conversation(&key, Timestamp::now()).await.unwrap().id;
        let rows = store.messages(id, 99).await.unwrap();
        let archived: Vec<Value> =
            rows.iter().skip(1).step_by(2).map(|row| serde_json::from_str(&row.body).unwrap()).collect();
        let archived: Vec<&str> =
            archived.iter().map(|body| body["parts"][0]["text"].as_str().unwrap()).collect();
        assert_eq!(archived, expected, "what the archive says was sent");
    }
    assert_eq!(store.outbox_given_up(9).await.unwrap(), []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_what_is_wrong_and_says_where_to_click() {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let world = World::open().await;
    let server = start(&dir, &world).await;
    let (known, _findings) =
        yingda::engine::load(&dir.path().join("knowledge/farm"), jiff::civil::date(2026, 11, 24));
    let known = known.unwrap();
    let examined = async |secret: &str, public_url: &str| {
        let variable = |name: &str| match name {
            "FARM_TOKEN" => Some(FARM_TOKEN.to_owned()),
            "FARM_AES_KEY" => Some(FARM_AES_KEY.to_owned()),
            _ => Some(secret.to_owned()),
        };
        let (apps, off) = app::apps(std::iter::once(&known), &world.url, &variable);
        assert!(off.is_empty(), "{off:?}");
        doctor::examine(&apps["farm"], &world.url, public_url, Timestamp::now()).await
    };
    let wrong = |checks: &[doctor::Check]| -> Vec<(&'static str, String)> {
        let bad = checks.iter().filter_map(|check| match &check.outcome {
            doctor::Outcome::Bad { found, advice } => Some((check.what, format!("{found} {advice}"))),
            doctor::Outcome::Good(_) | doctor::Outcome::Skipped(_) => None,
        });
        bad.collect()
    };
    let own = format!("http://{}", server.address);
    let healthy = examined(SECRET, &own).await;
    assert_eq!((wrong(&healthy), healthy.len()), (Vec::new(), 7), "{healthy:?}");

    let [(what, told)] = &wrong(&examined("wrong", &own).await)[..] else { panic!("one mistake") };
    assert!(*what == "令牌" && told.contains("40001") && told.contains("Secret → 查看"), "{told}");
    let [(what, told)] = &wrong(&examined(SECRET, "").await)[..] else { panic!("one mistake") };
    assert!(*what == "回调" && told.contains("public_url"), "{told}");
    let nobody = format!("{own}/elsewhere");
    let [(what, told)] = &wrong(&examined(SECRET, &nobody).await)[..] else { panic!("one mistake") };
    assert!(*what == "回调" && told.contains("404"), "{told}");
    world.fails("getcallbackip", 1, json!({ "effect": "code", "code": 60_020 })).await;
    let [(what, told)] = &wrong(&examined(SECRET, &own).await)[..] else { panic!("one mistake") };
    assert!(*what == "令牌" && told.contains("from ip: 127.0.0.1") && told.contains("企业可信IP"), "{told}");

    let unset = AppError::NotSet {
        app: "farm".to_owned(),
        bot: "farm".to_owned(),
        key: "corp_id",
        variable: "X".to_owned(),
    };
    assert!(doctor::off(&unset).is_bad());
}

pub(super) async fn start(dir: &tempfile::TempDir, world: &World) -> Server {
    let (path, url) = (dir.path().to_owned(), world.url.clone());
    let server = tokio::task::spawn_blocking(move || Server::start(&path, &url)).await.unwrap();
    world.leads_to(server.address).await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_servicer_in_the_wecom_client_silences_the_bot_until_they_are_done() {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let world = World::open().await;
    let mut server = start(&dir, &world).await;
    let serving = |text: &str| json!({ "account": KF, "customer": "wm", "text": text });
    let heard = async |expected: &[String]| {
        eventually("an answer", async || (world.heard("wm").await.len() >= expected.len()).then_some(()))
            .await;
        assert_eq!(world.heard("wm").await, expected);
    };
    let mut expected = vec![farm_answer_to(NUMBERS[0])];
    world.says("wm", 0).await;
    heard(&expected).await;
    world.post("servicers/lilei/take", serving("")).await;
    world.says("wm", 1).await;
    world.post("servicers/lilei/say", serving("我是小李，来帮您看看")).await;
    world.says("wm", 2).await;
    world.post("servicers/lilei/end", serving("")).await;
    // What comes after the end is the bot's again.
    world.says("wm", 3).await;
    expected.push("我是小李，来帮您看看".to_owned());
    expected.push(farm_answer_to(NUMBERS[3]));
    heard(&expected).await;
    server.kill();

    let ledger = world.get("ledger").await;
    assert_eq!(ledger["broken"], json!([]), "it wrote where it may not");
    let store = SqliteStore::open(&dir.path().join("data")).await.unwrap();
    let key = CustomerKey::new("farm", Channel::WecomKf, "wm").unwrap();
    let id = store.conversation(&key, Timestamp::now()).await.unwrap().id;
    let rows = store.messages(id, 99).await.unwrap();
    let authors: Vec<&str> = rows.iter().map(|row| row.author.as_str()).collect();
    assert_eq!(authors, ["customer", "bot", "customer", "system", "customer", "customer", "bot"]);
    store.close().await;
}
