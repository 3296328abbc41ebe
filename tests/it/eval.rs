//! `yingda eval search`, `eval pairs`, `eval bot` and `yingda search`: what they measure, and what they refuse.

use std::fs;

use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::cli::run;
use crate::cli::stderr;
use crate::cli::stdout;
use crate::fixture::BOT;
use crate::fixture::Folder;
use crate::fixture::RETURN;
use crate::train::workshop;

const CORPUS: &str = r#"{"id": "return", "question": "怎么申请退货", "answer": "在订单里申请。"}
{"id": "invoice", "question": "电子发票怎么开", "answer": "在订单页开。"}
{"id": "hours", "question": "门店几点关门", "phrasings": ["营业时间"], "answer": "九点。"}
"#;

const QUERIES: &str = r#"{"text": "我想退货怎么申请", "relevant": ["return"]}
{"text": "营业时间", "relevant": ["hours"]}
{"text": "怎么开电子发票", "relevant": ["return"]}
{"text": "天气如何", "relevant": []}
"#;

/// A folder with a corpus, queries and an encoder that has learned nothing.
fn library() -> TempDir {
    let at = workshop();
    fs::write(at.path().join("corpus.jsonl"), CORPUS).unwrap();
    fs::write(at.path().join("queries.jsonl"), QUERIES).unwrap();
    at
}

#[track_caller]
fn json_of(at: &TempDir, args: &[&str]) -> Value {
    let told = run(at.path(), args);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    serde_json::from_str(&stdout(&told)).unwrap()
}

#[track_caller]
fn refused(at: &TempDir, args: &[&str], why: &str) {
    let told = run(at.path(), args);
    assert!(!told.status.success() && stderr(&told).contains(why), "{}", stderr(&told));
}

const SEARCH: [&str; 8] =
    ["eval", "search", "--corpus", "corpus.jsonl", "--queries", "queries.jsonl", "--encoder", "encoder"];

#[test]
fn a_corpus_is_searched_and_every_miss_is_told() {
    let at = library();
    for mode in ["bm25", "hybrid"] {
        let found = json_of(&at, &[&SEARCH[..], &["--mode", mode, "--json"]].concat());
        assert_eq!(
            (&found["mode"], &found["n_queries"], &found["n_entries"]),
            (&json!(mode), &json!(3), &json!(3))
        );
        // The third query's right answer is called wrong: it must count against the search.
        let share = |key: &str| found[key].as_f64().unwrap();
        assert!((share("hit_at_1") - 2.0 / 3.0).abs() < 1e-6, "{mode}: {found}");
        assert!(
            share("mrr_at_10") <= share("hit_at_10") && share("ndcg_at_10") > share("hit_at_1"),
            "{found}"
        );
        let misses = found["misses"].as_array().unwrap();
        assert_eq!(misses.len(), 1, "{misses:?}");
        assert_eq!((&misses[0]["text"], &misses[0]["found"]), (&json!("怎么开电子发票"), &json!("invoice")));
    }
    // A sentence that is an entry's own lies nearest to it even for an encoder that has learned nothing.
    let found = json_of(&at, &[&SEARCH[..], &["--mode", "vector", "--json"]].concat());
    assert!(!found["misses"].to_string().contains("营业时间"), "{found}");
    let table = stdout(&run(at.path(), &[&SEARCH[..], &["--misses", "--report", "report"]].concat()));
    let page = fs::read_to_string(at.path().join("report/index.html")).unwrap();
    assert!(page.contains("怎么开电子发票") && page.contains("66.7 %"), "{page}");
    assert!(table.contains("MRR@10") && table.contains("怎么开电子发票"), "{table}");
}

