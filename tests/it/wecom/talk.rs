//! A talk of 微信客服 beyond words, against our own WeCom server: files as themselves, and who has the talk.

use std::path::Path;

use serde_json::Value;
use serde_json::json;
use yingda::message::Channel;
use yingda::store::CustomerKey;
use yingda::store::Speaker;
use yingda::store::SqliteStore;
use yingda::store::Store;

use super::fixture::NUMBERS;
use super::fixture::eventually;
use super::fixture::farm_answer_to;
use super::fixture::write_bots;
use super::simulated::KF;
use super::simulated::World;
use super::simulated::start;

/// Adds to files of the bot `farm`.
fn add(dir: &Path, files: &[(&str, &[u8])]) {
    for (path, bytes) in files {
        let path = dir.join("knowledge/farm").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let before = std::fs::read(&path).unwrap_or_default();
        std::fs::write(path, [&before, *bytes].concat()).unwrap();
    }
}

/// A voice clip of one frame.
fn amr() -> Vec<u8> {
    [b"#!AMR\n".as_slice(), &[7 << 3], &[0; 31]].concat()
}

/// Messages on a phone, their own left out.
async fn messages(world: &World, customer: &str) -> Vec<Value> {
    let phones = world.get("phones").await;
    let messages = phones["phones"][customer].as_array().cloned().unwrap_or_default();
    messages.iter().filter(|one| one["from"] != "self").map(|one| one["message"].clone()).collect()
}

/// Their kinds, once there are so many.
async fn kinds(world: &World, customer: &str, n: usize) -> Vec<String> {
    let arrived = eventually("messages on a phone", async || {
        let arrived = messages(world, customer).await;
        (arrived.len() >= n).then_some(arrived)
    })
    .await;
    arrived.iter().map(|one| one["msgtype"].as_str().unwrap_or_default().to_owned()).collect()
}

/// How often a path was called with success.
async fn n_calls(world: &World, path: &str) -> usize {
    let ledger = world.get("ledger").await;
    let entries = ledger["entries"].as_array().cloned().unwrap_or_default();
    entries.iter().filter(|one| one["path"] == path && one["errcode"] == 0).count()
}

