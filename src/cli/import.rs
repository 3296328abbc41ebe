//! `yingda import`: what people have becomes a draft version of a bot's knowledge.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::bail;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use jiff::Timestamp;

use crate::cli::versions;
use crate::config::Config;
use crate::knowledge::diff::Change;
use crate::knowledge::diff::Difference;
use crate::knowledge::diff::Thing;
use crate::knowledge::finding::Finding;
use crate::knowledge::finding::Severity;
use crate::knowledge::import;
use crate::knowledge::import::Column;
use crate::knowledge::import::IMPORT_BYTES_MAX;
use crate::knowledge::import::Imported;
use crate::knowledge::import::Placed;
use crate::knowledge::snapshot::Files;
use crate::service::callback::chain;
use crate::service::fetch::Fetched;
use crate::service::fetch::fetch;
use crate::service::version::Origin;
use crate::service::version::VersionError;
use crate::service::version::Versions;

/// Rounds in which rows that the rules of the knowledge refuse are left out, with `--partial`.
const ROUNDS_MAX: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, folders or addresses (https://…): csv, xlsx, xls, ods, json, jsonl, md, txt, html, docx, pdf.
    #[arg(required = true)]
    sources: Vec<String>,
    /// Which bot.
    #[arg(long, default_value = "shop")]
    bot: String,
    /// Show what was understood, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// What a column is, such as 问题=用户咨询 or answer=话术; may be given several times.
    #[arg(long, value_name = "COLUMN=HEADING", value_parser = mapping)]
    map: Vec<(Column, String)>,
    /// Take what is right and leave out the rows that are not; they are listed.
    #[arg(long)]
    partial: bool,
    /// A host of the own network that an address may lead to, such as 10.0.0.5:8080; may be given several times.
    #[arg(long, value_name = "HOST:PORT")]
    allow_host: Vec<String>,
}

fn mapping(text: &str) -> Result<(Column, String), String> {
    let (column, heading) = text.split_once('=').ok_or("write COLUMN=HEADING, such as 问题=用户咨询")?;
    let known = || Column::ALL.map(Column::heading).join(", ");
    let column =
        Column::named(column).ok_or_else(|| format!("{column:?} is no column; there are {}", known()))?;
    Ok((column, heading.to_owned()))
}

/// All that is to be told of an import.
#[derive(Default)]
struct Report {
    /// Files that could not be read, and rows that were left out.
    refused: Vec<String>,
    /// What is worth a look.
    notes: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let versions = versions::open(&config.serve).await?;
    let result = obey(args, config, &versions).await;
    versions.store().close().await;
    result
}

