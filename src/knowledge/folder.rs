//! The bot's folder as the loader may see it: no links, nothing outside, no file without end.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::limits::FAQ_DEPTH_MAX;
use crate::knowledge::limits::FAQ_FILES_MAX;
use crate::knowledge::limits::FILE_BYTES_MAX;
use crate::knowledge::task::FOLDER;
use crate::text::decode::decode;

/// Why a path of the knowledge does not lead to a file of the bot's folder.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// The path is empty, absolute, climbs out with `..`, or is written for another system.
    #[error("path {path:?} does not stay below the bot's folder")]
    Outside {
        /// The path as written.
        path: String,
    },
    /// A link could lead anywhere, and elsewhere on the next machine.
    #[error("path {path:?} passes through a symbolic link")]
    Link {
        /// The path as written.
        path: String,
    },
    /// There is a folder or a device of that name.
    #[error("path {path:?} is not a file")]
    NotFile {
        /// The path as written.
        path: String,
    },
    /// Nothing is there, or it may not be read.
    #[error("path {path:?} cannot be opened")]
    Io {
        /// The path as written.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl PathError {
    /// Whether the path is well formed but nothing is there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// The file that a path of the knowledge means, such as an attachment, with its size in bytes.
///
/// * `dir`: the bot's folder; may itself be a link.
/// * `path`: relative, with `/` between its parts, such as `attachments/size-chart.png`.
///
/// # Errors
/// See [`PathError`]. The check is done on names and metadata; the file is not opened.
pub fn file_below(dir: &Path, path: &str) -> Result<(PathBuf, u64), PathError> {
    let outside = || PathError::Outside { path: path.to_owned() };
    let relative = Path::new(path);
    let normal = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || !normal || path.contains(['\\', '\0', ':']) {
        return Err(outside());
    }
    let unreadable = |source| PathError::Io { path: path.to_owned(), source };
    let mut walked = dir.to_path_buf();
    let mut last = None;
    for part in relative.components() {
        walked.push(part);
        let metadata = fs::symlink_metadata(&walked).map_err(unreadable)?;
        if metadata.is_symlink() {
            return Err(PathError::Link { path: path.to_owned() });
        }
        last = Some(metadata);
    }
    match last {
        Some(metadata) if metadata.is_file() => Ok((walked, metadata.len())),
        Some(_) => Err(PathError::NotFile { path: path.to_owned() }),
        None => Err(outside()),
    }
}

/// Reads one text file of the folder; `None` with a finding, or without one where there is no such file.
pub(super) fn read(dir: &Path, file: &str, findings: &mut Vec<Finding>) -> Option<String> {
    let at = |line| Source { file: file.to_owned(), line };
    let (path, bytes_there) = match file_below(dir, file) {
        Ok(found) => found,
        Err(error) if error.is_missing() => return None,
        Err(error) => {
            findings.push(refused(at(1), &error));
            return None;
        }
    };
    let mut bytes = Vec::new();
    // A file may grow between the look at its size and the reading, so the reading is bounded too.
    let reading = File::open(path).and_then(|open| open.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    if let Err(source) = reading {
        findings.push(refused(at(1), &PathError::Io { path: file.to_owned(), source }));
        return None;
    }
    let size = bytes_there.max(bytes.len() as u64);
    if size > FILE_BYTES_MAX {
        let message = format!("文件有 {size} 字节，超过上限 {FILE_BYTES_MAX} 字节（64 MiB）。");
        findings.push(Finding::error(
            "file-size",
            at(1),
            message,
            "把文件拆成几个，或者检查是不是放错了文件。",
        ));
        return None;
    }
    let decoded = decode(&bytes);
    if decoded.replaced {
        let lines_before = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
        let line = decoded.text.find('\u{FFFD}').map_or(1, |lost| 1 + lines_before(&decoded.text[..lost]));
        let message = format!("文件按 {} 编码读取，第 {line} 行有读不出的字节。", decoded.encoding);
        findings.push(Finding::error(
            "file-encoding",
            at(line),
            message,
            "用表格或文本编辑器另存为 UTF-8 编码。",
        ));
        return None;
    }
    Some(decoded.text)
}

/// All files below `faq/` that hold entries, sorted by path, as paths below the bot's folder.
pub(super) fn faq_files(dir: &Path, findings: &mut Vec<Finding>) -> Vec<String> {
    let mut files = Vec::new();
    if fs::symlink_metadata(dir.join("faq")).is_ok_and(|metadata| metadata.is_symlink()) {
        let source = Source { file: "faq".to_owned(), line: 1 };
        findings.push(refused(source, &PathError::Link { path: "faq".to_owned() }));
        return files;
    }
    walk(dir, "faq", 1, &mut files, findings);
    if files.len() > FAQ_FILES_MAX {
        let message =
            format!("faq/ 下有 {} 个文件，超过上限 {FAQ_FILES_MAX} 个，多出的没有读。", files.len());
        let source = Source { file: "faq".to_owned(), line: 1 };
        findings.push(Finding::error("too-many", source, message, "把小文件合并成大文件。"));
        files.truncate(FAQ_FILES_MAX);
    }
    files
}

/// The files of `tasks/`, sorted by name, as paths below the bot's folder.
pub(super) fn task_files(dir: &Path, findings: &mut Vec<Finding>) -> Vec<String> {
    let at = |file: &str| Source { file: file.to_owned(), line: 1 };
    let listing = match names(&dir.join(FOLDER)) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(source) => {
            findings.push(refused(at(FOLDER), &PathError::Io { path: FOLDER.to_owned(), source }));
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    for (name, kind) in listing.into_iter().filter(|(name, _)| !name.starts_with('.')) {
        let path = format!("{FOLDER}/{name}");
        if kind.is_file() && name.ends_with(".toml") {
            files.push(path);
        } else {
            let message = format!("{FOLDER}/ 里只读 .toml 文件，这一个没有读。");
            findings.push(Finding::warning("unread-file", at(&path), message, "移到别处。"));
        }
    }
    files
}

fn walk(dir: &Path, below: &str, depth: usize, files: &mut Vec<String>, findings: &mut Vec<Finding>) {
    let at = |file: &str| Source { file: file.to_owned(), line: 1 };
    let listing = match names(&dir.join(below)) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(source) => {
            let error = PathError::Io { path: below.to_owned(), source };
            return findings.push(refused(at(below), &error));
        }
    };
    for (name, kind) in listing {
        let path = format!("{below}/{name}");
        // Dot files, and the lock files that office programs leave beside an open table.
        if name.starts_with('.') || name.starts_with("~$") {
            continue;
        }
        if kind.is_symlink() {
            findings.push(refused(at(&path), &PathError::Link { path: path.clone() }));
        } else if kind.is_dir() && depth >= FAQ_DEPTH_MAX {
            let message =
                format!("文件夹套了 {} 层，超过上限 {FAQ_DEPTH_MAX} 层，里面的文件没有读。", depth + 1);
            findings.push(Finding::error("too-many", at(&path), message, "把文件往上移几层。"));
        } else if kind.is_dir() {
            walk(dir, &path, depth + 1, files, findings);
        } else if name.ends_with(".csv") || name.ends_with(".md") {
            files.push(path);
        } else {
            let message = "faq/ 里只读 .csv 和 .md，这个文件没有读。".to_owned();
            findings.push(Finding::warning(
                "unread-file",
                at(&path),
                message,
                "另存为 UTF-8 的 .csv，或者移到别处。",
            ));
        }
    }
}

/// What a folder holds, sorted by name so that every machine reads in the same order.
fn names(dir: &Path) -> io::Result<Vec<(String, fs::FileType)>> {
    let mut listing = fs::read_dir(dir)?
        .map(|item| {
            item.and_then(|item| Ok((item.file_name().to_string_lossy().into_owned(), item.file_type()?)))
        })
        .collect::<io::Result<Vec<_>>>()?;
    listing.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(listing)
}

fn refused(source: Source, error: &PathError) -> Finding {
    let (code, message, remedy) = match error {
        PathError::Outside { .. } => {
            ("path-outside", "路径离开了机器人的文件夹，或者名字里有 \\ 或 :。".to_owned(), "改名。")
        }
        PathError::Link { .. } => {
            ("file-link", "这是一个符号链接，不读。".to_owned(), "把真正的文件复制到这里。")
        }
        PathError::NotFile { .. } => {
            ("file-unreadable", "这里应当是一个文件。".to_owned(), "改名或者删掉它。")
        }
        PathError::Io { source, .. } => {
            ("file-unreadable", format!("打不开：{source}。"), "检查文件权限和磁盘。")
        }
    };
    Finding::error(code, source, message, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_below_the_folder_are_files() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/b.png"), b"12345678").unwrap();
        assert_eq!(file_below(dir.path(), "a/b.png").unwrap().1, 8);
        for outside in ["", "/etc/passwd", "../x", "a/../../x", "a\\b.png", "C:/x", "./a/b.png"] {
            let error = file_below(dir.path(), outside).unwrap_err();
            assert!(matches!(error, PathError::Outside { .. }), "{outside}: {error}");
        }
        assert!(matches!(file_below(dir.path(), "a").unwrap_err(), PathError::NotFile { .. }));
        assert!(file_below(dir.path(), "a/c.png").unwrap_err().is_missing());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused_wherever_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        fs::write(dir.path().join("real/x.png"), b"12345678").unwrap();
        std::os::unix::fs::symlink("real", dir.path().join("linked")).unwrap();
        std::os::unix::fs::symlink("real/x.png", dir.path().join("x.png")).unwrap();
        for link in ["linked/x.png", "x.png"] {
            assert!(matches!(file_below(dir.path(), link).unwrap_err(), PathError::Link { .. }), "{link}");
        }
    }
}
