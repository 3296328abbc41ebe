//! Catalogues that are pulled: pages, secrets, prices in fen, and answers that must not empty a shop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::extract::Query;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Deserialize;
use tempfile::TempDir;
use yingda::desk::feed::Feeds;
use yingda::desk::watch::Watch;
use yingda::service::Service;
use yingda::service::version::Versions;
use yingda::store::SqliteStore;
use yingda::store::Store;
use yingda::store::VersionNumber;

use crate::fixture::BOT;
use crate::fixture::Folder;
use crate::fixture::bot_toml;
use crate::fixture::no_models;

/// What the shop's system answers, by pages; and what it was asked.
#[derive(Default)]
struct Erp {
    pages: Vec<String>,
    status: StatusCode,
    authorizations: Vec<String>,
}

type Shared = Arc<Mutex<Erp>>;

#[derive(Deserialize)]
struct Page {
    page: usize,
}

async fn goods(State(erp): State<Shared>, Query(page): Query<Page>, headers: HeaderMap) -> impl IntoResponse {
    let mut erp = erp.lock().unwrap();
    let sent = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    erp.authorizations.extend(sent);
    let body = erp.pages.get(page.page - 1).cloned().unwrap_or_else(|| listed(&[]));
    (erp.status, [("content-type", "application/json")], body)
}