async fn obey(args: &Args, config: &Config, versions: &Versions) -> anyhow::Result<ExitCode> {
    let now = Timestamp::now();
    let mut report = Report::default();
    let imported = read(args, &mut report).await?;
    let base = base(&args.bot, config, versions, now).await?;
    let (files, placed) = merge(args, &imported, &base, versions, now, &mut report).await?;
    let mut out = std::io::stdout().lock();
    for (one, place) in imported.iter().zip(&placed) {
        let n_passages = one.drafts.iter().filter(|draft| draft.is_passage).count();
        let n_rows = one.drafts.len() - n_passages;
        write!(out, "{} → {}：{n_rows} 条问答，{n_passages} 段资料", one.name, place.file)?;
        let topics = place.new_topics.values().cloned().collect::<Vec<_>>().join("、");
        let topics = if topics.is_empty() { String::new() } else { format!("，新分类 {topics}") };
        let unread = if one.unread.is_empty() {
            String::new()
        } else {
            format!("，没有读的列 {}", one.unread.join("、"))
        };
        writeln!(out, "{topics}{unread}")?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "提醒 {note}"))?;
    report.refused.iter().try_for_each(|row| writeln!(out, "没有收 {row}"))?;
    let clean = report.refused.is_empty();
    let Some(files) = files.filter(|_| clean || args.partial) else {
        writeln!(
            out,
            "有 {} 处没有收，什么都没有写入；改好再试，或者加 --partial 只收其余的",
            report.refused.len()
        )?;
        return Ok(ExitCode::FAILURE);
    };
    if args.dry_run {
        writeln!(out, "试运行：什么都没有写入")?;
        return Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let names: Vec<&str> = imported.iter().map(|one| one.name.as_str()).collect();
    let origin = Origin { author: versions::author(), reason: format!("import {}", names.join(", ")) };
    let row = versions.add(&args.bot, files, &origin, now).await?;
    let changes = versions.diff(&args.bot, base.number, row.number, now).await?;
    let count = |of: &dyn Fn(&Change) -> bool| {
        changes.iter().filter(|one: &&Difference| one.thing == Thing::Entry && of(&one.change)).count()
    };
    writeln!(
        out,
        "草稿 {}：新增 {} 条，改动 {} 条，删去 {} 条。查看：yingda versions --bot {bot} diff {number}；发布：yingda versions --bot {bot} publish {number}",
        row.number,
        count(&|change| *change == Change::Added),
        count(&|change| matches!(change, Change::Changed(_))),
        count(&|change| *change == Change::Removed),
        bot = args.bot,
        number = row.number,
    )?;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The version that an import adds to.
struct Base {
    number: i64,
    files: Files,
    topics: BTreeMap<String, String>,
}

/// The newest version; the folder becomes the first one where there is none.
async fn base(bot: &str, config: &Config, versions: &Versions, now: Timestamp) -> anyhow::Result<Base> {
    let newest = versions.store().versions(bot, 1).await?;
    let number = match newest.first() {
        Some(row) => row.number,
        None => {
            let dir = config.serve.knowledge.join(bot);
            anyhow::ensure!(
                dir.join("bot.toml").is_file(),
                "no bot {bot:?}: neither in the store nor at {}",
                dir.display()
            );
            versions
                .follow(&dir, now)
                .await?
                .with_context(|| format!("{} is no new version", dir.display()))?
                .version
                .number
        }
    };
    let opened = versions.open(bot, number, now).await?;
    Ok(Base { number, files: opened.files, topics: opened.knowledge.profile.topics })
}

/// Reads all files; one that cannot be read is told and the others are read on.
async fn read(args: &Args, report: &mut Report) -> anyhow::Result<Vec<Imported>> {
    let map: BTreeMap<Column, String> = args.map.iter().cloned().collect();
    let allowed: BTreeSet<String> = args.allow_host.iter().cloned().collect();
    let mut files = Vec::new();
    for source in &args.sources {
        if source.contains("://") {
            files.push(Found::Page(source));
            continue;
        }
        let path = Path::new(source);
        walk(path, path, &mut files).with_context(|| format!("looking for files at {source}"))?;
    }
    let bar = ProgressBar::new(files.len() as u64);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}").expect("a fixed template"));
    let mut imported: Vec<Imported> = Vec::new();
    for found in files {
        bar.set_message(found.name().to_owned());
        let fetched = match &found {
            Found::File { path, name } => open(path, name),
            Found::Page(url) => fetch(url, &allowed, IMPORT_BYTES_MAX).await.map_err(|error| chain(&error)),
        };
        let read = fetched
            .and_then(|file| import::read(&file.name, &file.bytes, &map).map_err(|error| chain(&error)));
        match read {
            Ok(one) if imported.iter().any(|own| import::target(&own.name) == import::target(&one.name)) => {
                report.refused.push(format!("{}：这次已经有一个同名的来源，请改名或者分两次导入", one.name));
            }
            Ok(one) => {
                report.refused.extend(one.refused.iter().map(|row| format!("{}：{}", row.place, row.reason)));
                imported.push(one);
            }
            Err(error) => report.refused.push(error),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(imported)
}

/// Something to be read.
enum Found<'a> {
    File { path: PathBuf, name: String },
    Page(&'a str),
}

impl Found<'_> {
    fn name(&self) -> &str {
        match self {
            Self::File { name, .. } => name,
            Self::Page(url) => url,
        }
    }
}

fn open(path: &Path, name: &str) -> Result<Fetched, String> {
    let mut bytes = Vec::new();
    let read =
        fs::File::open(path).and_then(|file| file.take(IMPORT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Fetched { name: name.to_owned(), bytes }),
        Err(error) => Err(format!("{name}：打不开：{error}")),
    }
}

/// Files below a path with their names as they are told; hidden ones and the locks of office programs are none.
fn walk(root: &Path, path: &Path, files: &mut Vec<Found<'_>>) -> std::io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        let name = path.strip_prefix(root).ok().filter(|name| !name.as_os_str().is_empty());
        let name = name.or_else(|| path.file_name().map(Path::new)).unwrap_or(path);
        files.push(Found::File { path: path.to_owned(), name: name.to_string_lossy().into_owned() });
        return Ok(());
    }
    let mut below: Vec<PathBuf> =
        fs::read_dir(path)?.map(|item| Ok(item?.path())).collect::<std::io::Result<_>>()?;
    below.sort();
    let is_hidden =
        |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '~']));
    below.iter().filter(|path| !is_hidden(path)).try_for_each(|path| walk(root, path, files))
}

/// The files of the version to be; `None` where they cannot be one.
async fn merge(
    args: &Args,
    imported: &[Imported],
    base: &Base,
    versions: &Versions,
    now: Timestamp,
    report: &mut Report,
) -> anyhow::Result<(Option<Files>, Vec<Placed>)> {
    let mut skipped: BTreeSet<String> = BTreeSet::new();
    for _round in 0..ROUNDS_MAX {
        let mut files = base.files.clone();
        let mut topics = base.topics.clone();
        let mut placed: Vec<Placed> = Vec::new();
        for one in imported {
            let own = import::place(one, &mut files, &topics, &|place| skipped.contains(place));
            topics.extend(own.new_topics.clone());
            placed.push(own);
        }
        match versions.check(&args.bot, files.clone(), now).await {
            Ok(findings) => {
                let own = findings
                    .iter()
                    .filter_map(|finding| Some(format!("{}：{}", place(finding, &placed)?, finding.message)));
                report.notes.extend(own);
                return Ok((Some(files), placed));
            }
            Err(VersionError::Unfit { findings, .. }) => {
                let errors: Vec<&Finding> =
                    findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
                let n_before = skipped.len();
                for finding in &errors {
                    match place(finding, &placed) {
                        Some(place) => {
                            report.refused.push(format!("{place}：{}", finding.message));
                            skipped.insert(place);
                        }
                        None => report.refused.push(finding.to_string()),
                    }
                }
                if !args.partial || skipped.len() == n_before {
                    return Ok((None, placed));
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    bail!("rows are refused again and again; import the files one by one")
}

/// Where a finding of an imported table comes from.
fn place(finding: &Finding, placed: &[Placed]) -> Option<String> {
    let own = placed.iter().find(|placed| placed.file == finding.source.file)?;
    own.places.range(..=finding.source.line).next_back().map(|(_, place)| place.clone())
}
