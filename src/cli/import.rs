//! `yingda import`: what people have becomes a draft version of a bot's knowledge.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use jiff::Timestamp;

use crate::cli::versions;
use crate::config::Config;
use crate::knowledge::diff::Change;
use crate::knowledge::diff::Difference;
use crate::knowledge::diff::Thing;
use crate::knowledge::import;
use crate::knowledge::import::IMPORT_BYTES_MAX;
use crate::knowledge::import::Imported;
use crate::knowledge::import::Mapping;
use crate::knowledge::import::goods::Others;
use crate::knowledge::import::goods::Stocked;
use crate::service::callback::chain;
use crate::service::fetch::Fetched;
use crate::service::fetch::Wish;
use crate::service::fetch::fetch;
use crate::service::merge::Merged;
use crate::service::merge::Rest;
use crate::service::merge::merge;
use crate::service::version::Opened;
use crate::service::version::Origin;
use crate::service::version::Versions;

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
    map: Vec<(String, String)>,
    /// Goods that no table names leave the catalogue; else they stay.
    #[arg(long)]
    all_goods: bool,
    /// Take what is right and leave out the rows that are not; they are listed.
    #[arg(long)]
    partial: bool,
    /// A host of the own network that an address may lead to, such as 10.0.0.5:8080; may be given several times.
    #[arg(long, value_name = "HOST:PORT")]
    allow_host: Vec<String>,
}

fn mapping(text: &str) -> Result<(String, String), String> {
    let (column, heading) = text.split_once('=').ok_or("write COLUMN=HEADING, such as 问题=用户咨询")?;
    let map = Mapping::from([(column.to_owned(), heading.to_owned())]);
    match import::strangers(&map).first() {
        Some(stranger) => Err(format!("{stranger:?} is no column; there are {}", import::known().join(", "))),
        None => Ok((column.to_owned(), heading.to_owned())),
    }
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
    let mut refused = Vec::new();
    let imported = read(args, &mut refused).await?;
    let base = base(&args.bot, config, versions, now).await?;
    let others = if args.all_goods { Others::Go } else { Others::Stay };
    let rest = if args.partial { Rest::Taken } else { Rest::Refused };
    let Merged { files, placed, stocked, refused: unfit, notes } =
        merge(&imported, &base, (others, rest), versions, now).await?;
    refused.extend(unfit);
    let mut out = std::io::stdout().lock();
    for one in imported.iter().filter(|one| !one.goods.is_empty()) {
        writeln!(out, "{} → products.csv：{} 件商品{}", one.name, one.goods.len(), unread(one))?;
    }
    if let Some(Stocked { n_before, n_now }) = stocked {
        writeln!(out, "商品：原来 {n_before} 件，现在 {n_now} 件")?;
    }
    let tables = imported.iter().filter(|one| !one.drafts.is_empty());
    for (one, place) in tables.zip(&placed) {
        let n_passages = one.drafts.iter().filter(|draft| draft.is_passage).count();
        let n_rows = one.drafts.len() - n_passages;
        write!(out, "{} → {}：{n_rows} 条问答，{n_passages} 段资料", one.name, place.file)?;
        let topics = place.new_topics.values().cloned().collect::<Vec<_>>().join("、");
        let topics = if topics.is_empty() { String::new() } else { format!("，新分类 {topics}") };
        let unread = if one.goods.is_empty() { unread(one) } else { String::new() };
        writeln!(out, "{topics}{unread}")?;
    }
    notes.iter().try_for_each(|note| writeln!(out, "提醒 {note}"))?;
    refused.iter().try_for_each(|row| writeln!(out, "没有收 {row}"))?;
    let clean = refused.is_empty();
    let Some(files) = files.filter(|_| clean || args.partial) else {
        writeln!(
            out,
            "有 {} 处没有收，什么都没有写入；改好再试，或者加 --partial 只收其余的",
            refused.len()
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
    let changes =
        versions.diff(&args.bot, base.knowledge.version.unwrap_or_default(), row.number, now).await?;
    let count = |of: &dyn Fn(&Change) -> bool| {
        let is_own = |thing: Thing| matches!(thing, Thing::Entry | Thing::Product);
        changes.iter().filter(|one: &&Difference| is_own(one.thing) && of(&one.change)).count()
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

fn unread(one: &Imported) -> String {
    if one.unread.is_empty() {
        String::new()
    } else {
        format!("，没有读的列 {}", one.unread.join("、"))
    }
}

/// The newest version; the folder becomes the first one where there is none.
async fn base(bot: &str, config: &Config, versions: &Versions, now: Timestamp) -> anyhow::Result<Opened> {
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
    Ok(versions.open(bot, number, now).await?)
}

/// Reads all files; one that cannot be read is told and the others are read on.
async fn read(args: &Args, refused: &mut Vec<String>) -> anyhow::Result<Vec<Imported>> {
    let map: Mapping = args.map.iter().cloned().collect();
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
            Found::Page(url) => {
                fetch(Wish { url, allowed: &allowed, bytes_max: IMPORT_BYTES_MAX, authorization: None })
                    .await
                    .map_err(|error| chain(&error))
            }
        };
        let read = fetched
            .and_then(|file| import::read(&file.name, &file.bytes, &map).map_err(|error| chain(&error)));
        match read {
            Ok(one) if imported.iter().any(|own| import::target(&own.name) == import::target(&one.name)) => {
                refused.push(format!("{}：这次已经有一个同名的来源，请改名或者分两次导入", one.name));
            }
            Ok(one) => {
                refused.extend(one.refused.iter().map(ToString::to_string));
                imported.push(one);
            }
            Err(error) => refused.push(error),
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
