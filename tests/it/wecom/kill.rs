//! `yingda serve` is killed in the middle of its work, over and over: no message is lost, none is answered twice.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use yingda::store::SqliteStore;
use yingda::store::Store;

use super::fixture::AES_KEY;
use super::fixture::NUMBERS;
use super::fixture::PATIENCE;
use super::fixture::TOKEN;
use super::fixture::Wecom;
use super::fixture::answer_to;
use super::fixture::history;
use super::fixture::words;
use super::fixture::write_bots;

const N_MEMBERS: usize = 10;

/// Messages of one member; each has other words.
const N_EACH: usize = NUMBERS.len();

/// A delivery and three repeats: with one kill less than that, no message can run out of them.
const N_DELIVERIES_MAX: usize = 4;
const N_KILLS: usize = 3;

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

#[test]
fn after_kills_at_random_instants_every_message_has_one_turn_and_one_reply() {
    let dir = tempfile::tempdir().unwrap();
    write_bots(&dir.path().join("knowledge"));
    let address = Address::default();
    let driver = &Driver { address: &address, n_sent: AtomicUsize::new(0), n_cut: AtomicUsize::new(0) };
    let mut random = SEED;
    let mut server = Server::start(dir.path());
    let acknowledged: Vec<Vec<String>> = std::thread::scope(|scope| {
        address.change(server.address);
        let members: Vec<_> = (0..N_MEMBERS).map(|member| scope.spawn(move || driver.talk(member))).collect();
        for _ in 0..N_KILLS {
            let target = driver.n_sent.load(Ordering::SeqCst) + below(&mut random, 12) + 1;
            let jitter = Duration::from_micros(below(&mut random, 4000) as u64);
            let start = Instant::now();
            while driver.n_sent.load(Ordering::SeqCst) < target {
                assert!(start.elapsed() < PATIENCE, "the members went silent");
                std::thread::yield_now();
            }
            let reached = Instant::now();
            while reached.elapsed() < jitter {
                std::hint::spin_loop();
            }
            server.kill();
            server = Server::start(dir.path());
            address.change(server.address);
        }
        members.into_iter().map(|member| member.join().unwrap()).collect()
    });
    assert!(driver.n_cut.load(Ordering::SeqCst) > 0, "no kill hit a delivery: this run shows nothing");

    for (member, replies) in acknowledged.iter().enumerate() {
        for (number, reply) in replies.iter().enumerate() {
            assert_eq!(words(reply, &name(member)), answer_to(NUMBERS[number]));
            let again = deliver(server.address, &plaintext(member, number)).unwrap();
            assert_eq!(again, *reply, "the repeat of an answered message");
        }
    }
    server.kill();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&dir.path().join("data")).await.unwrap();
        assert_eq!(store.callbacks_unanswered("kf").await.unwrap(), []);
        for member in 0..N_MEMBERS {
            let rows = history(&store, "shop", &name(member)).await;
            let said: Vec<&str> = rows.iter().step_by(2).map(|row| row["text"].as_str().unwrap()).collect();
            let expected: Vec<String> = (0..N_EACH).map(|number| question(member, number)).collect();
            assert_eq!(said, expected, "one row a message, in the order in which they were sent");
            let answers = rows.iter().skip(1).step_by(2).map(|row| row["parts"][0]["text"].as_str().unwrap());
            let expected: Vec<String> = NUMBERS.iter().map(|number| answer_to(number)).collect();
            assert_eq!(answers.collect::<Vec<_>>(), expected);
        }
        store.close().await;
    });
}

fn name(member: usize) -> String {
    format!("member{member}")
}

fn question(member: usize, number: usize) -> String {
    format!("{} {:02}", NUMBERS[number], member * N_EACH + number)
}

fn plaintext(member: usize, number: usize) -> String {
    let msg_id = 7_450_000_000_000_000_000 + (member * N_EACH + number) as u64;
    Wecom::kf().text(&name(member), msg_id, &question(member, number))
}

/// A number below `limit`, of xorshift.
fn below(state: &mut u64, limit: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state % limit as u64) as usize
}

/// A running `yingda serve`, which does not outlive the test.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_yingda"))
            .current_dir(dir)
            .args(["serve", "--listen", "127.0.0.1:0", "--knowledge", "knowledge", "--data", "data"])
            .env("KF_TOKEN", TOKEN)
            .env("KF_AES_KEY", AES_KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut told = Vec::new();
        let address = lines.by_ref().find_map(|line| {
            let address = line.split_once("http://127.0.0.1:").and_then(|(_, rest)| rest.split('/').next());
            let port = address.and_then(|port| port.parse::<u16>().ok());
            told.push(line);
            port.map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        });
        // The rest is read to its end, so that the server never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        let Some(address) = address else {
            let status = child.wait();
            panic!("the server did not start: {status:?} {told:#?}");
        };
        Self { child, address }
    }

    /// Ends it by SIGKILL, which leaves it no time for anything.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
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

/// WeCom, with ten members who talk at the same time.
struct Driver<'a> {
    address: &'a Address,
    /// Deliveries that were written to a connection, whole or cut off.
    n_sent: AtomicUsize,
    /// Deliveries that a kill left without an acknowledgement.
    n_cut: AtomicUsize,
}

impl Driver<'_> {
    /// One member's messages one after another; the inner XML of each reply.
    fn talk(&self, member: usize) -> Vec<String> {
        let mut start = 0;
        let mut replies = Vec::new();
        for number in 0..N_EACH {
            let plaintext = plaintext(member, number);
            let reply = (0..N_DELIVERIES_MAX).find_map(|_| {
                let (current, address) = self.address.after(start);
                self.n_sent.fetch_add(1, Ordering::SeqCst);
                let reply = deliver(address, &plaintext);
                if reply.is_none() {
                    // That server is gone; the next delivery is for the next one.
                    self.n_cut.fetch_add(1, Ordering::SeqCst);
                    start = current;
                }
                reply
            });
            replies.push(reply.expect("four deliveries with three kills leave one that is answered"));
        }
        replies
    }
}

/// Posts a callback; the decrypted reply, or `None` without a whole response, which WeCom takes for no answer.
fn deliver(address: SocketAddr, plaintext: &str) -> Option<String> {
    let wecom = Wecom::kf();
    let (uri, body) = wecom.sealed(plaintext);
    let response = exchange(address, &uri, &body).ok()?;
    let (head, body) = response.split_once("\r\n\r\n")?;
    let (status, fields) = head.split_once("\r\n")?;
    let fields: BTreeMap<String, &str> = fields
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    if fields["content-length"].parse() != Ok(body.len()) {
        return None;
    }
    assert_eq!(status, "HTTP/1.1 200 OK", "{body}");
    Some(wecom.open(body))
}

fn exchange(address: SocketAddr, uri: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST {uri} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response)
}
