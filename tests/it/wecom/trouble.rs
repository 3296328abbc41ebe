//! The disk is full, or somebody else holds the store: what was not taken is not acknowledged, and what was is answered.

use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use sqlx::Connection;
use sqlx::SqliteConnection;
use yingda::store::SqliteStore;
use yingda::store::Store;

use super::child::Response;
use super::child::Server;
use super::child::deliver;
use super::child::exchange;
use super::fixture::NUMBERS;
use super::fixture::PATIENCE;
use super::fixture::Wecom;
use super::fixture::answer_to;
use super::fixture::farm_answer_to;
use super::fixture::history;
use super::fixture::words;
use super::fixture::write_bots;
use super::stand::Stand;

const MEMBER: &str = "member";
const CUSTOMER: &str = "wmC";
const KF: &str = "wkFARM";

/// A member's message of that number.
fn plaintext(number: usize) -> String {
    Wecom::kf().text(MEMBER, 7_450_000_000_000_000_000 + number as u64, NUMBERS[number])
}

/// What a customer on the page gets.
fn chat(server: &Server) -> String {
    let body = r#"{"bot":"shop","user":"web","text":"甲号"}"#;
    let uri = "/api/v1/chat HTTP/1.1\r\nContent-Type: application/json\r\nX-Ignored:";
    exchange(server.address, uri, body).unwrap()
}

#[track_caller]
fn check_answered(server: &Server, number: usize) {
    let response = deliver(server.address, &plaintext(number));
    let Response::Reply(reply) = response else { panic!("{response:?}") };
    assert_eq!(words(&reply, MEMBER), answer_to(NUMBERS[number]));
}

/// Starts a server, puts it into trouble and takes it out again.
///
/// * `trouble`: begins it; what it returns ends it.
/// * `at_least`: for so long the server is asked in vain.
fn check<E>(trouble: impl FnOnce(&Server, &Path) -> E, end: impl FnOnce(&Server, E), at_least: Duration) {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let stand = Stand::open();
    let server = Server::start(dir.path(), &stand.url);
    check_answered(&server, 0);

    let troubled = trouble(&server, dir.path());
    let began = Instant::now();
    loop {
        let refused = deliver(server.address, &plaintext(1));
        assert!(matches!(refused, Response::Refused(_)), "acknowledged, and not on disk: {refused:?}");
        if began.elapsed() >= at_least {
            break;
        }
    }
    let told = chat(&server);
    assert!(told.starts_with("HTTP/1.1 5") && told.contains("系统刚才出了点问题"), "{told}");
    stand.writes(KF, CUSTOMER, "m1", NUMBERS[2], jiff::Timestamp::now().as_second());
    end(&server, troubled);

    // The same process goes on, and WeCom delivers once more.
    check_answered(&server, 1);
    let wake = format!(
        "<xml><ToUserName>{}</ToUserName><CreateTime>1795485602</CreateTime><MsgType>event</MsgType>\
         <Event>kf_msg_or_event</Event><Token>t</Token><OpenKfId>{KF}</OpenKfId></xml>",
        Wecom::farm().corp
    );
    let (uri, body) = Wecom::farm().sealed(&wake);
    exchange(server.address, &uri, &body).unwrap();
    assert!(stand.waits(PATIENCE, |ledger| !ledger.customers.is_empty()), "nothing was sent");
    assert_eq!(stand.heard_by(CUSTOMER), [farm_answer_to(NUMBERS[2])]);
    drop(server);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&dir.path().join("data")).await.unwrap();
        let rows = history(&store, "shop", MEMBER).await;
        let said: Vec<&str> = rows.iter().step_by(2).filter_map(|row| row["text"].as_str()).collect();
        assert_eq!(said, NUMBERS[..2], "each once");
        assert_eq!(store.callbacks_unanswered("kf").await.unwrap(), []);
        store.close().await;
    });
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_nothing_is_acknowledged_and_with_room_again_all_is_answered() {
    let fill = |server: &Server, _dir: &Path| server.limit_files(Some(0));
    check(fill, |server, ()| server.limit_files(None), Duration::ZERO);
}

/// Somebody who holds the store until this is dropped.
struct Lock {
    runtime: tokio::runtime::Runtime,
    connection: SqliteConnection,
}

fn lock(_server: &Server, dir: &Path) -> Lock {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("sqlite:{}", dir.join("data").join(SqliteStore::FILE).display());
    let connection = runtime.block_on(async {
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
        connection
    });
    Lock { runtime, connection }
}

fn unlock(_server: &Server, mut lock: Lock) {
    lock.runtime.block_on(async {
        sqlx::query("ROLLBACK").execute(&mut lock.connection).await.unwrap();
        lock.connection.close().await.unwrap();
    });
}

#[test]
fn while_another_holds_the_store_for_twenty_seconds_nothing_is_acknowledged_and_then_all_is_answered() {
    check(lock, unlock, Duration::from_secs(20));
}
