//! Knowledge in the store: folders become versions, versions are compared, published, rolled back, and answer.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;
use yingda::desk::watch::Watch;
use yingda::message::Channel;
use yingda::message::Content;
use yingda::message::CustomerKind;
use yingda::message::Part;
use yingda::service::Question;
use yingda::service::Service;
use yingda::service::version::VersionError;
use yingda::service::version::Versions;
use yingda::store::NewPublication;
use yingda::store::SqliteStore;
use yingda::store::Store;
use yingda::store::StoreError;
use yingda::store::VersionNumber;

use crate::cli::run;
use crate::cli::stderr;
use crate::cli::stdout;
use crate::cli::yingda;
use crate::fixture::BOT;
use crate::fixture::CHART_FILE;
use crate::fixture::Folder;
use crate::fixture::RETURN;
use crate::fixture::bot_toml;
use crate::fixture::faq;
use crate::fixture::no_models;

const NEW_ANSWER: &str = "签收十五天内在订单里申请退货。";

/// A process over a data folder and a folder of knowledge.
struct Process {
    store: Arc<dyn Store>,
    versions: Versions,
    service: Arc<Service>,
    watch: Watch,
}

impl Process {
    async fn start(root: &Path, data: &Path) -> Self {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(data).await.unwrap());
        let versions = Versions::new(Arc::clone(&store), data);
        let service = Arc::new(Service::new(Vec::new(), Arc::clone(&store), Arc::new(Timestamp::now)));
        let models = no_models(&store);
        let watch = Watch::new(Arc::clone(&service), versions.clone(), models, root.to_owned());
        let mut process = Self { store, versions, service, watch };
        process.look().await;
        process
    }

    /// What the watch does every second.
    async fn look(&mut self) {
        self.watch.folders().await;
        self.watch.publications().await;
    }

    fn answers_from(&self) -> Option<VersionNumber> {
        self.service.bots().get(BOT).and_then(|engine| engine.known().version)
    }

    /// What it says to the question of [`RETURN`], and the version that says it.
    async fn says(&self, customer: &str) -> (String, Option<VersionNumber>) {
        let question = Question {
            with: Vec::new(),
            bot: BOT.to_owned(),
            channel: Channel::Web,
            customer_id: customer.to_owned(),
            name: None,
            kind: CustomerKind::Customer,
            content: Content::Text(RETURN.0.to_owned()),
        };
        let answer = self.service.answer(&question).await.unwrap();
        let words = answer.reply.parts.iter().find_map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            _ => None,
        });
        (words.unwrap_or_default(), answer.engine.known().version)
    }

    async fn publish(
        &self,
        number: VersionNumber,
        instead_of: Option<VersionNumber>,
    ) -> Result<(), VersionError> {
        let wish = NewPublication {
            bot: BOT.to_owned(),
            number,
            instead_of,
            author: "小李".to_owned(),
            reason: "双十一".to_owned(),
        };
        self.versions.publish(&wish, Timestamp::now()).await.map(|_opened| ())
    }

    async fn numbers(&self) -> Vec<VersionNumber> {
        self.store.versions(BOT, 100).await.unwrap().iter().map(|row| row.number).collect()
    }
}

fn data() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn new_faq(folder: &Folder) {
    folder.write(&format!("{BOT}/faq/faq.csv"), faq().replace(RETURN.1, NEW_ANSWER).as_bytes());
}

#[tokio::test]
async fn a_changed_folder_waits_as_a_draft_until_it_is_published() {
    let (folder, data) = (Folder::new(), data());
    let mut shop = Process::start(folder.root(), data.path()).await;
    assert_eq!(shop.says("a").await, (RETURN.1.to_owned(), Some(1)));
    new_faq(&folder);
    shop.look().await;
    assert_eq!((shop.says("a").await.1, shop.numbers().await), (Some(1), vec![2, 1]));
    let differences = shop.versions.diff(BOT, 1, 2, Timestamp::now()).await.unwrap();
    let told: Vec<String> =
        differences.iter().map(|one| format!("{:?} {} {:?}", one.thing, one.id, one.change)).collect();
    assert_eq!(told, ["Entry return-apply Changed([\"answer\"])"]);

    shop.publish(2, Some(1)).await.unwrap();
    shop.look().await;
    assert_eq!(shop.says("a").await, (NEW_ANSWER.to_owned(), Some(2)));
    // And back, though the folder holds the newer one still.
    shop.publish(1, Some(2)).await.unwrap();
    shop.look().await;
    assert_eq!(shop.says("a").await, (RETURN.1.to_owned(), Some(1)));
    let again = Process::start(folder.root(), data.path()).await;
    assert_eq!((again.says("b").await.1, again.numbers().await), (Some(1), vec![2, 1]));
}

