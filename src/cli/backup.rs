//! `yingda backup` and `yingda restore`: everything that a shop would miss, in one folder.
//!
//! The store holds customers, talks, what is to be sent, keys, and every version of the knowledge with its attachments. Beside
//! it go the folders of knowledge and models and a list of all files with their hashes, written last: a backup without it is
//! none.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::ensure;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use crate::config::Config;
use crate::store::SqliteStore;
use crate::store::Store;
use crate::text::hex::lower_hex;

const STORE: &str = SqliteStore::FILE;
const LIST: &str = "backup.json";

#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// A folder that is not there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// A folder that `backup` has written. It goes into the folder of data, which must be empty or not there; folders of
    /// knowledge and models that hold anything stay as they are.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
}

/// What a backup consists of.
#[derive(Debug, Deserialize, Serialize)]
struct List {
    /// Version of the program.
    program: String,
    made_at: Timestamp,
    /// Path below the backup to SHA-256.
    files: BTreeMap<String, String>,
}

#[tokio::main(flavor = "current_thread")]
pub(super) async fn backup(args: &BackupArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let out = &args.out;
    ensure!(!out.exists(), "{} is there already; a backup goes into a new folder", out.display());
    let data = &config.serve.data;
    ensure!(data.join(STORE).is_file(), "{} has no store: is that the folder of data?", data.display());
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    let place = fs::canonicalize(out).context("looking where the backup goes")?;
    for (_, from) in folders(config).into_iter().chain([("data", data.as_path())]) {
        if fs::canonicalize(from).is_ok_and(|from| place.starts_with(from)) {
            // Just made, and empty.
            fs::remove_dir(out).context("removing the folder again")?;
            anyhow::bail!("{} lies in {}, which is to be copied", out.display(), from.display());
        }
    }
    let store = SqliteStore::open(&config.serve.data).await.context("opening the store")?;
    let copied = store.copy_to(&out.join(STORE)).await;
    store.close().await;
    copied.context("copying the store")?;
    for (name, from) in folders(config) {
        if from.is_dir() {
            copy(from, &out.join(name)).with_context(|| format!("copying {}", from.display()))?;
        }
    }
    let mut files = BTreeMap::new();
    hashes(out, out, &mut files).context("reading the backup back")?;
    let n_files = files.len();
    let list = List { program: env!("CARGO_PKG_VERSION").to_owned(), made_at: Timestamp::now(), files };
    fs::write(out.join(LIST), serde_json::to_vec_pretty(&list)?).context("writing the list of files")?;
    writeln!(std::io::stdout(), "已备份 {n_files} 个文件到 {}", out.display())?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(args: &RestoreArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let from = &args.from;
    let list = fs::read(from.join(LIST))
        .with_context(|| format!("{} is no backup: it has no {LIST}", from.display()))?;
    let list: List = serde_json::from_slice(&list).context("reading the list of files")?;
    let mut found = BTreeMap::new();
    hashes(from, from, &mut found).context("reading the backup")?;
    found.remove(LIST);
    for (name, hash) in &list.files {
        let is_whole = found.get(name) == Some(hash);
        ensure!(is_whole, "{name} of the backup is missing or damaged; nothing was restored");
    }
    let data = &config.serve.data;
    let is_empty = |dir: &Path| fs::read_dir(dir).map_or(true, |mut items| items.next().is_none());
    ensure!(is_empty(data), "{} is not empty; a backup is restored into an empty folder", data.display());
    fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
    for (name, to) in folders(config) {
        if !from.join(name).is_dir() {
            continue;
        }
        if is_empty(to) {
            copy(&from.join(name), to).with_context(|| format!("writing {}", to.display()))?;
        } else {
            // The store has every version that answers; the folder is where a maintainer works.
            writeln!(std::io::stderr(), "{} 里已有文件，保持原样", to.display())?;
        }
    }
    // The store comes last: without it there is nothing that could be started half restored.
    let draft = data.join(format!(".{STORE}"));
    fs::copy(from.join(STORE), &draft).context("writing the store")?;
    fs::File::open(&draft).and_then(|file| file.sync_all()).context("writing the store to disk")?;
    fs::rename(&draft, data.join(STORE)).context("putting the store in its place")?;
    writeln!(std::io::stdout(), "已恢复 {} 的备份，{} 个文件", list.made_at, list.files.len())?;
    Ok(ExitCode::SUCCESS)
}

/// Folders beside the store, by their names in a backup.
fn folders(config: &Config) -> [(&'static str, &Path); 2] {
    [("knowledge", &config.serve.knowledge), ("models", &config.serve.models)]
}

/// Copies a folder's plain files; links and what is hidden stay out.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let (kind, name) = (item.file_type()?, item.file_name());
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            copy(&item.path(), &to.join(name))?;
        } else if kind.is_file() {
            fs::copy(item.path(), to.join(name))?;
        }
    }
    Ok(())
}

fn hashes(root: &Path, dir: &Path, files: &mut BTreeMap<String, String>) -> std::io::Result<()> {
    for item in fs::read_dir(dir)? {
        let path = item?.path();
        if path.is_dir() {
            hashes(root, &path, files)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.insert(name, lower_hex(&Sha256::digest(fs::read(&path)?)));
        }
    }
    Ok(())
}
