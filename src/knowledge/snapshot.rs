//! A bot's folder as a list of files: what a version of knowledge is made of.

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use crate::knowledge::limits::SNAPSHOT_BYTES_MAX;
use crate::knowledge::limits::SNAPSHOT_DEPTH_MAX;
use crate::knowledge::limits::SNAPSHOT_FILES_MAX;

/// Files by their paths below the bot's folder, with `/` between the parts.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Folders with material for developers, which answers nobody.
const PASSED_OVER: [&str; 2] = ["nlu", "questions"];

/// What tells that a folder has changed, without reading its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing(BTreeMap<String, (u64, Option<SystemTime>)>);

/// Why a folder cannot become a version.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Something in it cannot be read.
    #[error("{} cannot be read", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A link could lead anywhere, and elsewhere on the next machine.
    #[error("{} is a symbolic link; a version holds plain files alone", .0.display())]
    Link(PathBuf),
    /// A name that no other system would read the same way.
    #[error("{} has a name that is not UTF-8, or holds a backslash", .0.display())]
    Name(PathBuf),
    /// Too much of something.
    #[error("{} has {found} {what}, more than the limit of {limit}", dir.display())]
    TooMany {
        /// The folder.
        dir: PathBuf,
        /// Of what.
        what: &'static str,
        /// How many.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// Somebody wrote while it was read.
    #[error("{} changed while it was read; it is looked at again later", .0.display())]
    Changing(PathBuf),
}

/// Names, sizes and times of the files that belong to a version, without what is hidden, left by office programs, or for
/// developers.
///
/// # Errors
/// See [`SnapshotError`].
pub fn list(dir: &Path) -> Result<Listing, SnapshotError> {
    let mut listing = Listing::default();
    walk(dir, "", 1, &mut listing)?;
    let over =
        |what, found: u64, limit: u64| SnapshotError::TooMany { dir: dir.to_owned(), what, found, limit };
    let bytes: u64 = listing.0.values().map(|(bytes, _)| bytes).sum();
    if bytes > SNAPSHOT_BYTES_MAX as u64 {
        return Err(over("bytes", bytes, SNAPSHOT_BYTES_MAX as u64));
    }
    if listing.0.len() > SNAPSHOT_FILES_MAX {
        return Err(over("files", listing.0.len() as u64, SNAPSHOT_FILES_MAX as u64));
    }
    Ok(listing)
}

/// Reads all files of a folder that belong to a version, as they stood at one time.
///
/// # Errors
/// See [`SnapshotError`].
pub fn read(dir: &Path) -> Result<Files, SnapshotError> {
    let before = list(dir)?;
    let mut files = Files::new();
    for (name, (bytes, _)) in &before.0 {
        let path = dir.join(name);
        let mut content = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(bytes + 1).read_to_end(&mut content))
            .map_err(|source| SnapshotError::Io { path, source })?;
        files.insert(name.clone(), content);
    }
    let same_sizes = files.iter().all(|(name, content)| before.0[name].0 == content.len() as u64);
    if !same_sizes || list(dir)? != before {
        return Err(SnapshotError::Changing(dir.to_owned()));
    }
    Ok(files)
}

/// Writes files into a folder that is not there yet. It appears whole or not at all.
///
/// # Errors
/// Something of that name is there already, the disk is full, or the place cannot be written.
pub fn write(files: &Files, dir: &Path) -> io::Result<()> {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let name = format!(".writing-{}-{}", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed));
    let draft = dir.parent().unwrap_or(Path::new(".")).join(name);
    let written = write_all(files, &draft).and_then(|()| fs::rename(&draft, dir));
    if written.is_err() {
        // What cannot be removed either is a hidden folder that nobody reads.
        let _left = fs::remove_dir_all(&draft);
    }
    written
}

fn write_all(files: &Files, dir: &Path) -> io::Result<()> {
    for (name, content) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        fs::write(path, content)?;
    }
    Ok(())
}

