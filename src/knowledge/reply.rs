//! The shape of `replies.toml`: named replies, and the bot's standard sentences.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

/// All of `replies.toml`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Replies {
    /// Standard sentences that replace the built-in ones, by their names (see `reply::standard`).
    pub standard: BTreeMap<String, String>,
    /// Named replies.
    pub reply: BTreeMap<String, ReplySpec>,
}

/// A reply that rules and entries refer to by name.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct ReplySpec {
    /// Words; a template. May be empty where there are attachments.
    pub text: String,
    /// What follows the words.
    pub attachments: Vec<AttachmentSpec>,
}

/// The file that WeCom gets of a voice clip: the AMR of the same name, because pages play no AMR and WeCom nothing else.
///
/// ```
/// use yingda::knowledge::reply::wecom_voice;
///
/// assert_eq!(wecom_voice("attachments/quotation.mp3"), "attachments/quotation.amr");
/// ```
#[must_use]
pub fn wecom_voice(file: &str) -> String {
    let folder = file.rfind('/').map_or(0, |slash| slash + 1);
    let stem = file[folder..].rfind('.').map_or(file.len(), |dot| folder + dot);
    format!("{}.amr", &file[..stem])
}

/// One attachment.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum AttachmentSpec {
    /// A picture of the bot's folder.
    Image {
        /// Path below the bot's folder.
        file: String,
        /// What to call it.
        title: Option<String>,
        /// WeCom media id.
        media_id: Option<String>,
    },
    /// A card.
    Card {
        /// First line, at most 128 bytes on WeCom.
        title: String,
        /// Words, at most 512 bytes on WeCom.
        #[serde(default)]
        description: String,
        /// Where a tap leads.
        url: Option<String>,
        /// Path below the bot's folder, or an absolute address.
        picture: Option<String>,
    },
    /// A document.
    File {
        /// Path below the bot's folder.
        file: String,
        /// What to call it.
        title: String,
        /// Last day on which it may be handed out.
        valid_until: Option<Date>,
        /// Name of the reply with the current document, offered once this one has run out.
        current: Option<String>,
        /// WeCom media id.
        media_id: Option<String>,
    },
    /// A voice clip.
    Voice {
        /// Path below the bot's folder: an MP3 for pages, with the AMR of [`wecom_voice`] beside it.
        file: String,
        /// What to call it.
        title: Option<String>,
        /// WeCom media id.
        media_id: Option<String>,
    },
    /// A link.
    Link {
        /// Words of the link.
        title: String,
        /// Absolute address.
        url: String,
    },
}
