//! The client and the WeCom of our own, each written from the sheet without a look at the other, meet: 客户联系 and the
//! 智能机器人 from end to end, and no rule is broken.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use yingda::message::Channel;
use yingda::store::CustomerKey;
use yingda::store::CustomerRow;
use yingda::store::SqliteStore;
use yingda::store::Store;

use super::fixture::FARM_AES_KEY;
use super::fixture::FARM_TOKEN;
use super::fixture::NUMBERS;
use super::fixture::eventually;
use super::fixture::farm_answer_to;
use super::fixture::write_bots;
use super::simulated::KF;
use super::simulated::World;
use super::simulated::start;
use super::stand::SECRET;
use crate::cli::stderr;
use crate::cli::yingda;

/// Runs a command of the app `farm` against the world; returns its JSON.
fn wecom(dir: &TempDir, world: &World, command: &[&str]) -> Value {
    let mut yingda = yingda(dir.path());
    yingda.arg("wecom").args(command).args(["--app", "farm", "--json"]);
    yingda.env("FARM_TOKEN", FARM_TOKEN).env("FARM_AES_KEY", FARM_AES_KEY).env("FARM_SECRET", SECRET);
    let output = yingda.env("YINGDA_WECOM_URL", &world.url).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn heard(world: &World, who: &str, n: usize) -> Vec<Value> {
    eventually("messages on a phone", async || {
        let phones = world.get("phones").await;
        let all = phones["phones"][who].as_array().cloned().unwrap_or_default();
        let heard = all.iter().filter(|one| one["from"] != "self").map(|one| one["message"].clone());
        let heard: Vec<Value> = heard.collect();
        (heard.len() >= n).then_some(heard)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_scans_a_poster_is_welcomed_known_and_tagged() {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let world = World::open().await;
    let mut server = start(&dir, &world).await;
    let way = wecom(&dir, &world, &["contact-way", "add", "--user", "lilei", "--state", "poster_07"]);
    wecom(&dir, &world, &["tag", "add", "--group", "等级", "重要"]);
    let config_id = way["config_id"].as_str().unwrap();
    world.post("customers/wmPoster/scan", json!({ "config_id": config_id, "name": "王小明" })).await;
    let welcome = heard(&world, "wmPoster", 1).await;
    let shown = json!(welcome).to_string();
    assert!(shown.contains("海报上的券在这里") && shown.contains("https://farm.example/coupon"), "{shown}");

    let store = SqliteStore::open(&dir.path().join("data")).await.unwrap();
    let key = CustomerKey::new("farm", Channel::WecomKf, "wmPoster").unwrap();
    let becomes = async |what: &str, is_so: &dyn Fn(&CustomerRow) -> bool| {
        eventually(what, async || store.customer(&key).await.unwrap().filter(|row| is_so(row))).await
    };
    let row = becomes("a customer that is known", &|row| row.name.is_some()).await;
    assert_eq!(row.name.as_deref(), Some("王小明"));
    assert_eq!(row.record["wecom_state"], "poster_07");

    // The same person over 微信客服: what the bot tags is marked at their member's.
    world.post("customers/wmPoster/enter", json!({ "account": KF })).await;
    world.post("customers/wmPoster/say", json!({ "account": KF, "text": "我是会员" })).await;
    let marked = async || {
        let ledger = world.get("ledger").await;
        let entries = ledger["entries"].as_array().cloned().unwrap_or_default();
        let marks = entries.iter().filter(|one| one["path"] == "externalcontact/mark_tag");
        marks.filter(|one| one["errcode"] == 0).map(|_mark| ()).next()
    };
    eventually("a tag that is marked", marked).await;
    let shown = wecom(&dir, &world, &["customer", "show", "wmPoster"]);
    let tag = shown["follow_user"][0]["tags"][0].clone();
    assert_eq!((&tag["group_name"], &tag["tag_name"]), (&json!("等级"), &json!("重要")), "{shown}");
    // Taken off in the client, it goes here too.
    let off = json!({ "customer": "wmPoster", "remove_tag": [tag["tag_id"]], "remark": "老王" });
    world.post("members/lilei/contacts/edit", off).await;
    let row = becomes("a customer without the tag", &|row| !row.tags.contains("重要")).await;
    assert!(row.record["wecom_remark"].contains("老王"), "{:?}", row.record);
    world.post("customers/wmPoster/unfollow", json!({ "userid": "lilei" })).await;
    becomes("a customer who has left", &|row| row.record.contains_key("wecom_left")).await;
    store.close().await;
    server.kill();
    assert_eq!(world.get("ledger").await["broken"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_is_asked_in_a_group_and_alone() {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let profile = dir.path().join("knowledge/farm/bot.toml");
    let mut written = std::fs::read_to_string(&profile).unwrap();
    written.push_str(
        "[aibot.farm]\ntoken = \"env:FARM_TOKEN\"\naes_key = \"env:FARM_AES_KEY\"\nemployees = true\n",
    );
    std::fs::write(&profile, written).unwrap();
    let world = World::open().await;
    let mut server = start(&dir, &world).await;
    let asks = async |body: Value| world.post("members/lilei/aibot", body).await;
    asks(json!({ "bot": "farm", "text": format!("@小田 {}", NUMBERS[0]), "chatid": "wrGroup" })).await;
    let first = heard(&world, "wrGroup", 1).await;
    assert!(json!(first).to_string().contains(&farm_answer_to(NUMBERS[0])), "{first:?}");
    asks(json!({ "bot": "farm", "text": NUMBERS[1] })).await;
    let alone = heard(&world, "lilei", 1).await;
    assert!(json!(alone).to_string().contains(&farm_answer_to(NUMBERS[1])), "{alone:?}");

    let store = SqliteStore::open(&dir.path().join("data")).await.unwrap();
    for customer in ["wrGroup lilei", "lilei"] {
        let key = CustomerKey::new("farm", Channel::WecomBot, customer).unwrap();
        let id = store.conversation(&key, Timestamp::now()).await.unwrap().id;
        assert_eq!(store.messages(id, 9).await.unwrap().len(), 2, "{customer} has a talk of their own");
    }
    store.close().await;
    server.kill();
    assert_eq!(world.get("ledger").await["broken"], json!([]));
}
