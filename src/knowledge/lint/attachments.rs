//! Attached files as WeCom takes them: there, below the bot's folder, of a size and kind it accepts.

use std::path::Path;

use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::folder::PathError;
use crate::knowledge::folder::file_below;
use crate::knowledge::shown;
use crate::message::Media;

/// What a kind of file is called.
fn name(media: Media) -> &'static str {
    match media {
        Media::Image => "图片",
        Media::Voice => "语音",
        Media::Video => "视频",
        Media::File => "文件",
    }
}

/// What is wrong with an attached file.
pub(super) fn findings(dir: &Path, path: &str, media: Media, source: &Source) -> Vec<Finding> {
    let bytes = match file_below(dir, path) {
        Ok((_path, bytes)) => bytes,
        Err(error) => return vec![path_finding(source.clone(), path, &error)],
    };
    let mut findings = Vec::new();
    let limit = media.bytes_max();
    if bytes > limit || bytes < Media::BYTES_MIN {
        let (name, path, min) = (name(media), shown(path), Media::BYTES_MIN);
        let message = format!("{name}“{path}”有 {bytes} 字节，企业微信要求 {min} 到 {limit} 字节。");
        findings.push(Finding::error("attachment-size", source.clone(), message, "压缩，或者换成链接。"));
    }
    let ending =
        Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    if !media.endings().is_empty() && !media.endings().contains(&ending.as_str()) {
        let (name, path, endings) = (name(media), shown(path), media.endings().join("、"));
        let message = format!("{name}“{path}”不是企业微信支持的格式（{endings}）。");
        findings.push(Finding::warning(
            "attachment-format",
            source.clone(),
            message,
            match media {
                Media::Voice => {
                    "用 `yingda voice` 转换，把得到的 .amr 放在同一个文件夹；只在网页上用就不用管。"
                }
                Media::Image | Media::Video | Media::File => "转换格式；只在网页上用就不用管。",
            },
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
