//! Training by the built program: the same seed, an interruption, bad files; and models that do not fit or do not
//! know what they read.

use std::collections::HashMap;
use std::collections::HashSet;
use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;

use candle_core::Tensor;
use jiff::Zoned;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use yingda::encoder::artefact;
use yingda::encoder::kernel::WIDTH;
use yingda::encoder::shelf::Shelf;
use yingda::engine;
use yingda::engine::Engine;
use yingda::engine::Turn;
use yingda::engine::Vectors;
use yingda::message::Channel;
use yingda::message::Content;
use yingda::message::Customer;
use yingda::message::CustomerKind;
use yingda::message::Inbound;
use yingda::message::Part;
use yingda::nlu;
use yingda::nlu::Nlu;
use yingda::nlu::artefact::EncoderName;
use yingda::nlu::artefact::Head;
use yingda::nlu::artefact::LoadedModel;
use yingda::nlu::gram::ALONE;
use yingda::nlu::gram::Grams;
use yingda::nlu::model::Calibration;
use yingda::nlu::model::Labels;
use yingda::nlu::model::OUT_OF_SCOPE;
use yingda::nlu::model::head_shapes;
use yingda::policy::decision::Decision;
use yingda::policy::decision::Reason;
use yingda::policy::state::State;
use yingda::text::segment::Segmenter;
use yingda::text::utterance::Utterance;

use crate::cli::run;
use crate::cli::stderr;
use crate::cli::stdout;
use crate::cli::yingda;
use crate::encoder::random_encoder;
use crate::encoder::random_tensor;
use crate::encoder::weights_at;
use crate::fixture::BOT;
use crate::fixture::Folder;
use crate::fixture::RETURN;

/// What a training leaves behind while it is under way.
const CHECKPOINT: &str = "checkpoint.safetensors";

/// Words of each intent; hardly a character stands in two of them.
const WISHES: [(&str, [&str; 5]); 4] = [
    ("return_policy", ["退货", "退款", "寄回", "退回", "回寄"]),
    ("invoice", ["发票", "抬头", "税票", "发抬头", "税头"]),
    ("size", ["尺码", "大小", "长大", "小码", "长尺"]),
    (OUT_OF_SCOPE, ["天气", "雨雪", "雪诗", "诗", "天雨"]),
];

/// Endings of the rows to learn from, and of those to choose by.
const ENDINGS: [&str; 3] = ["吗", "呢", "了吗"];
const HELD_ENDINGS: [&str; 1] = ["啊"];

/// A row for every word and ending; two in three have a colour, behind a character or an emoji.
fn rows(endings: &[&str]) -> Vec<Value> {
    let mut rows = Vec::new();
    for (intent, words) in WISHES {
        for (nth_word, word) in words.into_iter().enumerate() {
            for (nth_ending, ending) in endings.iter().enumerate() {
                let (before, colour) =
                    [("", ""), ("这", "黑色"), ("😀", "白色")][(nth_word + nth_ending) % 3];
                let slot = json!({ "name": "color", "value": colour, "start": 1, "end": 3 });
                let slots = if colour.is_empty() { vec![] } else { vec![slot] };
                let text = format!("{before}{colour}{word}{ending}");
                rows.push(json!({ "text": text, "intent": intent, "slots": slots }));
            }
        }
    }
    rows
}

/// [`rows`] and some with two wishes, so that training joins messages, too.
fn rows_to_learn_from() -> Vec<Value> {
    let mut rows = rows(&ENDINGS);
    let ((first, returns), (second, invoices)) = (WISHES[0], WISHES[1]);
    for (one, other) in returns.iter().zip(invoices).take(4) {
        let text = format!("{one},{other}");
        rows.push(json!({ "text": text, "intent": first, "intents": [first, second], "slots": [] }));
    }
    rows
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// A folder with an encoder that has learned nothing, rows to learn from and rows to choose by.
pub(crate) fn workshop() -> TempDir {
    let at = tempfile::tempdir().unwrap();
    artefact::save(&random_encoder(1, 0.05), "seeded noise", &at.path().join("encoder")).unwrap();
    fs::write(at.path().join("rows.jsonl"), lines(&rows_to_learn_from())).unwrap();
    fs::write(at.path().join("dev.jsonl"), lines(&rows(&HELD_ENDINGS))).unwrap();
    at
}

fn arguments<'a>(data: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["train", "--encoder", "encoder", "--foreign", "none", "--data", data, "--out", out];
    [&fixed[..], more].concat()
}

