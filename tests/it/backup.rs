//! `yingda backup`, `restore` and `customer`: a copy that can be trusted, and a customer who can be handed out or forgotten.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use yingda::desk::watch::Watch;
use yingda::message::Channel;
use yingda::message::Content;
use yingda::message::CustomerKind;
use yingda::service::Question;
use yingda::service::Service;
use yingda::service::version::Versions;
use yingda::store::SqliteStore;
use yingda::store::Store;

use crate::cli::run;
use crate::cli::stderr;
use crate::cli::stdout;
use crate::fixture::BOT;
use crate::fixture::Folder;
use crate::fixture::RETURN;
use crate::fixture::no_models;

/// A shop in which a customer has asked something, and a place beside it.
struct Shop {
    folder: Folder,
    place: TempDir,
}

impl Shop {
    async fn new() -> Self {
        let shop = Self { folder: Folder::new(), place: tempfile::tempdir().unwrap() };
        let data = shop.at("data");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data).await.unwrap());
        let versions = Versions::new(Arc::clone(&store), &data);
        let service = Arc::new(Service::new(Vec::new(), Arc::clone(&store), Arc::new(Timestamp::now)));
        let models = no_models(&store);
        let mut watch = Watch::new(Arc::clone(&service), versions, models, shop.folder.root().to_owned());
        watch.folders().await;
        watch.publications().await;
        for id in ["amy", "bob"] {
            let question = Question {
                bot: BOT.to_owned(),
                channel: Channel::Web,
                customer_id: id.to_owned(),
                with: Vec::new(),
                name: None,
                kind: CustomerKind::Customer,
                content: Content::Text(RETURN.0.to_owned()),
            };
            service.answer(&question).await.unwrap();
        }
        // The store stays open: a backup is made while everything runs.
        std::mem::forget(store);
        shop
    }

    fn at(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn run(&self, data: &Path, knowledge: &Path, args: &[&str]) -> (Option<i32>, String) {
        let place = ["--knowledge", knowledge.to_str().unwrap(), "--data", data.to_str().unwrap()];
        let told = run(self.place.path(), &[args, &place[..]].concat());
        (told.status.code(), format!("{}{}", stdout(&told), stderr(&told)))
    }

    fn here(&self, args: &[&str]) -> (Option<i32>, String) {
        self.run(&self.at("data"), self.folder.root(), args)
    }
}

#[tokio::test]
async fn a_backup_of_a_running_shop_comes_back_whole() {
    let shop = Shop::new().await;
    let (code, told) = shop.here(&["backup", "--out", "copy"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(shop.here(&["backup", "--out", "copy"]).0, Some(2), "no backup is written over");
    let (data, knowledge) = (shop.at("data2"), shop.at("knowledge2"));
    let (code, told) = shop.run(&data, &knowledge, &["restore", "--from", "copy"]);
    assert_eq!(code, Some(0), "{told}");
    let (_, before) = shop.here(&["customer", "export", "amy"]);
    let (code, after) = shop.run(&data, &knowledge, &["customer", "export", "amy"]);
    assert_eq!((code, &after), (Some(0), &before));
    assert!(shop.run(&data, &knowledge, &["ask", RETURN.0]).1.contains(RETURN.1));
    // What holds anything is not written over.
    let (code, told) = shop.run(&data, &knowledge, &["restore", "--from", "copy"]);
    assert!(code == Some(2) && told.contains("is not empty"), "{told}");
}

#[tokio::test]
async fn a_damaged_backup_restores_nothing() {
    let shop = Shop::new().await;
    shop.here(&["backup", "--out", "copy"]);
    let file = shop.at("copy").join("knowledge").join(BOT).join("bot.toml");
    fs::write(&file, "x").unwrap();
    let (data, knowledge) = (shop.at("data2"), shop.at("knowledge2"));
    let (code, told) = shop.run(&data, &knowledge, &["restore", "--from", "copy"]);
    assert!(code == Some(2) && told.contains("bot.toml") && told.contains("nothing was restored"), "{told}");
    assert!(!data.exists() && !knowledge.exists());
    fs::remove_file(shop.at("copy").join("backup.json")).unwrap();
    let (code, told) = shop.run(&data, &knowledge, &["restore", "--from", "copy"]);
    assert!(code == Some(2) && told.contains("is no backup"), "{told}");
}

#[tokio::test]
async fn a_customer_is_handed_out_as_json_and_forgotten() {
    let shop = Shop::new().await;
    let (code, told) = shop.here(&["customer", "export", "amy"]);
    let file: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &file["customer_id"]), (Some(0), &Value::from("amy")));
    assert_eq!(file["messages"][0]["body"]["text"], Value::from(RETURN.0));
    let (code, told) = shop.here(&["customer", "delete", "amy"]);
    assert!(code == Some(0) && told.contains("2 条消息"), "{told}");
    assert_eq!(shop.here(&["customer", "export", "amy"]).0, Some(1));
    assert_eq!(shop.here(&["customer", "export", "bob"]).0, Some(0));
    let (code, told) = shop.here(&["customer", "export", "amy", "--channel", "fax"]);
    assert!(code == Some(2) && told.contains("wecom_kf"), "{told}");
}
