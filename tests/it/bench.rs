//! What `yingda bench` tells about a bot.

use serde_json::Value;

use crate::cli::run;
use crate::cli::stderr;
use crate::cli::stdout;
use crate::fixture::BOT;
use crate::fixture::Folder;

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
