//! `yingda check`: is the knowledge fit to be served?

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::config::Config;
use crate::engine;
use crate::knowledge;
use crate::knowledge::finding::Severity;
use crate::training;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of one bot, or of several; the configured knowledge folder when absent.
    dir: Option<PathBuf>,
    /// One JSON object a finding.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let root = args.dir.as_ref().unwrap_or(&config.serve.knowledge);
    let dirs = if root.join("bot.toml").exists() {
        vec![root.clone()]
    } else {
        knowledge::bots(root).with_context(|| format!("reading the folder {}", root.display()))?
    };
    anyhow::ensure!(!dirs.is_empty(), "no bot below {}: a bot is a folder with a bot.toml", root.display());
    let today = Timestamp::now().to_zoned(TimeZone::system()).date();
    let mut out = std::io::stdout().lock();
    let mut all_servable = true;
    for dir in dirs {
        let (known, mut findings) = engine::load(&dir, today);
        if let Some(known) = &known {
            findings.extend(training::lint::lint(known));
        }
        let servable = known.is_some() && engine::servable(&findings);
        all_servable &= servable;
        if args.json {
            for finding in &findings {
                let row = json!({
                    "bot": dir.file_name().map(|name| name.to_string_lossy()),
                    "severity": if finding.severity == Severity::Error { "error" } else { "warning" },
                    "code": finding.code,
                    "file": finding.source.file,
                    "line": finding.source.line,
                    "message": finding.message,
                    "remedy": finding.remedy,
                });
                writeln!(out, "{row}")?;
            }
            continue;
        }
        for finding in &findings {
            writeln!(out, "{finding}")?;
        }
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let content = known.as_ref().map_or_else(String::new, |known| {
            format!(
                "{} 条知识，{} 件商品，{} 条规则，",
                known.entries.len(),
                known.products.len(),
                known.rules.len()
            )
        });
        let verdict = if servable { "可以上线" } else { "不能上线" };
        let warnings = findings.len() - errors;
        writeln!(out, "{}：{content}{errors} 个错误，{warnings} 个提醒，{verdict}", dir.display())?;
    }
    Ok(if all_servable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