#[tokio::test]
async fn a_bot_that_says_so_answers_from_its_changed_folder_at_once() {
    let (folder, data) = (Folder::new(), data());
    let watched = format!("watch = \"publish\"\n{}", bot_toml());
    folder.write(&format!("{BOT}/bot.toml"), watched.as_bytes());
    let mut shop = Process::start(folder.root(), data.path()).await;
    new_faq(&folder);
    shop.look().await;
    assert_eq!(shop.says("a").await, (NEW_ANSWER.to_owned(), Some(2)));
    // What was undone is undone for customers too.
    folder.write(&format!("{BOT}/faq/faq.csv"), faq().as_bytes());
    shop.look().await;
    assert_eq!(shop.says("a").await, (RETURN.1.to_owned(), Some(1)));
}

#[tokio::test]
async fn a_folder_with_errors_changes_nothing_until_it_is_mended() {
    let (folder, data) = (Folder::new(), data());
    let watched = format!("watch = \"publish\"\n{}", bot_toml());
    folder.write(&format!("{BOT}/bot.toml"), watched.as_bytes());
    let mut shop = Process::start(folder.root(), data.path()).await;
    folder.write(&format!("{BOT}/rules.toml"), b"[[rule]]\nid = \"x\"\nwhen = { regex = \"(\" }\n");
    shop.look().await;
    shop.look().await;
    assert_eq!((shop.says("a").await.1, shop.numbers().await), (Some(1), vec![1]));
    let error = shop.versions.take(&folder.bot(), &origin(), Timestamp::now()).await.unwrap_err();
    assert!(matches!(error, VersionError::Unfit { .. }), "{error:?}");
    folder.write(&format!("{BOT}/rules.toml"), b"");
    shop.look().await;
    assert_eq!(shop.answers_from(), Some(2));
}

fn origin() -> yingda::service::version::Origin {
    yingda::service::version::Origin { author: "小李".to_owned(), reason: String::new() }
}

#[tokio::test]
async fn of_two_maintainers_the_second_is_told_to_look_again() {
    let (folder, data) = (Folder::new(), data());
    let mut shop = Process::start(folder.root(), data.path()).await;
    for answer in [NEW_ANSWER, "三十天内都可以退。"] {
        folder.write(&format!("{BOT}/faq/faq.csv"), faq().replace(RETURN.1, answer).as_bytes());
        shop.look().await;
    }
    shop.publish(2, Some(1)).await.unwrap();
    let error = shop.publish(3, Some(1)).await.unwrap_err();
    assert!(
        matches!(error, VersionError::Store(StoreError::Outdated { expected: Some(1), found: Some(2), .. })),
        "{error:?}"
    );
    shop.look().await;
    assert_eq!(shop.answers_from(), Some(2));
}

#[tokio::test]
async fn what_one_process_publishes_every_process_answers_from() {
    let (folder, data) = (Folder::new(), data());
    let mut one = Process::start(folder.root(), data.path()).await;
    let nothing = tempfile::tempdir().unwrap();
    // This one has no folder of knowledge at all.
    let mut other = Process::start(nothing.path(), data.path()).await;
    assert_eq!(other.says("b").await, (RETURN.1.to_owned(), Some(1)));
    new_faq(&folder);
    one.look().await;
    one.publish(2, Some(1)).await.unwrap();
    other.look().await;
    assert_eq!(other.says("b").await, (NEW_ANSWER.to_owned(), Some(2)));
}

#[tokio::test]
async fn no_answer_is_lost_or_mixed_while_versions_are_exchanged() {
    let (folder, data) = (Folder::new(), data());
    let no_limit = bot_toml().replace("messages_per_minute = 6", "messages_per_minute = 0");
    folder.write(&format!("{BOT}/bot.toml"), no_limit.as_bytes());
    let mut shop = Process::start(folder.root(), data.path()).await;
    new_faq(&folder);
    shop.look().await;
    let asking = {
        let asker = Process {
            store: Arc::clone(&shop.store),
            versions: shop.versions.clone(),
            service: Arc::clone(&shop.service),
            watch: Watch::new(
                Arc::clone(&shop.service),
                shop.versions.clone(),
                no_models(&shop.store),
                PathBuf::from("none"),
            ),
        };
        tokio::spawn(async move {
            let mut said = Vec::new();
            // Until the new version has been heard for a while.
            while said.iter().filter(|(_, version)| *version == Some(2)).count() < 20 {
                said.push(asker.says(&format!("c{}", said.len())).await);
            }
            said
        })
    };
    shop.publish(2, Some(1)).await.unwrap();
    shop.look().await;
    assert_eq!(shop.answers_from(), Some(2));
    let said = asking.await.unwrap();
    for (words, version) in said {
        let expected = if version == Some(1) { RETURN.1 } else { NEW_ANSWER };
        assert_eq!(words, expected, "version {version:?}");
    }
}

