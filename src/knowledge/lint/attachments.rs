//! Attached files as WeCom takes them: there, below the bot's folder, of a size and kind it accepts.

use std::path::Path;

use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::folder::PathError;
use crate::knowledge::folder::file_below;
use crate::knowledge::shown;

/// What an attached file is to WeCom.
///
/// Source: WeCom developer centre, 上传临时素材 (path 90253): above 5 bytes; pictures up to 10 MB as JPG or
/// PNG, voice up to 2 MB as AMR, other files up to 20 MB.
#[derive(Clone, Copy)]
pub(super) enum Media {
    /// A picture.
    Image,
    /// A voice clip.
    Voice,
    /// Any other file.
    File,
}

impl Media {
    fn bytes_max(self) -> u64 {
        match self {
            Self::Image => 10 << 20,
            Self::Voice => 2 << 20,
            Self::File => 20 << 20,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Image => "图片",
            Self::Voice => "语音",
            Self::File => "文件",
        }
    }

    /// Endings of file names that WeCom takes; empty for any.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Image => &["jpg", "jpeg", "png"],
            Self::Voice => &["amr"],
            Self::File => &[],
        }
    }
}

/// Smaller files are refused by WeCom.
const BYTES_MIN: u64 = 6;

/// What is wrong with an attached file.
pub(super) fn findings(dir: &Path, path: &str, media: Media, source: &Source) -> Vec<Finding> {
    let bytes = match file_below(dir, path) {
        Ok((_path, bytes)) => bytes,
        Err(error) => return vec![path_finding(source.clone(), path, &error)],
    };
    let mut findings = Vec::new();
    let limit = media.bytes_max();
    if bytes > limit || bytes < BYTES_MIN {
        let (name, path) = (media.name(), shown(path));
        let message = format!("{name}“{path}”有 {bytes} 字节，企业微信要求 {BYTES_MIN} 到 {limit} 字节。");
        findings.push(Finding::error("attachment-size", source.clone(), message, "压缩，或者换成链接。"));
    }
    let ending =
        Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    if !media.endings().is_empty() && !media.endings().contains(&ending.as_str()) {
        let (name, path, endings) = (media.name(), shown(path), media.endings().join("、"));
        let message = format!("{name}“{path}”不是企业微信支持的格式（{endings}）。");
        findings.push(Finding::warning(
            "attachment-format",
            source.clone(),
            message,
            "转换格式；只在网页上用就不用管。",
        ));
    }
    findings
}

/// A path that leads to no file of the folder.
pub(super) fn path_finding(source: Source, path: &str, error: &PathError) -> Finding {
    let path = shown(path);
    match error {
        PathError::Outside { .. } => {
            let message = format!("路径“{path}”离开了机器人的文件夹，或者不是相对路径。");
            Finding::error("attachment-path", source, message, "写成 attachments/文件名，中间用 / 隔开。")
        }
        PathError::Link { .. } => {
            let message = format!("路径“{path}”经过符号链接。");
            Finding::error("attachment-path", source, message, "把真正的文件复制到机器人的文件夹里。")
        }
        PathError::NotFile { .. } => {
            Finding::error("attachment-missing", source, format!("“{path}”不是文件。"), "写到具体的文件名。")
        }
        PathError::Io { .. } if error.is_missing() => Finding::error(
            "attachment-missing",
            source,
            format!("文件“{path}”不存在。"),
            "把文件放进去，或者改正文件名。",
        ),
        PathError::Io { source: cause, .. } => Finding::error(
            "attachment-missing",
            source,
            format!("文件“{path}”打不开：{cause}。"),
            "检查文件权限。",
        ),
    }
}
