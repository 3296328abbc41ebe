//! What can hang on a welcome, or on the words at the end of a temporary talk.

use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::ledger::Ledger;
use crate::simulate::wecom::refusal::Refusal;

/// Most bytes of the text beside it.
pub(super) const TEXT_BYTES_MAX: usize = 4_000;

/// Checks the object called like its kind.
///
/// * Returns it as a phone shows it.
pub(super) fn read(fields: &Fields<'_>, kind: &str, ledger: &mut Ledger) -> Result<Value, Refusal> {
    let inner = fields.object(kind)?;
    match kind {
        "image" => {
            inner.known(&["media_id", "pic_url"], ledger);
            let (media, address) = (inner.text_if_any("media_id")?, inner.address_if_any("pic_url")?);
            let shown = media.or(address).ok_or_else(|| Refusal::new(41_006, "missing media_id"))?;
            Ok(json!({ "msgtype": kind, "media_id": media, "content": format!("[图片] {shown}") }))
        }
        "link" => {
            inner.known(&["title", "picurl", "desc", "url"], ledger);
            let title = inner.text("title", 41_016)?;
            inner.within("title", title, 128)?;
            inner.within("desc", inner.words_if_any("desc")?.unwrap_or_default(), 512)?;
            inner.address_if_any("picurl")?;
            let url = inner.address_if_any("url")?.ok_or_else(|| Refusal::new(40_058, "missing url"))?;
            Ok(json!({ "msgtype": kind, "title": title, "url": url, "content": format!("{title}\n{url}") }))
        }
        "miniprogram" => {
            inner.known(&["title", "pic_media_id", "appid", "page"], ledger);
            let title = inner.text("title", 41_016)?;
            inner.within("title", title, 64)?;
            inner.text("pic_media_id", 41_006)?;
            let (app_id, page) = (inner.text("appid", 40_058)?, inner.text("page", 40_058)?);
            Ok(json!({ "msgtype": kind, "appid": app_id, "page": page, "content": title }))
        }
        "video" | "file" => {
            inner.known(&["media_id"], ledger);
            Ok(json!({ "msgtype": kind, "media_id": inner.text("media_id", 41_006)? }))
        }
        _ => Err(Refusal::new(41_065, format!("attachment type {kind} is none"))),
    }
}

/// The text beside, where there is one.
pub(super) fn text<'r>(fields: &Fields<'r>, ledger: &mut Ledger) -> Result<Option<&'r str>, Refusal> {
    if !fields.has("text") {
        return Ok(None);
    }
    let inner = fields.object("text")?;
    inner.known(&["content"], ledger);
    let words = inner.words_if_any("content")?.unwrap_or_default();
    if words.len() > TEXT_BYTES_MAX {
        let told = format!("text has {} bytes, at most {TEXT_BYTES_MAX}", words.len());
        return Err(Refusal::new(45_002, told));
    }
    Ok(Some(words).filter(|words| !words.is_empty()))
}