fn train(at: &TempDir, data: &str, out: &str, more: &[&str]) -> Output {
    run(at.path(), &arguments(data, out, more))
}

/// Trains, and gives the bytes of the model.
#[track_caller]
pub(crate) fn trained(at: &TempDir, data: &str, out: &str, more: &[&str]) -> Vec<u8> {
    let told = train(at, data, out, more);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    assert!(!at.path().join(out).join(CHECKPOINT).exists(), "a finished training leaves no checkpoint");
    fs::read(at.path().join(out).join(nlu::artefact::FILE)).unwrap()
}

#[track_caller]
fn assert_same(one: &[u8], other: &[u8]) {
    let differs = one.iter().zip(other).position(|(a, b)| a != b);
    let (n_one, n_other, body) = (one.len(), other.len(), weights_at(one));
    assert!(one == other, "{n_one} and {n_other} bytes, weights from {body} on, differ from {differs:?} on");
}

// What comes of a training.

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let at = workshop();
    let seven = trained(&at, "rows.jsonl", "seven", &["--epochs", "3", "--seed", "7"]);
    let again = trained(&at, "rows.jsonl", "again", &["--epochs", "3", "--seed", "7"]);
    assert_same(&seven, &again);
    let eight = trained(&at, "rows.jsonl", "eight", &["--epochs", "3", "--seed", "8"]);
    assert!(seven[weights_at(&seven)..] != eight[weights_at(&eight)..], "the seed changes nothing");
}

#[test]
fn eval_measures_a_model_and_writes_a_prediction_a_row() {
    let at = workshop();
    // The heads alone learn these rows, and quickly.
    let heads = ["--dev", "dev.jsonl", "--tune-layers", "0", "--epochs", "40", "--patience", "40"];
    trained(&at, "rows.jsonl", "model", &heads);
    let told = run(
        at.path(),
        &[
            "eval",
            "nlu",
            "--model",
            "model",
            "--data",
            "rows.jsonl",
            "--predictions",
            "predictions.jsonl",
            "--json",
        ],
    );
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let rows = rows_to_learn_from();
    let summary: Value = serde_json::from_str(&stdout(&told)).unwrap();
    let metrics = &summary["metrics"];
    assert_eq!(metrics["n_rows"], rows.len(), "{metrics}");
    for measure in [
        &metrics["intent_accuracy"],
        &metrics["intent_macro_f1"],
        &metrics["slots"]["f1"],
        &metrics["whole_message"],
        &metrics["exact_set"],
        &metrics["calibration_error"],
        &metrics["scope"]["auroc"],
    ] {
        assert!(measure.as_f64().is_some_and(|share| (0.0..=1.0).contains(&share)), "{metrics}");
    }
    // Four kinds of rows: a quarter is chance.
    assert!(metrics["intent_accuracy"].as_f64().is_some_and(|share| share > 0.5), "{metrics}");

    let written = fs::read_to_string(at.path().join("predictions.jsonl")).unwrap();
    let predictions: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(predictions.len(), rows.len());
    let mut n_slots = 0;
    for (row, prediction) in rows.iter().zip(&predictions) {
        assert_eq!(prediction["text"], row["text"]);
        let keys: HashSet<&str> = prediction.as_object().unwrap().keys().map(String::as_str).collect();
        for key in ["text", "intent", "confidence", "out_of_scope", "slots", "top"] {
            assert!(keys.contains(key), "no {key} in {prediction}");
        }
        let text: Vec<char> = prediction["text"].as_str().unwrap().chars().collect();
        for slot in prediction["slots"].as_array().unwrap() {
            let place = |key: &str| usize::try_from(slot[key].as_u64().unwrap()).unwrap();
            let said: String = text[place("start")..place("end")].iter().collect();
            assert_eq!(slot["value"], said, "{prediction}");
            n_slots += 1;
        }
    }
    assert!(n_slots > 0, "a model that finds no entity says nothing about their places");
}

/// Trains the heads alone, which is quick, and gives the place for it.
fn workshop_with_model() -> TempDir {
    let at = workshop();
    let heads = ["--dev", "dev.jsonl", "--tune-layers", "0", "--epochs", "4"];
    trained(&at, "rows.jsonl", "model", &heads);
    at
}

fn eval(at: &TempDir, more: &[&str]) -> Output {
    run(at.path(), &[&["eval", "nlu", "--data", "rows.jsonl"], more].concat())
}