#[test]
fn a_corpus_or_query_that_is_wrong_is_named() {
    let at = library();
    fs::write(at.path().join("queries.jsonl"), r#"{"text": "退货", "relevant": ["refund"]}"#).unwrap();
    refused(&at, &SEARCH, "\"refund\", which the corpus does not hold");
    fs::write(at.path().join("queries.jsonl"), r#"{"text": "退货", "relevant": []}"#).unwrap();
    refused(&at, &SEARCH, "holds no query with a right entry");
    fs::write(at.path().join("corpus.jsonl"), "{\"id\": \"a\", \"question\": \" \"}\n").unwrap();
    refused(&at, &SEARCH, "corpus.jsonl:1: the question is empty");
}

#[test]
fn pairs_are_measured() {
    let at = library();
    let rows = [("退货", "退货", 1), ("发票抬头", "发票抬头", 1), ("退货", "天气", 0), ("雨雪", "尺码", 0)];
    let lines: String =
        rows.iter().map(|(a, b, label)| format!("{}\n", json!({"a": a, "b": b, "label": label}))).collect();
    fs::write(at.path().join("pairs.jsonl"), lines).unwrap();
    let args = ["eval", "pairs", "--data", "pairs.jsonl", "--encoder", "encoder", "--json"];
    let found = json_of(&at, &args);
    let agreement = &found["agreement"];
    assert_eq!(agreement["n_pairs"], 4);
    // Equal sentences are as near as can be, so every order agrees with the labels.
    assert!(agreement["spearman"].as_f64().unwrap() > 0.8, "{agreement}");
    fs::write(at.path().join("pairs.jsonl"), "{\"a\": \"x\"}").unwrap();
    refused(&at, &args, "pairs.jsonl:1: not a row");
}

#[test]
fn a_dialogue_is_judged_line_by_line() {
    let folder = Folder::new();
    let at = tempfile::tempdir().unwrap();
    let dialogues = at.path().join("dialogues");
    fs::create_dir(&dialogues).unwrap();
    let write = |lines: &str| {
        let text = format!("# 退货\nbot: {BOT}\nat: 2026-11-23 10:00\n\n{lines}");
        fs::write(dialogues.join("return.txt"), text).unwrap();
    };
    let root = folder.root().to_str().unwrap().to_owned();
    let eval = || run(at.path(), &["eval", "bot", "--knowledge", &root, "--dialogues", "dialogues"]);
    write(&format!(
        "> {}\nentry: return-apply\naction: answer\nsays: 七天内\nnot: 转人工\n\n> 转人工\naction: handoff\n\n\
         > 发票怎么开\naction: clarify\noffers: invoice-paper\n\n> 2\naction: answer\n",
        RETURN.0
    ));
    let told = eval();
    assert_eq!(told.status.code(), Some(0), "{}", stdout(&told));
    assert!(stdout(&told).contains("1/1 段对话符合期望"), "{}", stdout(&told));
    // What is not fulfilled is told with the line, what is fulfilled before its time as well.
    write(&format!("> {}\nentry: size-chart\nnot yet: action: answer\nnot yet: says: 明年\n", RETURN.0));
    let told = eval();
    let table = stdout(&told);
    assert_eq!(told.status.code(), Some(1), "{table}");
    assert!(table.contains("✗ entry: size-chart") && table.contains("✗ not yet: action: answer"), "{table}");
    assert!(!table.contains("明年"), "{table}");
    write("> 退货\nentires: return-apply\n");
    let told = eval();
    assert!(stderr(&told).contains("return.txt:6: \"entires\" is no expectation"), "{}", stderr(&told));
}

/// The dialogues of the demo bots, as they stand in the tree.
#[test]
fn the_demo_bots_answer_their_dialogues() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = tempfile::tempdir().unwrap();
    let told = run(
        root,
        &["eval", "bot", "--dialogues", "tests/data/dialogues", "--data", data.path().to_str().unwrap()],
    );
    assert_eq!(told.status.code(), Some(0), "{}{}", stdout(&told), stderr(&told));
    let n_files = fs::read_dir(root.join("tests/data/dialogues")).unwrap().count();
    assert!(n_files >= 60, "{n_files} dialogues");
}

#[test]
fn a_search_shows_what_the_engine_saw() {
    let folder = Folder::new();
    let root = folder.root().to_str().unwrap();
    let told = run(folder.root(), &["search", RETURN.0, "--knowledge", root, "--explain"]);
    let table = stdout(&told);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    for part in ["[return-apply] faq/faq.csv:2", "BM25", "对数几率", "phrasing_covered", "回答线 0.60"]
    {
        assert!(table.contains(part), "{part} in {table}");
    }
    let told = run(folder.root(), &["search", RETURN.0, "--knowledge", root, "--json"]);
    let found: Value = serde_json::from_str(&stdout(&told)).unwrap();
    let first = &found["turn"]["evidence"][0];
    assert_eq!((&first["id"], &first["phrasing"]), (&json!("return-apply"), &json!(RETURN.0)));
    // What the features add to the log-odds is the probability.
    let odds: f64 = first["shares"].as_object().unwrap().values().map(|share| share.as_f64().unwrap()).sum();
    let searched = first["searched"].as_f64().unwrap();
    assert!((1.0 / (1.0 + (-odds).exp()) - searched).abs() < 1e-4, "{first}");
}