fn listed(goods: &[&str]) -> String {
    format!(r#"{{"code": 0, "data": {{"list": [{}]}}}}"#, goods.join(","))
}

fn good(sku: &str, name: &str, fen: i64, stock: i64) -> String {
    format!(
        r#"{{"sku": "{sku}", "title": "{name}", "cat": {{"name": "衬衫"}}, "price": {{"sale": {fen}}}, "stock": {stock}}}"#
    )
}

/// A bot whose catalogue comes from a system beside it.
struct Shop {
    erp: Shared,
    service: Arc<Service>,
    store: Arc<dyn Store>,
    watch: Watch,
    feeds: Feeds,
    now: Arc<Mutex<Timestamp>>,
    _folder: Folder,
    _data: TempDir,
}

impl Shop {
    async fn open(pages: Vec<String>) -> Self {
        let erp = Arc::new(Mutex::new(Erp { pages, ..Erp::default() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let router = Router::new().route("/goods", get(goods)).with_state(Arc::clone(&erp));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let (folder, data) = (Folder::new(), tempfile::tempdir().unwrap());
        let feed = format!(
            "{}\n[catalogue]\nurl = \"http://{host}/goods?page={{page}}\"\nevery_minutes = 30\nauthorization = \"env:ERP_TOKEN\"\nprice_in = \"fen\"\n\n[catalogue.columns]\nprice = \"price.sale\"\ncategory = \"cat.name\"\n",
            bot_toml()
        );
        folder.write(&format!("{BOT}/bot.toml"), feed.as_bytes());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(data.path()).await.unwrap());
        let versions = Versions::new(Arc::clone(&store), data.path());
        let now = Arc::new(Mutex::new("2026-11-22T04:00:00Z".parse().unwrap()));
        let clock = Arc::clone(&now);
        let service = Service::new(Vec::new(), Arc::clone(&store), Arc::new(move || *clock.lock().unwrap()));
        let service = Arc::new(service);
        let models = no_models(&store);
        let root = folder.root().to_owned();
        let watch = Watch::new(Arc::clone(&service), versions.clone(), models, root);
        let variable: fn(&str) -> Option<String> =
            |name| (name == "ERP_TOKEN").then(|| "Bearer 7f3a".to_owned());
        let feeds = Feeds::new(Arc::clone(&service), versions, BTreeSet::from([host]), variable);
        let mut shop = Self { erp, service, store, watch, feeds, now, _folder: folder, _data: data };
        shop.look().await;
        shop
    }

    /// What `serve` does again and again.
    async fn look(&mut self) {
        self.watch.folders().await;
        self.watch.publications().await;
        self.feeds.look().await;
        self.watch.publications().await;
    }

    async fn look_after(&mut self, minutes: i64) {
        {
            let mut now = self.now.lock().unwrap();
            *now += SignedDuration::from_mins(minutes);
        }
        self.look().await;
    }

    fn answers_with(&self, pages: Vec<String>) {
        self.erp.lock().unwrap().pages = pages;
    }

    /// Number, price and pieces of every article that the bot answers from.
    fn sells(&self) -> Vec<(String, u32, u32)> {
        let bots = self.service.bots();
        let products = bots[BOT].known().products.iter();
        products.map(|product| (product.id.clone(), product.price_fen, product.stock)).collect()
    }

    async fn n_versions(&self) -> VersionNumber {
        self.store.versions(BOT, 1).await.unwrap()[0].number
    }
}

fn article(sku: &str, fen: u32, stock: u32) -> (String, u32, u32) {
    (sku.to_owned(), fen, stock)
}

fn three() -> Vec<String> {
    let goods = [good("A-1", "牛津纺衬衫", 19_900, 5), good("A-2", "亚麻衬衫", 5_990, -2)];
    let last = good("A-3", "条纹衬衫", 8_800, 1);
    vec![listed(&[goods[0].as_str(), goods[1].as_str()]), listed(&[last.as_str()])]
}

#[tokio::test]
async fn all_pages_become_the_catalogue_and_the_secret_is_sent() {
    let shop = Shop::open(three()).await;
    assert_eq!(shop.sells(), [article("A-1", 19_900, 5), article("A-2", 5_990, 0), article("A-3", 8_800, 1)]);
    let sent = shop.erp.lock().unwrap().authorizations.clone();
    assert_eq!(sent, vec!["Bearer 7f3a"; 3]);
}

#[tokio::test]
async fn a_change_is_published_when_its_time_has_come_and_only_then() {
    let mut shop = Shop::open(three()).await;
    let n_before = shop.n_versions().await;
    shop.answers_with(vec![listed(&[
        &good("A-1", "牛津纺衬衫", 16_900, 9),
        &good("A-3", "条纹衬衫", 8_800, 1),
    ])]);
    shop.look_after(29).await;
    assert_eq!(shop.n_versions().await, n_before);
    shop.look_after(1).await;
    assert_eq!(shop.sells(), [article("A-1", 16_900, 9), article("A-3", 8_800, 1)]);
    assert_eq!(shop.n_versions().await, n_before + 1);
    shop.look_after(31).await;
    assert_eq!(shop.n_versions().await, n_before + 1, "the same goods are the same version");
}

#[tokio::test]
async fn a_system_that_is_half_up_empties_no_shop() {
    let mut shop = Shop::open(three()).await;
    let before = shop.sells();
    let broken = [
        vec![],
        vec![listed(&[&good("A-1", "牛津纺衬衫", 19_900, 5)])],
        vec!["<html>登录</html>".to_owned()],
        vec![three()[0].clone(), r#"{"code": 429, "data": {"list": []}}"#.to_owned()],
        vec![listed(&[
            &good("A 1", "编号不能用", 1, 1),
            &good("A-2", "亚麻衬衫", 1, 1),
            &good("A-3", "条纹衬衫", 1, 1),
        ])],
    ];
    for pages in broken {
        shop.answers_with(pages.clone());
        shop.look_after(31).await;
        assert_eq!(shop.sells(), before, "{pages:?}");
    }
    shop.erp.lock().unwrap().status = StatusCode::BAD_GATEWAY;
    shop.look_after(31).await;
    assert_eq!(shop.sells(), before);
    // It is tried again within minutes, not after half an hour.
    shop.erp.lock().unwrap().status = StatusCode::OK;
    shop.answers_with(vec![listed(&[&good("A-1", "牛津纺衬衫", 100, 5), &good("A-2", "亚麻衬衫", 100, 1)])]);
    shop.look_after(2).await;
    assert_eq!(shop.sells(), [article("A-1", 100, 5), article("A-2", 100, 1)]);
}