#[test]
fn a_model_does_not_differ_from_itself_and_other_rows_predictions_are_refused() {
    let at = workshop_with_model();
    let told = eval(&at, &["--model", "model", "--predictions", "said.jsonl"]);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let told = eval(&at, &["--compare", "model", "said.jsonl", "--json"]);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let found: Value = serde_json::from_str(&stdout(&told)).unwrap();
    for measure in ["intent_accuracy", "slot_f1", "whole_message"] {
        let one = &found[measure];
        assert_eq!(one["a"], one["b"], "{found}");
        assert_eq!((one["low"].as_f64(), one["high"].as_f64()), (Some(0.0), Some(0.0)), "{found}");
    }
    let said = fs::read_to_string(at.path().join("said.jsonl")).unwrap();
    let (first, _) = said.split_once('\n').unwrap();
    fs::write(at.path().join("short.jsonl"), first).unwrap();
    let told = eval(&at, &["--compare", "model", "short.jsonl"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains("has 1 predictions"), "{}", stderr(&told));
    let mut exchanged: Vec<&str> = said.lines().collect();
    exchanged.swap(1, 2);
    fs::write(at.path().join("exchanged.jsonl"), exchanged.join("\n")).unwrap();
    let told = eval(&at, &["--compare", "model", "exchanged.jsonl"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains("line 2 of exchanged.jsonl is about another text"), "{}", stderr(&told));
}

#[test]
fn a_report_is_one_page_with_every_row() {
    let at = workshop_with_model();
    let told = eval(&at, &["--model", "model", "--report", "report", "--learned", "rows.jsonl"]);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let page = fs::read_to_string(at.path().join("report/index.html")).unwrap();
    let (_, behind) = page.split_once("<script id=\"report\" type=\"application/json\">").unwrap();
    let (json, _) = behind.split_once("</script>").unwrap();
    let report: Value = serde_json::from_str(json).unwrap();
    assert_eq!(report["rows"].as_array().map(Vec::len), Some(rows_to_learn_from().len()));
    let mut n_errors = 0;
    for row in report["rows"].as_array().unwrap() {
        let is_error = row["right"] == false || row["slots_right"] == false;
        assert_eq!(row["nearest"].as_array().map_or(0, Vec::len) > 0, is_error, "{row}");
        n_errors += usize::from(is_error);
    }
    assert!(n_errors > 0, "without an error the page shows nothing of what is near");
    for address in ["src=\"", "href=\""] {
        let mut addressed = page.split(address).skip(1);
        assert!(addressed.all(|rest| rest.starts_with("data:")), "the page needs other files");
    }
}

#[test]
fn cross_validation_measures_every_row_once() {
    let at = workshop();
    let quick = ["--encoder", "encoder", "--tune-layers", "0", "--epochs", "2", "--out", "folds"];
    let told = eval(&at, &[&["--cross-validate", "3", "--predictions", "said.jsonl"], &quick[..]].concat());
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let said = fs::read_to_string(at.path().join("said.jsonl")).unwrap();
    let said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts = |rows: &[Value]| -> Vec<String> { rows.iter().map(|row| row["text"].to_string()).collect() };
    assert_eq!(texts(&said), texts(&rows_to_learn_from()));
    assert!(stdout(&told).contains("intent accuracy: "), "{}", stdout(&told));
}

#[test]
fn a_learning_curve_has_four_points() {
    let at = workshop();
    // An eighth of the rows must still be enough to train on.
    let many: Vec<Value> = (0..5)
        .flat_map(|n| {
            rows(&ENDINGS).into_iter().map(move |mut row| {
                row["text"] = format!("{}{}", row["text"].as_str().unwrap(), "好".repeat(n)).into();
                row
            })
        })
        .collect();
    fs::write(at.path().join("rows.jsonl"), lines(&many)).unwrap();
    let quick = ["--encoder", "encoder", "--tune-layers", "0", "--epochs", "1", "--out", "curve"];
    let told = eval(&at, &[&["--learning-curve", "--json"], &quick[..]].concat());
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let points: Vec<Value> = serde_json::from_str(&stdout(&told)).unwrap();
    let learned: Vec<u64> = points.iter().map(|point| point["n_learned"].as_u64().unwrap()).collect();
    assert_eq!(learned.len(), 4);
    assert!(learned.is_sorted_by(|a, b| a < b), "{learned:?}");
    let measured: HashSet<u64> = points.iter().map(|point| point["n_measured"].as_u64().unwrap()).collect();
    assert_eq!(measured.len(), 1, "{points:?}");
}

#[test]
fn suspects_are_left_out_when_asked_for() {
    let at = workshop();
    let mut spoilt = rows(&ENDINGS);
    spoilt[0]["intent"] = WISHES[1].0.into();
    fs::write(at.path().join("rows.jsonl"), lines(&spoilt)).unwrap();
    let heads = ["--dev", "dev.jsonl", "--tune-layers", "0", "--epochs", "1", "--clean"];
    let told = train(&at, "rows.jsonl", "model", &heads);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    assert!(stderr(&told).contains(", 1 suspects left out"), "{}", stderr(&told));
}

#[test]
fn a_model_whose_sentence_vectors_find_less_is_refused_unless_forced() {
    let at = workshop();
    let bots = Folder::new();
    let known = engine::load(&bots.bot(), Zoned::now().date()).0.unwrap();
    let questions: String = known
        .entries
        .iter()
        .map(|entry| {
            json!({ "text": format!("{}吗", entry.question), "relevant": [entry.id] }).to_string() + "\n"
        })
        .collect();
    bots.write(&format!("{BOT}/questions/choose.jsonl"), questions.as_bytes());
    let bot = bots.bot();
    // A rate at which nothing of the encoder is left, and nothing that would keep it.
    let wild = [
        "--dev",
        "dev.jsonl",
        "--tune-layers",
        "1",
        "--epochs",
        "1",
        "--rate",
        "2",
        "--keep-weight",
        "0",
        "--retrieval",
        bot.to_str().unwrap(),
    ];
    let told = train(&at, "rows.jsonl", "model", &wild);
    assert_eq!(told.status.code(), Some(2), "{}", stderr(&told));
    assert!(stderr(&told).contains("sentence vectors find less"), "{}", stderr(&told));
    assert!(!at.path().join("model").join(nlu::artefact::FILE).exists(), "it was written all the same");
    trained(&at, "rows.jsonl", "model", &[&wild[..], &["--resume", "--force"]].concat());
}

#[test]
fn rows_without_intents_or_without_entities_teach_what_they_have() {
    let at = workshop();
    let (mut without_intents, mut without_entities) = (rows(&ENDINGS), rows(&ENDINGS));
    without_intents.iter_mut().for_each(|row| row["intent"] = "".into());
    without_entities.iter_mut().for_each(|row| row["slots"] = json!([]));
    fs::write(at.path().join("entities.jsonl"), lines(&without_intents)).unwrap();
    fs::write(at.path().join("intents.jsonl"), lines(&without_entities)).unwrap();
    let measured = |model: &str| -> Value {
        let data = format!("{model}.jsonl");
        trained(&at, &data, model, &["--tune-layers", "1", "--epochs", "8", "--rate", "2e-3"]);
        let told = run(at.path(), &["eval", "nlu", "--model", model, "--data", "rows.jsonl", "--json"]);
        assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
        let summary: Value = serde_json::from_str(&stdout(&told)).unwrap();
        summary["metrics"].clone()
    };
    let (entities, intents) = (measured("entities"), measured("intents"));
    assert!(entities["slots"]["f1"].as_f64().unwrap() > 0.5, "{entities}");
    assert_eq!(entities["intent_accuracy"], 0.0, "no intent was labelled: {entities}");
    assert!(intents["intent_accuracy"].as_f64().unwrap() > 0.5, "{intents}");
    assert_eq!(intents["slots"]["f1"], 0.0, "no entity was labelled: {intents}");
}

#[test]
fn an_encoder_taken_out_of_a_model_reads_as_the_model_does() {
    let at = workshop();
    trained(&at, "rows.jsonl", "model", &["--dev", "dev.jsonl", "--tune-layers", "1", "--epochs", "1"]);
    let told = run(at.path(), &["model", "extract", "model", "--out", "taken", "--rebase", "rebased"]);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let model = nlu::artefact::load(&at.path().join("model")).unwrap().model;
    let taken = artefact::load(&at.path().join("taken")).unwrap();
    let before = artefact::load(&at.path().join("encoder")).unwrap();
    let vector = |encoder: &yingda::encoder::Encoder| -> Vec<f32> {
        let ids = encoder.tokens("退货").ids;
        encoder.encode(&[&ids]).unwrap().means().unwrap().flatten_all().unwrap().to_vec1().unwrap()
    };
    assert_eq!(vector(&taken.encoder), vector(model.encoder()));
    assert_ne!(vector(&taken.encoder), vector(&before.encoder), "training changed nothing");
    assert!(taken.origin.starts_with(&before.origin), "{}", taken.origin);
    // The same model on the new encoder says the same and holds no layer of its own.
    let said = |model: &str, file: &str| -> String {
        let told = eval(&at, &["--model", model, "--predictions", file]);
        assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
        fs::read_to_string(at.path().join(file)).unwrap()
    };
    assert_eq!(said("model", "before.jsonl"), said("rebased", "after.jsonl"));
    let size = |model: &str| fs::metadata(at.path().join(model).join(nlu::artefact::FILE)).unwrap().len();
    assert!(size("rebased") < size("model") / 2, "{} of {}", size("rebased"), size("model"));
}

#[test]
fn a_taught_intent_is_found_and_the_others_stay() {
    let at = workshop();
    let heads = ["--dev", "dev.jsonl", "--tune-layers", "0", "--epochs", "40", "--patience", "40"];
    trained(&at, "rows.jsonl", "model", &heads);
    let examples = ["黑白黑白", "白黑白黑", "黑白白黑", "白白黑黑", "黑黑白白"];
    let told =
        run(at.path(), &[&["teach", "chess", "--model", "model", "--out", "taught"], &examples[..]].concat());
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let chess: Vec<Value> =
        ["白黑黑白", "黑白黑"].iter().map(|text| json!({ "text": text, "intent": "chess" })).collect();
    fs::write(at.path().join("chess.jsonl"), lines(&chess)).unwrap();
    let accuracy = |model: &str, data: &str| -> f64 {
        let told = run(at.path(), &["eval", "nlu", "--model", model, "--data", data, "--json"]);
        assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
        let summary: Value = serde_json::from_str(&stdout(&told)).unwrap();
        summary["metrics"]["intent_accuracy"].as_f64().unwrap()
    };
    assert_eq!(accuracy("model", "chess.jsonl"), 0.0);
    assert_eq!(accuracy("taught", "chess.jsonl"), 1.0);
    assert!(accuracy("taught", "dev.jsonl") >= accuracy("model", "dev.jsonl") - 0.05);
}

// A training that was interrupted.

/// Long enough that it is under way when its first checkpoint is seen.
const LONG: [&str; 4] = ["--epochs", "8", "--patience", "8"];

/// A training that is killed once its first checkpoint is there.
#[track_caller]
fn killed(at: &TempDir, out: &str, more: &[&str]) {
    let mut child = yingda(at.path())
        .args(arguments("rows.jsonl", out, more))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let folder = at.path().join(out);
    // The first checkpoint is written between the first pass and the second.
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let told = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("pass 2:")));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(told.is_some(), "there was no second pass");
    assert!(folder.join(CHECKPOINT).exists(), "there is no checkpoint to go on from");
    assert!(!folder.join(nlu::artefact::FILE).exists(), "the training was over before it could be killed");
}

