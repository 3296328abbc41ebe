//! The built program: exit codes, what it says where, and how it starts and stops.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use yingda::message::Channel;
use yingda::message::Content;
use yingda::message::CustomerKind;
use yingda::service::Question;
use yingda::service::Service;
use yingda::store::SqliteStore;
use yingda::store::Store;

use crate::fixture::BOT;
use crate::fixture::CHART;
use crate::fixture::Folder;
use crate::fixture::RETURN;
use crate::fixture::bot_toml;
use crate::fixture::faq;

/// How long anything may take before a test gives up on it.
const DEADLINE: Duration = Duration::from_secs(60);

/// The program, in a folder of its own and with nothing in its environment.
pub(crate) fn yingda(at: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yingda"));
    command.env_clear().current_dir(at);
    command
}

pub(crate) fn run(at: &Path, args: &[&str]) -> Output {
    yingda(at).args(args).output().expect("the program starts")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout in UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr in UTF-8")
}

/// Places that `check` complains about, as `file:line`, of errors and warnings alike.
fn places(output: &Output) -> BTreeSet<String> {
    let rows = stdout(output);
    let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).expect("a row of JSON"));
    rows.map(|row| format!("{}:{}", row["file"].as_str().expect("a file"), row["line"])).collect()
}

// check

/// Writes one file of the bot and checks that `check` refuses the bot for it, naming file and line.
#[track_caller]
fn check_refused(file: &str, bytes: &[u8], place: &str) -> String {
    let folder = Folder::new();
    folder.write(&format!("{BOT}/{file}"), bytes);
    let told = run(folder.root(), &["check", BOT]);
    assert_eq!(told.status.code(), Some(1), "{}", stderr(&told));
    assert!(stdout(&told).contains(place), "{place} is not in:\n{}", stdout(&told));
    let rows = run(folder.root(), &["check", BOT, "--json"]);
    assert_eq!(rows.status.code(), Some(1));
    assert!(places(&rows).contains(place), "{place} is not in:\n{}", stdout(&rows));
    stdout(&told)
}

#[test]
fn check_has_nothing_to_say_of_a_sound_folder() {
    let folder = Folder::new();
    for dir in [BOT, "."] {
        let told = run(folder.root(), &["check", dir, "--json"]);
        assert_eq!((told.status.code(), stdout(&told)), (Some(0), String::new()), "{dir}");
    }
    assert_eq!(run(folder.root(), &["check", BOT]).status.code(), Some(0));
}

#[test]
fn check_names_file_and_line_of_broken_files() {
    let broken = bot_toml().replace("title = \"", "title = ");
    check_refused("bot.toml", broken.as_bytes(), "bot.toml:2");
    let typo = bot_toml().replace("phone =", "phnoe =");
    check_refused("bot.toml", typo.as_bytes(), "bot.toml:5");
    check_refused("faq/faq.csv", format!("{}r-9,退换货,少了几格\n", faq()).as_bytes(), "faq/faq.csv:7");
    check_refused(
        "faq/faq.csv",
        format!("{}r-9,退换货,能退吗,,\"没有闭合,,,\n", faq()).as_bytes(),
        "faq/faq.csv:7",
    );
    let group = b"[[rule]]\nid = \"a\"\nwhen = { any = [\"x\"] }\nthen = [{ handoff = \"nobody\" }]\n";
    check_refused("rules.toml", group, "rules.toml:1");
}

#[test]
fn check_reads_what_chinese_spreadsheets_write() {
    let folder = Folder::new();
    let text = faq();
    let (gbk, _, lost) = encoding_rs::GBK.encode(&text);
    assert!(!lost);
    folder.write(&format!("{BOT}/faq/faq.csv"), &gbk);
    let told = run(folder.root(), &["check", BOT, "--json"]);
    assert_eq!((told.status.code(), stdout(&told)), (Some(0), String::new()));
    let asked = run(folder.root(), &["ask", "--knowledge", ".", RETURN.0]);
    assert_eq!(stdout(&asked).trim(), RETURN.1);
}

#[test]
fn check_finds_a_secret_and_does_not_repeat_it() {
    let secret = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
    let text = format!(
        "{}\n[wecom.app]\ncorp_id = \"ww1\"\ntoken = \"env:TOKEN\"\naes_key = \"{secret}\"\n",
        bot_toml()
    );
    let line = text.lines().position(|line| line.starts_with("aes_key")).expect("a line") + 1;
    let told = check_refused("bot.toml", text.as_bytes(), &format!("bot.toml:{line}"));
    assert!(!told.contains(secret), "{told}");
}