async fn says(world: &World, text: &str, msgid: &str) {
    world.post("customers/wm/say", json!({ "account": KF, "text": text, "msgid": msgid })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_handed_over_once_and_again_when_wecom_has_forgotten_them() {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let replies = r#"
[reply.papers]
text = "资料都在这里"
attachments = [
    { kind = "image", file = "attachments/map.png", title = "果园地图" },
    { kind = "voice", file = "attachments/hello.mp3", title = "问候" },
    { kind = "file", file = "attachments/list.pdf", title = "价目表" },
]
"#;
    let rule = "[[rule]]\nid = \"papers\"\nwhen = { any = [\"资料\"] }\nthen = [{ reply = \"papers\" }]\n";
    add(
        dir.path(),
        &[
            ("replies.toml", replies.as_bytes()),
            ("rules.toml", rule.as_bytes()),
            ("attachments/map.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            ("attachments/hello.mp3", b"ID3 for pages"),
            ("attachments/hello.amr", &amr()),
            ("attachments/list.pdf", b"%PDF-1.7 what things cost"),
        ],
    );
    let world = World::open().await;
    let mut server = start(&dir, &world).await;
    let handed_over = async |n: usize| {
        eventually("files at WeCom", async || (n_calls(&world, "media/upload").await >= n).then_some(()))
            .await;
    };
    handed_over(3).await;
    says(&world, "资料", "m1").await;
    assert_eq!(kinds(&world, "wm", 4).await, ["text", "image", "voice", "file"]);

    // A restart finds them in the store.
    server.kill();
    let mut server = start(&dir, &world).await;
    says(&world, "资料", "m2").await;
    assert_eq!(kinds(&world, "wm", 8).await[4..], ["text", "image", "voice", "file"]);
    assert_eq!(n_calls(&world, "media/upload").await, 3);

    // Three days on WeCom's clock, of which ours knows nothing: the words go out instead, and the files over again.
    world.post("clock", json!({ "advance_seconds": 73 * 3_600 })).await;
    says(&world, "资料", "m3").await;
    assert_eq!(kinds(&world, "wm", 12).await[8..], ["text", "text", "text", "text"]);
    let words = messages(&world, "wm").await[9]["content"].as_str().unwrap_or_default().to_owned();
    assert!(words.starts_with("果园地图：") && words.contains("/attachments/map.png"), "{words}");
    handed_over(6).await;
    says(&world, "资料", "m4").await;
    assert_eq!(kinds(&world, "wm", 16).await[12..], ["text", "image", "voice", "file"]);
    server.kill();
    let broken = world.get("ledger").await["broken"].clone();
    assert_eq!(broken, json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_bot_hands_over_into_the_client_it_is_silent_until_the_servicer_is_done() {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let profile = dir.path().join("knowledge/farm/bot.toml");
    let written = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, written.replace("[handoff]", "[handoff]\nin_client = true")).unwrap();
    let rule =
        "[[rule]]\nid = \"human\"\nwhen = { any = [\"转人工\"] }\nthen = [{ handoff = \"service\" }]\n";
    add(dir.path(), &[("rules.toml", rule.as_bytes())]);
    let world = World::open().await;
    let mut server = start(&dir, &world).await;
    says(&world, "转人工", "m1").await;
    let moved = async || (n_calls(&world, "kf/service_state/trans").await == 1).then_some(());
    eventually("a talk in the pool", moved).await;
    let n_said = messages(&world, "wm").await.len();
    assert_eq!(n_said, 1, "the words that say so come first");
    let serving = |text: &str| json!({ "account": KF, "customer": "wm", "text": text });
    // In the pool nobody may write to them, and the bot does not try.
    says(&world, NUMBERS[0], "m2").await;
    world.post("servicers/lilei/take", serving("")).await;
    world.post("servicers/lilei/say", serving("我是小李")).await;
    says(&world, NUMBERS[1], "m3").await;
    world.post("servicers/lilei/end", serving("")).await;
    says(&world, NUMBERS[2], "m4").await;
    kinds(&world, "wm", n_said + 2).await;
    let heard = world.heard("wm").await;
    assert_eq!(heard[n_said..], ["我是小李".to_owned(), farm_answer_to(NUMBERS[2])]);
    server.kill();
    assert_eq!(world.get("ledger").await["broken"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_servicer_of_whom_no_news_came_is_found_by_the_refusal() {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let world = World::open().await;
    let mut server = start(&dir, &world).await;
    // The answer is on its way for seconds, in which a servicer takes the talk and nobody can read the news.
    world.fails("kf/send_msg", 3, json!({ "effect": "status", "status": 502 })).await;
    says(&world, NUMBERS[0], "m1").await;
    let store = SqliteStore::open(&dir.path().join("data")).await.unwrap();
    let key = CustomerKey::new("farm", Channel::WecomKf, "wm").unwrap();
    let speaker = async |expected: Speaker| {
        eventually("a change of the speaker", async || {
            let id = store.conversation(&key, jiff::Timestamp::now()).await.unwrap().id;
            let row = store.conversation_by_id(id).await.unwrap()?;
            (row.revision > 0 && row.speaker == expected).then_some(id)
        })
        .await
    };
    speaker(Speaker::Bot).await;
    world.fails("kf/sync_msg", 99, json!({ "effect": "status", "status": 502 })).await;
    world.post("servicers/lilei/take", json!({ "account": KF, "customer": "wm", "text": "" })).await;
    speaker(Speaker::Human).await;
    let given_up =
        eventually("a message on the list", async || store.outbox_given_up(9).await.unwrap().pop()).await;
    assert_eq!(given_up.recipient, "wm");
    let told = store.events(0, 99).await.unwrap();
    assert!(told.iter().any(|event| event.kind == "undelivered"), "{told:?}");
    assert_eq!(messages(&world, "wm").await, Vec::<Value>::new());
    store.close().await;
    server.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_see_the_picture_that_a_customer_sent_for_as_long_as_wecom_keeps_it() {
    const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR of a hole in a sleeve";
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let world = World::open().await;
    let mut server = start(&dir, &world).await;
    let brought = format!("{}/_sim/media?type=image&filename=hole.png", world.url);
    let brought = world.http.post(brought).body(PICTURE).send().await.unwrap().bytes().await.unwrap();
    let brought: Value = serde_json::from_slice(&brought).unwrap();
    let image = json!({ "account": KF, "msgtype": "image", "object": { "media_id": brought["media_id"] } });
    world.post("customers/wm/send", image).await;
    kinds(&world, "wm", 1).await;

    let added = std::process::Command::new(env!("CARGO_BIN_EXE_yingda"))
        .current_dir(dir.path())
        .args(["agent", "add", "小王", "--group", "service"])
        .output()
        .unwrap();
    let added = String::from_utf8_lossy(&added.stdout).into_owned();
    let key = added.split_whitespace().find(|word| word.starts_with("yd_")).unwrap();
    let get = async |path: &str| {
        let url = format!("http://{}/api/v1/conversations{path}", server.address);
        world.http.get(url).header("authorization", format!("Bearer {key}")).send().await.unwrap()
    };
    let story: Value = serde_json::from_slice(&get("/1").await.bytes().await.unwrap()).unwrap();
    let message = &story["messages"][0];
    assert_eq!(message["body"]["kind"], "image", "{story}");
    assert_eq!(message["body"]["media"].as_array().map(Vec::len), Some(1), "{message}");
    let number = message["id"].as_i64().unwrap();
    let picture = get(&format!("/1/messages/{number}/media/0")).await;
    assert_eq!(picture.status(), 200);
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.bytes().await.unwrap(), PICTURE);
    for (path, status) in [
        (format!("/1/messages/{number}/media/1"), 404),
        (format!("/1/messages/{}/media/0", number + 1), 404),
        (format!("/2/messages/{number}/media/0"), 404),
    ] {
        assert_eq!(get(&path).await.status(), status, "{path}");
    }
    world.post("clock", json!({ "advance_seconds": 73 * 3_600 })).await;
    assert_eq!(get(&format!("/1/messages/{number}/media/0")).await.status(), 410);
    server.kill();
    assert_eq!(world.get("ledger").await["broken"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_a_thousand_messages_is_answered_in_order_while_a_call_stalls() {
    const CUSTOMERS: usize = 200;
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let world = World::open_with(1_000).await;
    let mut server = start(&dir, &world).await;
    // Nobody tells the server of them, so that they are there all at once.
    world.fails("callback", u32::MAX, json!({ "effect": "lose" })).await;
    for number in 0..5 {
        for customer in 0..CUSTOMERS {
            world.says(&format!("wm{customer}"), number).await;
        }
    }
    world.fails("kf/send_msg", 1, json!({ "effect": "stall" })).await;
    server.kill();
    let mut server = start(&dir, &world).await;
    let expected: Vec<String> = NUMBERS[..5].iter().map(|number| farm_answer_to(number)).collect();
    let all = async || {
        let phones = world.get("phones").await;
        let n_heard = |customer: usize| {
            let messages = phones["phones"][format!("wm{customer}")].as_array().map_or(0, Vec::len);
            messages >= 10
        };
        (0..CUSTOMERS).all(n_heard).then_some(())
    };
    eventually("answers to a thousand messages", all).await;
    for customer in 0..CUSTOMERS {
        assert_eq!(world.heard(&format!("wm{customer}")).await, expected, "{customer}");
    }
    server.kill();
    let ledger = world.get("ledger").await;
    assert_eq!(ledger["broken"], json!([]));
    let entries = ledger["entries"].as_array().cloned().unwrap_or_default();
    let pages = entries.iter().filter(|one| one["path"] == "kf/sync_msg" && one["errcode"] == 0).count();
    assert!(pages < 20, "{pages} pages for a thousand messages");
}
