//! `yingda serve` is killed in the middle of its work, over and over: no message is lost, none is answered twice.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::Duration;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;
use yingda::message::Channel;
use yingda::store::CustomerKey;
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

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

const KF: &str = "wkFARM";

/// Messages of customers that may wait for an answer before the next one is written.
const WAITING_MAX: usize = 40;

/// How much is done, and how often it is cut off.
#[derive(Clone, Copy)]
struct Size {
    /// Members who talk to an app, each waiting for its answers.
    n_members: usize,
    /// Customers of 微信客服, who do not wait.
    n_customers: usize,
    /// Messages of each.
    n_each: usize,
    n_kills: usize,
    /// Deliveries between two kills, at most.
    n_between_max: usize,
    /// Time from the last of them to the kill, at most.
    jitter_us_max: usize,
    /// Quiet after which messages in a row are read as one; 0: each for itself.
    quiet_ms: u32,
    /// Messages that a member sends before the answer to the first of them is there.
    n_row: usize,
}

#[test]
fn after_kills_at_random_instants_every_message_has_one_turn_and_one_reply() {
    run(Size {
        n_members: 10,
        n_customers: 20,
        n_each: 6,
        n_kills: 3,
        n_between_max: 12,
        jitter_us_max: 4_000,
        quiet_ms: 0,
        n_row: 1,
    });
}

#[test]
fn after_kills_every_message_of_a_row_is_covered_by_one_reply() {
    run(Size {
        n_members: 4,
        n_customers: 12,
        n_each: 6,
        n_kills: 3,
        n_between_max: 6,
        jitter_us_max: 60_000,
        quiet_ms: 40,
        n_row: 3,
    });
}

/// `cargo test --release --test it -- --ignored hundred_kills --nocapture`; some minutes.
#[test]
#[ignore = "the long form: minutes"]
fn after_a_hundred_kills_every_message_has_one_turn_and_one_reply() {
    run(Size {
        n_members: 40,
        n_customers: 200,
        n_each: 40,
        n_kills: 100,
        n_between_max: 120,
        jitter_us_max: 40_000,
        quiet_ms: 0,
        n_row: 1,
    });
}

