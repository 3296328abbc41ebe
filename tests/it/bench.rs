//! What `yingda bench` tells about a bot.

use std::fs;

use serde_json::Value;

use crate::cli::run;
use crate::cli::stderr;
use crate::cli::stdout;
use crate::fixture::BOT;
use crate::fixture::Folder;
use crate::train::trained;
use crate::train::workshop;

#[test]
fn every_stage_is_timed_and_a_bot_without_a_model_has_no_encoder() {
    let folder = Folder::new();
    let root = folder.root();
    let told = run(root, &["bench", "--knowledge", root.to_str().unwrap(), "--bot", BOT, "--json"]);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let found: Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!(found["bot"], BOT);
    assert_eq!((&found["model"], &found["encoder"]), (&Value::Null, &Value::Null));
    let stages = found["stages"].as_array().unwrap();
    let names: Vec<&str> = stages.iter().map(|stage| stage[0].as_str().unwrap()).collect();
    assert_eq!(names.last(), Some(&"all"));
    assert_eq!(names.len(), 7, "{names:?}");
    for stage in stages {
        let times = ["p50", "p95", "p99"].map(|name| stage[1][name].as_f64().unwrap());
        assert!(times.is_sorted(), "{stage}");
    }
    let sum_of_medians: f64 = stages[..6].iter().map(|stage| stage[1]["p50"].as_f64().unwrap()).sum();
    assert!(sum_of_medians > 0.0, "{found}");
}

#[test]
fn a_bot_with_a_model_names_it_and_times_its_encoder() {
    let folder = Folder::new();
    let bot = folder.bot().join("bot.toml");
    let profile = fs::read_to_string(&bot).unwrap();
    fs::write(&bot, format!("model = \"small\"\n{profile}")).unwrap();
    let at = workshop();
    trained(
        &at,
        "rows.jsonl",
        "models/small",
        &["--dev", "dev.jsonl", "--tune-layers", "0", "--epochs", "1"],
    );
    let told =
        run(at.path(), &["bench", "--knowledge", folder.root().to_str().unwrap(), "--bot", BOT, "--json"]);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let found: Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!(found["model"].as_str().map(str::len), Some(12), "{found}");
    let encoder = &found["encoder"];
    let times = ["ours_ms", "candle_transformers_ms", "ratio"].map(|name| encoder[name].as_f64().unwrap());
    assert!((times[0] / times[1] - times[2]).abs() < 1e-9 && times[1] > 0.0, "{found}");
    assert_eq!((&encoder["n_layers"], &encoder["n_tokens"]), (&1.into(), &16.into()), "{found}");
}