#[tokio::test]
async fn a_copy_that_was_cut_off_is_made_anew() {
    let (folder, data) = (Folder::new(), data());
    drop(Process::start(folder.root(), data.path()).await);
    let copies = data.path().join("versions");
    let copy = fs::read_dir(&copies).unwrap().next().unwrap().unwrap().path().join(BOT);
    fs::remove_file(copy.join(CHART_FILE)).unwrap();
    fs::write(copy.join("faq/faq.csv"), "cut o").unwrap();
    fs::create_dir(copies.join(".writing-1-1")).unwrap();
    let again = Process::start(folder.root(), data.path()).await;
    assert_eq!(again.says("a").await, (RETURN.1.to_owned(), Some(1)));
    assert!(copy.join(CHART_FILE).is_file());
}

#[tokio::test]
async fn a_turn_is_recorded_with_its_version() {
    let (folder, data) = (Folder::new(), data());
    let shop = Process::start(folder.root(), data.path()).await;
    shop.says("a").await;
    let key = yingda::store::CustomerKey::new(BOT, Channel::Web, "a").unwrap();
    let conversation = shop.store.conversation(&key, Timestamp::now()).await.unwrap();
    let messages = shop.store.messages(conversation.id, 10).await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&messages.last().unwrap().body).unwrap();
    assert_eq!((&answer["knowledge"], &answer["evidence"][0]["id"]), (&1.into(), &"return-apply".into()));
}

#[tokio::test]
async fn a_kill_while_importing_leaves_whole_versions_alone() {
    let (folder, data) = (Folder::new(), data());
    run(folder.root(), &["versions", "--knowledge", ".", "--data", data.path().to_str().unwrap(), "draft"]);
    let copies = data.path().join("versions");
    let n_copies = || fs::read_dir(&copies).map_or(0, Iterator::count);
    for round in 0..8 {
        let rows: String =
            (0..200).map(|at| format!("运费,第 {round} 轮第 {at} 个问题,答案 {at}。\n")).collect();
        folder.write("new.csv", format!("分类,问题,答案\n{rows}").as_bytes());
        let before = n_copies();
        let mut import = yingda(folder.root())
            .args(["import", "new.csv", "--knowledge", ".", "--data"])
            .arg(data.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Every other time as soon as something of it is on disk; else as it comes.
        while round % 2 == 0 && n_copies() == before && import.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        import.kill().unwrap();
        import.wait().unwrap();
    }
    let shop = Process::start(folder.root(), data.path()).await;
    for number in shop.numbers().await {
        let opened = shop.versions.open(BOT, number, Timestamp::now()).await.unwrap();
        let n_imported =
            opened.knowledge.entries.iter().filter(|entry| entry.question.contains("轮")).count();
        assert!([0, 200].contains(&n_imported), "version {number} holds {n_imported}");
    }
    assert_eq!(shop.says("a").await, (RETURN.1.to_owned(), Some(1)));
}

#[test]
fn the_command_line_drafts_compares_publishes_and_rolls_back() {
    let (folder, data) = (Folder::new(), data());
    let data = data.path().to_str().unwrap();
    let versions = |args: &[&str]| {
        let told = run(folder.root(), &[&["versions", "--knowledge", ".", "--data", data], args].concat());
        assert!(told.status.success(), "{}", stderr(&told));
        stdout(&told)
    };
    let ask = |args: &[&str]| {
        let ask = ["ask", RETURN.0, "--knowledge", ".", "--data", data];
        stdout(&run(folder.root(), &[&ask, args].concat()))
    };
    assert_eq!(versions(&["draft", "--reason", "开店"]), "1\n");
    assert_eq!(versions(&["publish"]), "1\n");
    new_faq(&folder);
    assert!(ask(&[]).contains(RETURN.1) && ask(&["--folder"]).contains(NEW_ANSWER));
    assert_eq!(versions(&["draft"]), "2\n");
    assert_eq!(versions(&["diff"]), format!("~ entry\treturn-apply\t{}\tanswer\n", RETURN.0));
    versions(&["publish", "2", "--reason", "新规则"]);
    assert!(ask(&[]).contains(NEW_ANSWER));
    versions(&["publish", "1"]);
    assert!(ask(&[]).contains(RETURN.1));
    let listed = versions(&["list"]);
    let states: Vec<&str> = listed.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(states, ["2", "1", "发布 1", "发布 2", "发布 1"], "{listed}");
    assert!(listed.contains("开店") && listed.contains("新规则"), "{listed}");
    let told = run(folder.root(), &["versions", "--data", data, "publish", "9"]);
    assert!(!told.status.success() && stderr(&told).contains('9'), "{}", stderr(&told));
}