fn run(size: Size) {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    for bot in ["farm", "shop"] {
        quieten(&dir.path().join(format!("knowledge/{bot}/bot.toml")), size.quiet_ms);
    }
    let stand = Stand::open();
    let address = Address::default();
    let driver = &Driver {
        address: &address,
        n_deliveries_max: size.n_kills + 1,
        n_sent: AtomicUsize::new(0),
        n_cut: AtomicUsize::new(0),
    };
    let mut random = SEED;
    let mut server = Server::start(dir.path(), &stand.url);
    let acknowledged: Vec<Vec<Response>> = std::thread::scope(|scope| {
        address.change(server.address);
        let members: Vec<_> =
            (0..size.n_members).map(|member| scope.spawn(move || driver.talk(member, size))).collect();
        let customers = scope.spawn(|| write_as_customers(size, &stand, &address));
        for _ in 0..size.n_kills {
            let target = driver.n_sent.load(Ordering::SeqCst) + below(&mut random, size.n_between_max) + 1;
            let jitter = Duration::from_micros(below(&mut random, size.jitter_us_max) as u64);
            let start = Instant::now();
            // Members who are done leave the rest of the kills to the customers.
            while driver.n_sent.load(Ordering::SeqCst) < target
                && members.iter().any(|one| !one.is_finished())
            {
                assert!(start.elapsed() < PATIENCE, "the members went silent");
                std::thread::yield_now();
            }
            let reached = Instant::now();
            while reached.elapsed() < jitter {
                std::hint::spin_loop();
            }
            server.kill();
            server = Server::start(dir.path(), &stand.url);
            address.change(server.address);
        }
        customers.join().unwrap();
        members.into_iter().map(|member| member.join().unwrap()).collect()
    });
    assert!(driver.n_cut.load(Ordering::SeqCst) > 0, "no kill hit a delivery: this run shows nothing");

    for (member, responses) in acknowledged.iter().enumerate() {
        for (number, response) in responses.iter().enumerate() {
            if let (1, Response::Reply(reply)) = (size.n_row, response) {
                assert_eq!(words(reply, &name(member)), answer_to(word(number)));
            }
            let again = deliver(server.address, &plaintext(member, number));
            assert_eq!(again, *response, "the repeat of an answered message");
        }
    }
    let n_messages = size.n_customers * size.n_each;
    let last = farm_answer_to(word(size.n_each - 1));
    let is_last =
        |message: &Value| message["text"]["content"].as_str().is_some_and(|text| text.contains(&last));
    let all_heard = stand.waits(PATIENCE, |ledger| {
        let ends = ledger.customers.iter().filter(|message| is_last(message)).count();
        if size.quiet_ms == 0 { ledger.customers.len() >= n_messages } else { ends >= size.n_customers }
    });
    assert!(all_heard, "{} answers to {n_messages} messages came", stand.ledger().customers.len());
    if size.quiet_ms == 0 {
        for customer in 0..size.n_customers {
            let expected: Vec<String> = (0..size.n_each).map(|number| farm_answer_to(word(number))).collect();
            assert_eq!(stand.heard_by(&customer_name(customer)), expected, "each once and in order");
        }
    }
    server.kill();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&dir.path().join("data")).await.unwrap();
        for app in ["kf", "kf:wkFARM"] {
            assert_eq!(store.callbacks_unanswered(app).await.unwrap(), []);
        }
        assert_eq!(store.outbox_given_up(10).await.unwrap(), []);
        for (member, responses) in acknowledged.iter().enumerate() {
            let rows = history(&store, "shop", &name(member)).await;
            let mut said: Vec<&str> =
                rows.iter().step_by(2).flat_map(|row| row["text"].as_str().unwrap().lines()).collect();
            if size.n_row > 1 {
                // Of messages under way at the same time, any may arrive first.
                said.sort_by_key(|text| text.split_whitespace().next_back());
            }
            let expected: Vec<String> = (0..size.n_each).map(|number| question(member, number)).collect();
            assert_eq!(said, expected, "every message in one turn, in the order in which they were sent");
            let is_reply = |response: &&Response| matches!(response, Response::Reply(_));
            let n_replies = responses.iter().filter(is_reply).count();
            assert_eq!(n_replies, rows.len() / 2, "one reply a turn");
            if size.n_row == 1 {
                let answers =
                    rows.iter().skip(1).step_by(2).map(|row| row["parts"][0]["text"].as_str().unwrap());
                let expected: Vec<String> = (0..size.n_each).map(|number| answer_to(word(number))).collect();
                assert_eq!(answers.collect::<Vec<_>>(), expected);
            }
        }
        for customer in 0..size.n_customers {
            let key = CustomerKey::new("farm", Channel::WecomKf, &customer_name(customer)).unwrap();
            let conversation = store.conversation(&key, Timestamp::now()).await.unwrap();
            let rows = store.messages(conversation.id, 1_000).await.unwrap();
            let bodies: Vec<Value> =
                rows.iter().map(|row| serde_json::from_str(&row.body).unwrap()).collect();
            let said: Vec<&str> =
                bodies.iter().step_by(2).flat_map(|body| body["text"].as_str().unwrap().lines()).collect();
            let expected: Vec<&str> = (0..size.n_each).map(word).collect();
            assert_eq!(said, expected, "every message in one turn, in order");
            let n_turns = conversation.revision as usize;
            assert_eq!(stand.heard_by(&customer_name(customer)).len(), n_turns, "one reply a turn");
            assert!(size.quiet_ms > 0 || n_turns == size.n_each);
        }
        store.close().await;
    });
    let (n_cut, n_repeats) = (driver.n_cut.load(Ordering::SeqCst), stand.ledger().n_repeats);
    let mut told = std::io::stdout().lock();
    writeln!(
        told,
        "{} kills: {} messages of members, {n_cut} deliveries cut off; {n_messages} of customers, {n_repeats} \
         sent twice and known by their id",
        size.n_kills,
        size.n_members * size.n_each,
    )
    .unwrap();
}

/// Lets a bot read messages in a row as one.
fn quieten(profile: &Path, quiet_ms: u32) {
    let text = std::fs::read_to_string(profile).unwrap();
    std::fs::write(profile, format!("quiet_ms = {quiet_ms}\n{text}")).unwrap();
}

/// Customers write, whether somebody answers or not; every message wakes the server that is there, if one is.
fn write_as_customers(size: Size, stand: &Stand, address: &Address) {
    let farm = Wecom::farm();
    let wake = || {
        let event = format!(
            "<xml><ToUserName>{}</ToUserName><CreateTime>1795485602</CreateTime><MsgType>event</MsgType>\
             <Event>kf_msg_or_event</Event><Token>t</Token><OpenKfId>{KF}</OpenKfId></xml>",
            farm.corp
        );
        let (uri, body) = farm.sealed(&event);
        let (_, address) = address.after(0);
        // A wake-up may be lost; the message is not.
        let _lost = exchange(address, &uri, &body);
    };
    let mut n_written = 0;
    for number in 0..size.n_each {
        for customer in 0..size.n_customers {
            let (name, at) = (customer_name(customer), Timestamp::now().as_second());
            stand.writes(KF, &name, &format!("{name}-{number}"), word(number), at);
            n_written += 1;
            wake();
            while !stand
                .waits(Duration::from_millis(200), |ledger| n_written - ledger.customers.len() <= WAITING_MAX)
            {
                wake();
            }
        }
    }
}