fn walk(dir: &Path, below: &str, depth: usize, listing: &mut Listing) -> Result<(), SnapshotError> {
    let here = dir.join(below);
    let failed = |source| SnapshotError::Io { path: here.clone(), source };
    for item in fs::read_dir(&here).map_err(failed)? {
        let item = item.map_err(failed)?;
        let path = item.path();
        let name = item.file_name();
        let Some(name) = name.to_str().filter(|name| !name.contains('\\')) else {
            return Err(SnapshotError::Name(path));
        };
        if name.starts_with('.') || name.starts_with("~$") {
            continue;
        }
        let own = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        let metadata = fs::symlink_metadata(&path).map_err(failed)?;
        if metadata.is_symlink() {
            return Err(SnapshotError::Link(path));
        }
        if metadata.is_file() {
            listing.0.insert(own, (metadata.len(), metadata.modified().ok()));
        } else if metadata.is_dir() && !PASSED_OVER.contains(&own.as_str()) {
            if depth >= SNAPSHOT_DEPTH_MAX {
                let (found, limit) = (depth as u64 + 1, SNAPSHOT_DEPTH_MAX as u64);
                let what = "folders inside one another";
                return Err(SnapshotError::TooMany { dir: dir.to_owned(), what, found, limit });
            }
            walk(dir, &own, depth + 1, listing)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let dir = folder(&[
            ("bot.toml", "a"),
            ("faq/深/x.csv", "b"),
            ("attachments/y.png", "c"),
            ("nlu/train.jsonl", "not served"),
            ("questions/q.jsonl", "not served"),
            (".git/config", "hidden"),
            ("faq/~$x.csv", "a lock"),
        ]);
        let files = read(dir.path()).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["attachments/y.png", "bot.toml", "faq/深/x.csv"]);
        let copy = dir.path().join("copies/1");
        write(&files, &copy).unwrap();
        assert_eq!(read(&copy).unwrap(), files);
        // Written again, it fails and leaves what is there.
        assert!(write(&files, &copy).is_err());
        assert_eq!(read(&copy).unwrap(), files);
        assert_eq!(fs::read_dir(dir.path().join("copies")).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_listing_changes_with_its_files() {
        let dir = folder(&[("bot.toml", "a")]);
        let before = list(dir.path()).unwrap();
        assert_eq!(list(dir.path()).unwrap(), before);
        fs::write(dir.path().join("terms.txt"), "x").unwrap();
        assert_ne!(list(dir.path()).unwrap(), before);
    }

    #[test]
    fn a_folder_that_is_written_to_is_read_as_it_stood_at_one_time() {
        let dir = folder(&[("a.csv", "000"), ("b.csv", "000")]);
        let path = dir.path().to_owned();
        let writer = std::thread::spawn(move || {
            for n in 1..200 {
                // Always a before b.
                fs::write(path.join("a.csv"), format!("{n:03}")).unwrap();
                fs::write(path.join("b.csv"), format!("{n:03}")).unwrap();
            }
        });
        let number = |files: &Files, name: &str| -> Option<u32> {
            // A file that is being written is empty for a moment, and is one such moment of the folder.
            std::str::from_utf8(&files[name]).unwrap().parse().ok()
        };
        let mut is_over = false;
        while !is_over {
            is_over = writer.is_finished();
            match read(dir.path()) {
                Ok(files) => {
                    if let (Some(a), Some(b)) = (number(&files, "a.csv"), number(&files, "b.csv")) {
                        assert!(b <= a && a <= b + 1, "a {a}, b {b}");
                    }
                }
                Err(SnapshotError::Changing(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        writer.join().unwrap();
        assert_eq!(number(&read(dir.path()).unwrap(), "b.csv"), Some(199));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused() {
        let dir = folder(&[("bot.toml", "a")]);
        std::os::unix::fs::symlink("bot.toml", dir.path().join("x.toml")).unwrap();
        assert!(matches!(read(dir.path()), Err(SnapshotError::Link(path)) if path.ends_with("x.toml")));
    }

    #[test]
    fn folders_without_end_are_refused() {
        let deep = ["d"; SNAPSHOT_DEPTH_MAX + 1].join("/") + "/x.csv";
        let dir = folder(&[("bot.toml", "a"), (&deep, "b")]);
        let error = list(dir.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("more than the limit of {SNAPSHOT_DEPTH_MAX}")), "{error}");
    }
}
