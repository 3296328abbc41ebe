//! `yingda search`: what a bot finds for a message, and why.

use std::io::Write;
use std::process::ExitCode;

use jiff::Timestamp;

use crate::cli::bots;
use crate::config::Config;
use crate::service;
use crate::service::view;
use crate::service::view::EvidenceView;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to search for.
    text: String,
    #[command(flatten)]
    choice: bots::Choice,
    /// Show what each candidate's probability is made of.
    #[arg(long)]
    explain: bool,
    /// Everything that every stage saw, as JSON: what GET /api/v1/search gives.
    #[arg(long, conflicts_with = "explain")]
    json: bool,
}

pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let engine = bots::load_chosen(&config.serve, &args.choice)?;
    let (turn, timings) = service::ask(&engine, &args.text, Timestamp::now());
    let view = view::turn(&engine, &turn, &timings);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&serde_json::json!({ "turn": view }))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    for candidate in &view.evidence {
        write(&mut out, candidate, args.explain)?;
    }
    let limits = &view.thresholds;
    writeln!(
        out,
        "回答线 {:.2}，反问线 {:.2}，并列差距 {:.2} → {}：{}",
        limits.answer, limits.clarify, limits.margin, view.action, view.because
    )?;
    if args.explain {
        for slot in &view.slots {
            writeln!(out, "实体 {} {}（{}）", slot.name, slot.value, slot.found_by)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(out: &mut impl Write, candidate: &EvidenceView, explain: bool) -> std::io::Result<()> {
    write!(out, "{:>6.2}% {:<7} {}", 100.0 * candidate.probability, candidate.kind, candidate.title)?;
    writeln!(out, "  [{}] {}", candidate.id, candidate.source)?;
    let mut parts = Vec::new();
    if let Some(searched) = candidate.searched {
        parts.push(format!("仅检索 {:.2}%", 100.0 * searched));
    }
    if let Some(score) = candidate.score {
        parts.push(format!("BM25 {score:.2}"));
    }
    if let Some(cosine) = candidate.cosine {
        parts.push(format!("向量 {cosine:.3}"));
    }
    if let Some(phrasing) = &candidate.phrasing {
        parts.push(format!("问法“{phrasing}”"));
    }
    if !candidate.matched.is_empty() {
        parts.push(format!("命中词 {}", candidate.matched.join(" ")));
    }
    writeln!(out, "        {}", parts.join("，"))?;
    if let Some(shares) = candidate.shares.as_ref().filter(|_| explain) {
        let shares: Vec<String> = shares.iter().map(|(name, share)| format!("{name} {share:+.2}")).collect();
        writeln!(out, "        对数几率 {}", shares.join("，"))?;
    }
    Ok(())
}