fn customer_name(customer: usize) -> String {
    format!("wm{customer}")
}

fn name(member: usize) -> String {
    format!("member{member}")
}

/// What the message of that number says.
fn word(number: usize) -> &'static str {
    NUMBERS[number % NUMBERS.len()]
}

fn question(member: usize, number: usize) -> String {
    format!("{} {member:03}{number:03}", word(number))
}

fn plaintext(member: usize, number: usize) -> String {
    let msg_id = 7_450_000_000_000_000_000 + (member * 1_000 + number) as u64;
    Wecom::kf().text(&name(member), msg_id, &question(member, number))
}

/// A number below `limit`, of xorshift.
fn below(state: &mut u64, limit: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state % limit as u64) as usize
}

/// Where the server is now; every start has its own address and number.
#[derive(Default)]
struct Address {
    current: Mutex<(usize, Option<SocketAddr>)>,
    changed: Condvar,
}

impl Address {
    fn change(&self, address: SocketAddr) {
        let mut current = self.current.lock().unwrap();
        *current = (current.0 + 1, Some(address));
        self.changed.notify_all();
    }

    /// Waits for a server of a later start than that.
    fn after(&self, start: usize) -> (usize, SocketAddr) {
        let current = self.current.lock().unwrap();
        let (current, over) =
            self.changed.wait_timeout_while(current, PATIENCE, |current| current.0 <= start).unwrap();
        assert!(!over.timed_out(), "no server came up");
        (current.0, current.1.unwrap())
    }
}

/// WeCom, with members who talk at the same time.
struct Driver<'a> {
    address: &'a Address,
    /// One delivery, and as many repeats as there are kills: no message can run out of them.
    n_deliveries_max: usize,
    /// Deliveries that were written to a connection, whole or cut off.
    n_sent: AtomicUsize,
    /// Deliveries that a kill left without an acknowledgement.
    n_cut: AtomicUsize,
}

impl Driver<'_> {
    /// One member's messages, row after row; what came back to each of them.
    fn talk(&self, member: usize, size: Size) -> Vec<Response> {
        let mut responses = Vec::new();
        for row in (0..size.n_each).collect::<Vec<_>>().chunks(size.n_row) {
            std::thread::scope(|scope| {
                let mut sent = Vec::new();
                for &number in row {
                    let (written, is_written) = std::sync::mpsc::channel();
                    sent.push(scope.spawn(move || self.insist(member, number, &written)));
                    // The next of the row follows as soon as this one is under way.
                    let _gone = is_written.recv();
                }
                responses.extend(sent.into_iter().map(|one| one.join().unwrap()));
            });
        }
        responses
    }

    /// Delivers a message until it is taken, sometimes twice at the same time, as WeCom does.
    fn insist(&self, member: usize, number: usize, written: &Sender<()>) -> Response {
        let plaintext = &plaintext(member, number);
        let mut start = 0;
        for _ in 0..self.n_deliveries_max {
            let (current, address) = self.address.after(start);
            let n_copies = 1 + (member + number) % 2;
            self.n_sent.fetch_add(n_copies, Ordering::SeqCst);
            let _told = written.send(());
            let responses: Vec<Response> = std::thread::scope(|scope| {
                let copies: Vec<_> =
                    (0..n_copies).map(|_| scope.spawn(move || deliver(address, plaintext))).collect();
                copies.into_iter().map(|copy| copy.join().unwrap()).collect()
            });
            let mut taken = responses.into_iter().filter(|response| *response != Response::None);
            let Some(first) = taken.next() else {
                // That server is gone; the next delivery is for the next one.
                self.n_cut.fetch_add(1, Ordering::SeqCst);
                start = current;
                continue;
            };
            assert!(!matches!(first, Response::Refused(_)), "{first:?}");
            taken.for_each(|other| assert_eq!(other, first, "two deliveries of one message"));
            return first;
        }
        panic!("one delivery more than kills leaves one that is answered");
    }
}