#[test]
fn check_refuses_an_expression_that_grows_without_bounds() {
    let rule =
        "# first\n\n[[rule]]\nid = \"a\"\nwhen = { regex = '(\\w{100}){100}' }\nthen = [{ text = \"x\" }]\n";
    check_refused("rules.toml", rule.as_bytes(), "rules.toml:3");
}

#[test]
fn check_of_several_bots_fails_for_one_of_them() {
    let folder = Folder::new();
    folder.add_bot("zeta");
    assert_eq!(run(folder.root(), &["check", "."]).status.code(), Some(0));
    folder.write("zeta/bot.toml", b"name = 1\n");
    let told = run(folder.root(), &["check", ".", "--json"]);
    assert_eq!(told.status.code(), Some(1));
    let rows = stdout(&told);
    let bot = |line| serde_json::from_str::<Value>(line).unwrap()["bot"].to_string();
    assert_eq!(rows.lines().map(bot).collect::<BTreeSet<_>>(), BTreeSet::from([r#""zeta""#.to_owned()]));
}

#[test]
fn check_without_a_bot_is_an_error_of_use() {
    let empty = tempfile::tempdir().unwrap();
    for (dir, named) in [("no/such/folder", "no/such/folder"), (".", "bot.toml")] {
        let told = run(empty.path(), &["check", dir]);
        assert_eq!(told.status.code(), Some(2), "{dir}");
        assert!(stderr(&told).contains(named), "{}", stderr(&told));
    }
}

// ask

fn ask_rows(input: &[u8]) -> (Option<i32>, Vec<Value>, String) {
    let folder = Folder::new();
    let mut child = yingda(folder.root())
        .args(["ask", "--knowledge", ".", "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("the program reads");
    let output = child.wait_with_output().expect("the program ends");
    let rows = stdout(&output).lines().map(|row| serde_json::from_str(row).expect("a row")).collect();
    (output.status.code(), rows, stderr(&output))
}

#[test]
fn ask_answers_rows_in_order_with_all_keys() {
    let texts = ["谢谢", RETURN.0, "", "😀", "\0\u{7}", "想买火箭", CHART, RETURN.0, "转人工", "赌博"];
    let mut input = String::new();
    for (at, text) in texts.iter().enumerate() {
        input.push_str(&json!({ "text": text, "id": at, "relevant": ["x"] }).to_string());
        input.push('\n');
    }
    input.push('\n');
    let (code, rows, said) = ask_rows(input.as_bytes());
    assert_eq!(code, Some(0), "{said}");
    let answered: Vec<&str> = rows.iter().map(|row| row["text"].as_str().expect("a text")).collect();
    assert_eq!(answered, texts);
    let keys = [
        "action",
        "confidence",
        "evidence",
        "intent",
        "intents",
        "out_of_scope",
        "reply",
        "slots",
        "text",
        "top",
    ];
    for row in &rows {
        let own: BTreeSet<&str> = row.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(own, BTreeSet::from(keys), "{row}");
        let parts = row["reply"].as_array().expect("parts");
        let empty = |part: &Value| part["type"] == "text" && part["text"].as_str().is_none_or(str::is_empty);
        assert!(!parts.is_empty() && !parts.iter().any(empty), "{row}");
    }
    // Each row is the first message of a new customer: a repeat is answered alike.
    assert_eq!(rows[1], rows[7]);
    assert_eq!(rows[1]["reply"][0]["text"], RETURN.1);
    assert_eq!(rows[1]["evidence"][0]["id"], "return-apply");
    assert_eq!((&rows[8]["action"], &rows[9]["action"]), (&json!("handoff"), &json!("block")));
}

#[test]
fn ask_answers_the_other_rows_when_some_are_bad() {
    let good = json!({ "text": RETURN.0 }).to_string();
    let input =
        [good.as_bytes(), b"no row", b"{\"question\": \"x\"}", b"{\"text\": \"\xff\"}", good.as_bytes()];
    let (code, rows, said) = ask_rows(&input.join(&b'\n'));
    assert_eq!(code, Some(1));
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0], rows[1]);
    for line in ["line 2", "line 3", "line 4"] {
        assert!(said.contains(line), "{line} is not in:\n{said}");
    }
    assert!(!said.contains("line 1:") && !said.contains("line 5:"), "{said}");
}

#[test]
fn ask_names_a_bot_that_is_not_there() {
    let folder = Folder::new();
    let told = run(folder.root(), &["ask", "--knowledge", ".", "--bot", "nobody", "x"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains("nobody"), "{}", stderr(&told));
}

#[test]
fn a_wrong_configuration_is_named() {
    let folder = Folder::new();
    folder.write("own.toml", b"[serve]\nlistne = \"127.0.0.1:1\"\n");
    let told = run(folder.root(), &["ask", "--config", "own.toml", "x"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains("own.toml") && stderr(&told).contains("listne"), "{}", stderr(&told));
}

// key, handoffs

#[test]
fn keys_are_made_listed_and_revoked() {
    let at = tempfile::tempdir().unwrap();
    let made = run(at.path(), &["key", "add", "--scope", "agent", "--label", "desk 3"]);
    let key = stdout(&made).trim().to_owned();
    assert_eq!(keys_in(&key), BTreeSet::from([key.clone()]));
    let listed = stdout(&run(at.path(), &["key", "list"]));
    assert!(listed.contains("agent") && listed.contains("desk 3") && !listed.contains(&key), "{listed}");
    let id = listed.split('\t').next().expect("a number");
    assert_eq!(run(at.path(), &["key", "revoke", id]).status.code(), Some(0));
    assert_ne!(stdout(&run(at.path(), &["key", "list"])), listed);
    let unknown = run(at.path(), &["key", "revoke", "99"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("99"), "{}", stderr(&unknown));
}

#[test]
fn an_agent_serves_groups_that_there_are() {
    let (folder, data) = (Folder::new(), tempfile::tempdir().unwrap());
    let (root, data) = (folder.root().to_str().unwrap(), data.path().to_str().unwrap());
    let add = |group: &str| {
        run(
            folder.root(),
            &["agent", "add", "小王", "--group", group, "--personal", "--knowledge", root, "--data", data],
        )
    };
    let unknown = add("nobody");
    assert_eq!(unknown.status.code(), Some(2));
    let told = stderr(&unknown);
    assert!(told.contains("nobody") && told.contains("service"), "{told}");
    assert_eq!(stdout(&run(folder.root(), &["agent", "list", "--data", data])), "", "nobody was added");
    assert_eq!(keys_in(&stdout(&add("service"))).len(), 1);
    let listed = stdout(&run(folder.root(), &["agent", "list", "--data", data]));
    assert!(listed.contains("小王") && listed.contains("service"), "{listed}");
    let keys = stdout(&run(folder.root(), &["key", "list", "--data", data]));
    assert!(keys.contains("agent+personal"), "{keys}");
}

// archive

/// The fixture's archive: what one customer said, who tries to run something, and the answer.
fn talk(folder: &Folder, data: &Path) {
    let question = Question {
        bot: BOT.to_owned(),
        channel: Channel::Web,
        customer_id: "@amy".to_owned(),
        name: None,
        kind: CustomerKind::Customer,
        content: Content::Text(DANGEROUS.to_owned()),
        with: Vec::new(),
    };
    runtime().block_on(async {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(data).await.unwrap());
        let service = Service::new(vec![folder.engine()], Arc::clone(&store), Arc::new(Timestamp::now));
        service.answer(&question).await.unwrap();
        store.close().await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

const DANGEROUS: &str = "=HYPERLINK(\"x\") 打我电话13800138000";
const DANGEROUS_MASKED: &str = "=HYPERLINK(\"x\") 打我电话****8000";

#[test]
fn the_archive_is_handed_out_for_people_for_machines_and_for_spreadsheets() {
    let (folder, data) = (Folder::new(), data());
    talk(&folder, data.path());
    let at = [folder.root(), data.path()].map(|path| path.to_str().unwrap());
    let ask = |args: &[&str]| {
        run(folder.root(), &[&["archive", "--knowledge", at[0], "--data", at[1]], args].concat())
    };
    let lines = stdout(&ask(&["--json", "--order", "oldest"]));
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let authors: Vec<&Value> = lines.iter().map(|line| &line["author"]).collect();
    assert_eq!(authors, ["customer", "bot"]);
    assert_eq!((&lines[0]["words"], &lines[0]["customer_id"]), (&json!(DANGEROUS_MASKED), &json!("@amy")));
    assert!(stdout(&ask(&["--json", "--personal"])).contains("13800138000"));

    let sheet = stdout(&ask(&["--csv", "--author", "customer"]));
    let sheet = sheet.strip_prefix('\u{feff}').expect("a mark that the file is UTF-8");
    let mut table = csv::Reader::from_reader(sheet.as_bytes());
    let header: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let cell = |name: &str| &rows[0][header.iter().position(|own| own == name).unwrap()];
    assert_eq!(rows.len(), 1);
    assert_eq!((cell("words"), cell("customer_id")), (&*format!("'{DANGEROUS_MASKED}"), "'@amy"));
    assert_eq!((cell("author"), cell("direction"), cell("version")), ("customer", "in", ""));

    let told = stdout(&ask(&[]));
    assert!(told.contains("顾客：=HYPERLINK") && told.contains("机器人："), "{told}");
    assert_eq!(stdout(&ask(&["--limit", "1"])).lines().count(), 1);
    let none = ask(&["--words", "HYPERLINK", "100%"]);
    assert_eq!((none.status.code(), stdout(&none)), (Some(0), String::new()));
    assert!(stderr(&none).contains("没有找到"), "{}", stderr(&none));
    assert_eq!(stdout(&ask(&["--words", "hyperlink", "打我"])).lines().count(), 1);
    for args in [["--from", "昨天"], ["--channel", "fax"], ["--agent", "小王"]] {
        let refused = ask(&args);
        assert_eq!((refused.status.code(), stdout(&refused)), (Some(2), String::new()), "{args:?}");
        assert!(stderr(&refused).contains(args[1]), "{}", stderr(&refused));
    }
    assert_eq!(ask(&["--json", "--csv"]).status.code(), Some(2));
}

#[test]
fn an_archive_of_several_pages_is_handed_out_whole_and_in_order() {
    let (folder, data) = (Folder::new(), data());
    talk(&folder, data.path());
    runtime().block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.path().join(SqliteStore::FILE));
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        sqlx::query(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
             INSERT INTO messages (conversation_id, direction, body, at_ms, author)
             SELECT 1, 'in', json_object('kind', 'text', 'text', '第' || i || '句'), ?, 'customer' FROM n",
        )
        .bind(Timestamp::now().as_millisecond())
        .execute(&pool)
        .await
        .unwrap();
        pool.close().await;
    });
    let at = [folder.root(), data.path()].map(|path| path.to_str().unwrap());
    let ids = |args: &[&str]| -> Vec<i64> {
        let fixed = ["archive", "--knowledge", at[0], "--data", at[1], "--json", "--order", "oldest"];
        let told = stdout(&run(folder.root(), &[&fixed, args].concat()));
        let line = |line: &str| serde_json::from_str::<Value>(line).unwrap()["message_id"].as_i64().unwrap();
        told.lines().map(line).collect()
    };
    let all = ids(&[]);
    assert_eq!(all.len(), 6002);
    assert!(all.is_sorted_by(|a, b| a < b), "each once");
    assert_eq!(ids(&["--limit", "1001"]), all[..1001]);
    assert_eq!(ids(&["--words", "第5999句"]), all[6000..6001]);
}

// serve

/// A server that is running, killed when the test is over.
struct Server {
    child: Child,
    lines: Receiver<String>,
    said: String,
    address: SocketAddr,
}

impl Server {
    /// Starts over a knowledge folder and a data folder, on a port of the system's choice.
    fn start(knowledge: &Path, data: &Path) -> Self {
        let mut child = yingda(knowledge)
            .args(["serve", "--knowledge", ".", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (tell, lines) = mpsc::channel();
        // Ends with the pipe, or when nobody listens any more.
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { child, lines, said: String::new(), address };
        let line = server.line_with("http://127.0.0.1:");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        server.address = address.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        server.until_ready();
        server
    }

    /// Reads what the server says until a line holds some words.
    fn line_with(&mut self, words: &str) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { panic!("no {words:?} in:\n{}", self.said) };
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(words) {
                return line;
            }
        }
    }

    fn until_ready(&self) {
        let until = Instant::now() + DEADLINE;
        while self.get("/readyz").0 != 200 {
            assert!(Instant::now() < until, "not ready");
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a time limit");
        stream
    }

    /// Status and body.
    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = self.connect();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).expect("the server reads");
        response(stream)
    }

    fn terminate(&self) {
        let told = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(told.expect("kill starts").success());
    }

    /// Waits for the end; gives the exit code and all that was said on stderr.
    fn end(mut self) -> (Option<i32>, String) {
        let until = Instant::now() + DEADLINE;
        while let Ok(line) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        assert!(Instant::now() < until, "it did not end:\n{}", self.said);
        // stderr is closed, so the process is at its end.
        let code = self.child.wait().expect("a process of ours").code();
        (code, std::mem::take(&mut self.said))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where the process has ended, which is what they are for.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn response(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("a whole response");
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status.unwrap_or_else(|| panic!("{text:?}")), body.unwrap_or_default())
}

/// All API keys that stand in a text.
fn keys_in(text: &str) -> BTreeSet<String> {
    let starts = text.match_indices("yd_").map(|(at, _)| &text[at..]);
    starts
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default())
        .filter(|key| key.rsplit('_').next().is_some_and(|random| random.len() == 64))
        .map(str::to_owned)
        .collect()
}

fn data() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn serve_shows_three_keys_at_the_first_start_and_never_again() {
    let (folder, data) = (Folder::new(), data());
    let first = Server::start(folder.root(), data.path());
    first.terminate();
    let (code, said) = first.end();
    assert_eq!(code, Some(0), "{said}");
    let keys = keys_in(&said);
    let scopes: Vec<&str> = keys.iter().filter_map(|key| key.split('_').nth(1)).collect();
    assert_eq!(scopes, ["admin", "agent", "chat"], "{said}");

    let second = Server::start(folder.root(), data.path());
    // They open what they are for, still.
    let agent = keys.iter().find(|key| key.contains("agent")).expect("an agent's key");
    let mut stream = second.connect();
    let request = format!(
        "GET /api/v1/handoffs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {agent}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(response(stream).0, 200);
    second.terminate();
    let (code, said) = second.end();
    assert_eq!((code, keys_in(&said)), (Some(0), BTreeSet::new()), "{said}");
}

#[test]
fn health_tells_a_server_that_answers_from_one_that_is_gone() {
    let (folder, data) = (Folder::new(), data());
    let server = Server::start(folder.root(), data.path());
    let url = format!("http://{}", server.address);
    let ask = |url: &str| run(data.path(), &["health", "--url", url]);
    assert_eq!(ask(&url).status.code(), Some(0));
    server.terminate();
    server.end();
    let gone = ask(&url);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains("/readyz 没有回应"), "{}", stderr(&gone));
    let odd = ask("localhost");
    assert!(stderr(&odd).contains("\"localhost\" is not an http(s) address"), "{}", stderr(&odd));
}

#[test]
fn serve_names_an_address_in_use() {
    let (folder, data) = (Folder::new(), data());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let below = data.path().join("new");
    let told = yingda(folder.root())
        .args(["serve", "--knowledge", ".", "--listen", &address, "--data"])
        .arg(&below)
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains(&address), "{}", stderr(&told));
    assert!(!below.exists(), "nothing is set up before the address is ours");
}

#[test]
fn serve_names_a_data_folder_that_cannot_be() {
    let folder = Folder::new();
    folder.write("plain", b"a file");
    let told =
        run(folder.root(), &["serve", "--knowledge", ".", "--listen", "127.0.0.1:0", "--data", "plain/data"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains("plain/data"), "{}", stderr(&told));
}

#[test]
fn serve_leaves_a_broken_bot_out_and_serves_the_good_one() {
    let (folder, data) = (Folder::new(), data());
    folder.add_bot("zeta");
    folder.write("zeta/bot.toml", bot_toml().replace("title = \"", "title = ").as_bytes());
    let server = Server::start(folder.root(), data.path());
    let (status, body) = server.get("/api/v1/bots");
    assert_eq!(status, 200);
    let bots: Value = serde_json::from_str(&body).unwrap();
    let ids: Vec<&str> =
        bots["bots"].as_array().unwrap().iter().map(|bot| bot["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [BOT]);
    assert!(server.said.contains("zeta") && server.said.contains("bot.toml:2"), "{}", server.said);
}

#[test]
fn serve_does_not_start_without_any_good_bot() {
    let (folder, data) = (Folder::new(), data());
    folder.write(&format!("{BOT}/bot.toml"), b"name = 1\n");
    let told = yingda(folder.root())
        .args(["serve", "--knowledge", ".", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains("bot.toml:1"), "{}", stderr(&told));
}

#[test]
fn sigterm_lets_a_request_under_way_finish_and_ends_with_success() {
    let (folder, data) = (Folder::new(), data());
    let mut server = Server::start(folder.root(), data.path());
    let body = json!({ "bot": BOT, "user": "a", "text": RETURN.0 }).to_string();
    let head = format!(
        "POST /api/v1/chat HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        server.address,
        body.len()
    );
    let (first, rest) = body.split_at(10);
    let mut under_way = server.connect();
    under_way.write_all(format!("{head}{first}").as_bytes()).unwrap();
    // The request that asks is one of the two.
    let until = Instant::now() + DEADLINE;
    while !server.get("/metrics").1.contains("yingda_http_requests_under_way 2\n") {
        assert!(Instant::now() < until, "the request does not show");
    }
    server.terminate();
    server.line_with("stopping");
    under_way.write_all(rest.as_bytes()).unwrap();
    let (status, body) = response(under_way);
    assert_eq!(status, 200);
    assert!(body.contains(RETURN.1), "{body}");
    let (code, said) = server.end();
    assert_eq!(code, Some(0), "{said}");
}