#[test]
fn a_killed_training_goes_on_to_the_same_model() {
    let at = workshop();
    let settings = [&LONG[..], &["--seed", "7"]].concat();
    let unbroken = trained(&at, "rows.jsonl", "unbroken", &settings);
    killed(&at, "killed", &settings);
    let resumed = train(&at, "rows.jsonl", "killed", &[&settings[..], &["--resume"]].concat());
    let said = stderr(&resumed);
    assert_eq!(resumed.status.code(), Some(0), "{said}");
    assert!(said.contains("resumed after pass"), "it began anew:\n{said}");
    assert_same(&unbroken, &fs::read(at.path().join("killed").join(nlu::artefact::FILE)).unwrap());
    assert!(!at.path().join("killed").join(CHECKPOINT).exists(), "a finished training leaves no checkpoint");
}

#[test]
fn a_disk_without_room_for_the_checkpoint_is_told_and_the_old_model_stays() {
    let at = workshop_with_model();
    let model = || fs::read(at.path().join("model").join(nlu::artefact::FILE)).unwrap();
    let before = model();
    // No file over some kilobytes can be written, which fails at the same place as a full disk does.
    let heads = arguments("rows.jsonl", "model", &["--tune-layers", "0", "--epochs", "1"]);
    let told = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_yingda")])
        .args(&heads)
        .current_dir(at.path())
        .output()
        .expect("the shell starts");
    assert_eq!(told.status.code(), Some(2), "{}", stderr(&told));
    assert!(stderr(&told).contains(CHECKPOINT) && stderr(&told).contains("too large"), "{}", stderr(&told));
    let left: Vec<String> = fs::read_dir(at.path().join("model"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, [nlu::artefact::FILE], "a half-written file is left");
    assert!(before == model(), "the old model is another one now");
}

#[test]
fn a_checkpoint_of_another_seed_is_refused_and_kept() {
    let at = workshop();
    killed(&at, "killed", &[&LONG[..], &["--seed", "7"]].concat());
    let checkpoint = || fs::read(at.path().join("killed").join(CHECKPOINT)).unwrap();
    let before = checkpoint();
    let told = train(&at, "rows.jsonl", "killed", &[&LONG[..], &["--seed", "8", "--resume"]].concat());
    let said = stderr(&told);
    assert_eq!(told.status.code(), Some(2), "{said}");
    assert!(said.contains("the checkpoint in killed belongs to another training"), "{said}");
    assert!(checkpoint() == before, "the checkpoint was changed");
}

// Files that cannot be learned from.

/// Checks that a training from these bytes ends before it has written anything, with these words.
#[track_caller]
fn assert_refused(bytes: &[u8], expected: &[&str]) {
    let at = workshop();
    fs::write(at.path().join("bad.jsonl"), bytes).unwrap();
    assert_told(&at, "bad.jsonl", expected);
}

#[track_caller]
fn assert_told(at: &TempDir, data: &str, expected: &[&str]) {
    let told = train(at, data, "model", &[]);
    let said = stderr(&told);
    assert_eq!(told.status.code(), Some(2), "{said}");
    for words in expected {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
    assert!(!at.path().join("model").exists(), "nothing is written");
}

#[test]
fn bad_rows_are_named_by_file_and_line() {
    let moved = json!({
        "text": "黑色退货",
        "intent": "return_policy",
        "slots": [{ "name": "color", "value": "黑色", "start": 1, "end": 3 }]
    });
    let (good, moved) = (lines(&rows(&ENDINGS)), format!("{moved}\n"));
    let n_good = good.lines().count();
    let place = |nth: usize| format!("bad.jsonl:{}: ", n_good + nth);
    assert_refused(
        format!("{good}{moved}no row\n[]\n").as_bytes(),
        &[
            &format!(r#"{}entity "color" has the value "黑色", but 1..3 of the text is "色退""#, place(1)),
            &format!("{}not a row", place(2)),
            &format!("{}not a row", place(3)),
        ],
    );
}

#[test]
fn files_without_enough_to_learn_are_refused() {
    for empty in ["", "\n \n\n"] {
        assert_refused(empty.as_bytes(), &["bad.jsonl has no rows"]);
    }
    let few = rows(&HELD_ENDINGS);
    assert_refused(lines(&few[..5]).as_bytes(), &["5 rows are too few"]);
    let one: Vec<Value> =
        (0..30).map(|n| json!({ "text": format!("退货{n}"), "intent": "return_policy" })).collect();
    assert_refused(lines(&one).as_bytes(), &["1 intents and 0 entities leave nothing to learn"]);
}

#[test]
fn missing_files_are_named() {
    let at = workshop();
    assert_told(&at, "missing.jsonl", &["missing.jsonl", "No such file"]);
    let told = run(at.path(), &["train", "--encoder", "nowhere", "--data", "rows.jsonl", "--out", "model"]);
    assert_eq!(told.status.code(), Some(2));
    let said = stderr(&told);
    assert!(said.contains(&format!("nowhere/{}", artefact::FILE)) && said.contains("No such file"), "{said}");
}

#[test]
fn rows_in_gb18030_teach_what_the_same_rows_in_utf8_teach() {
    let at = workshop();
    let text = fs::read_to_string(at.path().join("rows.jsonl")).unwrap();
    let (bytes, _, lost) = encoding_rs::GB18030.encode(&text);
    assert!(!lost && std::str::from_utf8(&bytes).is_err());
    fs::write(at.path().join("office.jsonl"), &bytes).unwrap();
    let short = ["--epochs", "1", "--tune-layers", "0"];
    let office = trained(&at, "office.jsonl", "office", &short);
    assert_same(&trained(&at, "rows.jsonl", "model", &short), &office);
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let at = workshop();
    fs::write(at.path().join("plain"), "a file").unwrap();
    let told = train(&at, "rows.jsonl", "plain/model", &["--epochs", "1", "--tune-layers", "0"]);
    assert_eq!(told.status.code(), Some(2), "{}", stderr(&told));
    assert!(stderr(&told).contains("plain/model"), "{}", stderr(&told));
    assert_eq!(fs::read_to_string(at.path().join("plain")).unwrap(), "a file");
}

// Models in use.

/// A model of the small encoder that tells these apart and has learned nothing, through its file.
fn untrained(intents: &[&str], slots: &[&str]) -> Arc<LoadedModel> {
    let owned = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let labels = Labels { intents: owned(intents), slots: owned(slots), declines: true };
    untrained_model(labels, Calibration::default())
}

fn untrained_model(labels: Labels, calibration: Calibration) -> Arc<LoadedModel> {
    let at = tempfile::tempdir().unwrap();
    let folder = at.path().join("elsewhere");
    // What lies beside the model is not what it was trained on.
    artefact::save(&random_encoder(2, 0.05), "another", &at.path().join("encoder")).unwrap();
    let sha256 = artefact::save(&random_encoder(1, 0.05), "seeded noise", &folder).unwrap();
    let heads = head_shapes(&labels).into_iter().enumerate();
    let mut tensors: HashMap<String, Tensor> =
        heads.map(|(seed, (name, dims))| (name.to_owned(), random_tensor(seed, &dims, 0.05))).collect();
    let grams = Grams::new(vec![[4, ALONE]], vec![1.0], labels.intents.len() + 1);
    tensors.extend(grams.tensors().unwrap());
    let head = Head {
        labels,
        calibration,
        encoder: EncoderName { sha256, folder, layers: vec![0] },
        training: String::new(),
    };
    nlu::artefact::save(&head, &tensors, &at.path().join("model")).unwrap();
    Arc::new(nlu::artefact::load(&at.path().join("model")).unwrap())
}

fn ask(engine: &Engine, text: &str) -> Turn {
    let inbound = Inbound {
        bot: BOT.to_owned(),
        channel: Channel::Web,
        customer: Customer::new("c", CustomerKind::Customer),
        content: Content::Text(text.to_owned()),
    };
    let now = "2026-11-23T10:00:00+08:00".parse().unwrap();
    engine.respond(&inbound, &State::default(), now, &mut |_| {})
}

/// Checks that the bot refuses a model, naming what it does not know and itself, and reads on as before.
#[track_caller]
fn assert_goes_on_without(engine: &Engine, other: &Arc<LoadedModel>, named: &str) {
    let (model, answer) = (engine.model(), ask(engine, RETURN.0));
    let error = engine
        .exchange_model(Some(Arc::clone(other)), &mut Shelf::default(), Vectors::All)
        .unwrap_err()
        .to_string();
    assert!(error.contains(named) && error.contains(&format!("the bot {BOT}")), "{error}");
    let version = |model: Option<Arc<LoadedModel>>| model.map(|loaded| loaded.checksum.clone());
    assert_eq!(version(engine.model()), version(model));
    let again = ask(engine, RETURN.0);
    assert_eq!((again.evidence.meaning, again.reply), (answer.evidence.meaning, answer.reply));
}

#[test]
fn a_model_of_another_bot_is_refused_and_the_bot_goes_on() {
    let folder = Folder::new();
    let engine = folder.engine();
    let warranty = untrained(&["return_policy", "warranty"], &["color"]);
    let colour = untrained(&["return_policy", "invoice"], &["colour"]);
    assert_goes_on_without(&engine, &warranty, r#"intent "warranty""#);
    let turn = ask(&engine, RETURN.0);
    assert_eq!(turn.reply.parts.first(), Some(&Part::Text(RETURN.1.to_owned())));
    assert!(turn.evidence.meaning.intents.is_none());

    let own = untrained(&["return_policy", "invoice"], &["color"]);
    engine.exchange_model(Some(Arc::clone(&own)), &mut Shelf::default(), Vectors::All).unwrap();
    assert!(ask(&engine, RETURN.0).evidence.meaning.intents.is_some());
    assert_goes_on_without(&engine, &warranty, r#"intent "warranty""#);
    assert_goes_on_without(&engine, &colour, r#"entity "colour""#);
    assert!(Arc::ptr_eq(&engine.model().unwrap(), &own));
}

#[test]
fn a_foreign_message_is_no_intent_even_where_the_model_has_no_word_for_it() {
    let folder = Folder::new();
    let bot = folder.bot().join("bot.toml");
    let profile = fs::read_to_string(&bot).unwrap();
    let meant = "[intents]\nreturn_policy = { handoff = \"service\" }\ninvoice = { handoff = \"service\" }\n";
    fs::write(&bot, format!("{profile}\n{meant}")).unwrap();
    let engine = folder.engine();
    let decided = |scope_threshold: f32, intent_threshold: f32| -> Decision {
        let labels = Labels {
            intents: vec!["return_policy".into(), "invoice".into()],
            slots: vec!["color".into()],
            declines: false,
        };
        // A low temperature makes the untrained sure.
        let calibration =
            Calibration { scope_threshold, temperature: intent_threshold, ..Calibration::default() };
        engine
            .exchange_model(Some(untrained_model(labels, calibration)), &mut Shelf::default(), Vectors::All)
            .unwrap();
        ask(&engine, "月亮离我们多远").decision
    };
    let by_intent =
        |decision: &Decision| matches!(decision, Decision::Handoff { reason: Reason::Intent(_), .. });
    let own = decided(1.1, 1e-3);
    assert!(by_intent(&own), "a message of the bot's world is handed over by its intent: {own:?}");
    let foreign = decided(0.0, 1e-3);
    assert!(!by_intent(&foreign), "{foreign:?}");
}

#[test]
fn a_folder_with_an_unfinished_training_is_not_trained_over() {
    let at = workshop();
    let out = at.path().join("model");
    let told = train(&at, "rows.jsonl", "model", &["--resume"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains("has no checkpoint to go on from"), "{}", stderr(&told));
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join(CHECKPOINT), "of hours of work").unwrap();
    let told = train(&at, "rows.jsonl", "model", &["--tune-layers", "0", "--epochs", "1"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains("`--resume` goes on with it"), "{}", stderr(&told));
    assert_eq!(fs::read_to_string(out.join(CHECKPOINT)).unwrap(), "of hours of work");
}

#[test]
fn a_row_to_choose_by_of_an_intent_that_nobody_teaches_is_refused() {
    let at = workshop();
    fs::write(at.path().join("dev.jsonl"), lines(&[json!({ "text": "修鞋", "intent": "repair" })])).unwrap();
    let told = train(&at, "rows.jsonl", "model", &["--dev", "dev.jsonl", "--tune-layers", "0"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(stderr(&told).contains(r#"no row to learn from has the intent "repair""#), "{}", stderr(&told));
}

#[test]
fn numbers_that_cannot_be_are_refused() {
    let at = workshop();
    for (flag, number) in [("--rate", "0"), ("--rate", "nan"), ("--slot-weight=-1", ""), ("--patience", "0")]
    {
        let more: Vec<&str> = [flag, number].into_iter().filter(|part| !part.is_empty()).collect();
        let told = train(&at, "rows.jsonl", "model", &more);
        assert_eq!(told.status.code(), Some(2), "{flag} {number}");
        assert!(stderr(&told).contains("needed"), "{flag} {number}: {}", stderr(&told));
    }
}

#[test]
fn any_text_has_a_reading() {
    /// Rounding of a sum of a few hundred numbers of order 1.
    const ROUNDING: f32 = 1e-4;
    let nlu = Nlu::new(&[]);
    let segmenter = Segmenter::new(nlu.words());
    let now: Zoned = "2026-11-23T10:00[Asia/Shanghai]".parse().unwrap();
    let loaded = untrained(&["return_policy", "invoice"], &["color"]);
    let unknown = "鑫淼焱垚";
    assert_eq!(loaded.model.encoder().tokens(unknown).ids, [0, 3, 3, 3, 3, 2]);
    let long = "退".repeat(100_000);
    let texts = [("", false), ("😀", false), ("退", false), (unknown, false), (long.as_str(), true)];
    for (text, cut) in texts {
        let shown: String = text.chars().take(4).collect();
        let meaning = nlu.understand(&Utterance::read(text, &segmenter), Some(&loaded.model), &now);
        let Some(intents) = meaning.intents else { panic!("no reading of {shown:?}") };
        assert_eq!((intents.vector.len(), intents.cut), (WIDTH, cut), "{shown:?}");
        let length = intents.vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        assert!((length - 1.0).abs() < ROUNDING, "{shown:?}: {length}");
        let total: f32 = intents.ranked.iter().map(|(_, probability)| probability.value()).sum();
        assert!((total - 1.0).abs() < ROUNDING, "{shown:?}: {total}");
    }
    // The model itself is given what no utterance cuts.
    assert!(loaded.model.read(&long).unwrap().cut);
}
