//! The outer wrapping of a callback and of its reply: all that travels in the clear.
//!
//! Read before the signature can be checked, so nothing in it is to be trusted but what `crypto` then vouches for:
//! `encrypt`. The same address may get XML (apps) or JSON (智能机器人), told apart by the first character.

use std::fmt::Write;

use quick_xml::escape::escape;

use crate::channel::wecom::crypto::Sealed;
use crate::channel::wecom::xml::DOCUMENT_BYTES_MAX;
use crate::channel::wecom::xml::Element;
use crate::channel::wecom::xml::XmlError;
use crate::channel::wecom::xml::push_cdata;

/// Most bytes of a callback's body; the HTTP layer reads no further.
pub const ENVELOPE_BYTES_MAX: usize = DOCUMENT_BYTES_MAX;

/// Why a callback's body could not be read. Quotes nothing of it: a stranger may have written it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// The body is larger than any callback.
    #[error("envelope of {bytes} bytes is larger than {ENVELOPE_BYTES_MAX} bytes")]
    TooLarge {
        /// Size of the body.
        bytes: usize,
    },
    /// The body is not text.
    #[error("envelope is not utf-8")]
    NotUtf8(#[source] std::str::Utf8Error),
    /// The body is not the XML we know.
    #[error("envelope is not readable as xml")]
    Xml(#[from] XmlError),
    /// The body starts like JSON but is none, or its fields have other types.
    #[error("envelope is not readable as json, line {line} column {column}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// There is no encrypted message in it.
    #[error("envelope holds no encrypted message")]
    NoEncrypt,
}

impl EnvelopeError {
    /// The code that the vendor's sample libraries give for an unreadable envelope: `-40002`, ParseXml_Error.
    #[must_use]
    pub fn code(&self) -> i32 {
        -40002
    }
}

/// A callback's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The encrypted message, exactly as sent: the signature covers these characters. Never empty.
    pub encrypt: String,
    /// CorpID or suite id that the sender says it writes to; unsigned.
    pub to_user: Option<String>,
    /// The app that the sender says it writes to; unsigned, and only on callbacks of apps.
    pub agent_id: Option<i64>,
}

/// The JSON form, of which only `encrypt` is always there.
#[derive(serde::Deserialize)]
struct JsonEnvelope {
    encrypt: Option<String>,
    tousername: Option<String>,
    agentid: Option<JsonAgentId>,
}

/// Senders write the id of an app as a number or as a string.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum JsonAgentId {
    Number(i64),
    Text(String),
}

impl Envelope {
    /// Reads the body of a callback, XML or JSON.
    ///
    /// # Errors
    /// A body over the limit, not UTF-8, not readable, or without an encrypted message.
    pub fn parse(body: &[u8]) -> Result<Self, EnvelopeError> {
        if body.len() > ENVELOPE_BYTES_MAX {
            return Err(EnvelopeError::TooLarge { bytes: body.len() });
        }
        let text = std::str::from_utf8(body).map_err(EnvelopeError::NotUtf8)?;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let envelope = if text.starts_with('{') { Self::parse_json(text)? } else { Self::parse_xml(text)? };
        if envelope.encrypt.is_empty() {
            return Err(EnvelopeError::NoEncrypt);
        }
        Ok(envelope)
    }

    fn parse_xml(text: &str) -> Result<Self, EnvelopeError> {
        let root = Element::parse(text)?;
        Ok(Self {
            encrypt: root.text("Encrypt"),
            to_user: root.optional("ToUserName"),
            agent_id: root.number("AgentID"),
        })
    }

    fn parse_json(text: &str) -> Result<Self, EnvelopeError> {
        // serde's own error is dropped: it quotes the value that it did not expect.
        let json: JsonEnvelope = serde_json::from_str(text)
            .map_err(|error| EnvelopeError::Json { line: error.line(), column: error.column() })?;
        Ok(Self {
            encrypt: json.encrypt.unwrap_or_default(),
            to_user: json.tousername.filter(|id| !id.is_empty()),
            agent_id: json.agentid.and_then(|id| match id {
                JsonAgentId::Number(id) => Some(id),
                JsonAgentId::Text(id) => id.trim().parse().ok(),
            }),
        })
    }
}

/// The body of a passive reply in the XML form.
///
/// Source: WeCom developer centre, 被动回复消息 (path 90241): the timestamp is bare digits, the rest CDATA.
#[must_use]
pub fn reply_xml(sealed: &Sealed) -> String {
    let mut xml = String::with_capacity(sealed.encrypt.len() + 256);
    xml.push_str("<xml>");
    push_cdata(&mut xml, "Encrypt", &sealed.encrypt);
    push_cdata(&mut xml, "MsgSignature", &sealed.msg_signature);
    // Escaped although digits need none: the caller may hand on the timestamp of a request.
    write!(xml, "<TimeStamp>{}</TimeStamp>", escape(&sealed.timestamp))
        .expect("writing to a String cannot fail");
    push_cdata(&mut xml, "Nonce", &sealed.nonce);
    xml.push_str("</xml>");
    xml
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(body: &str, to_user: Option<&str>, agent_id: Option<i64>) {
        let expected =
            Envelope { encrypt: "QUJD+/==".to_owned(), to_user: to_user.map(str::to_owned), agent_id };
        assert_eq!(Envelope::parse(body.as_bytes()), Ok(expected), "{body}");
    }

    #[test]
    fn xml_forms_read_alike() {
        let (to_user, encrypt) =
            ("<ToUserName><![CDATA[ww1]]></ToUserName>", "<Encrypt><![CDATA[QUJD+/==]]></Encrypt>");
        check(
            &format!("<xml>{to_user}{encrypt}<AgentID><![CDATA[1000002]]></AgentID></xml>"),
            Some("ww1"),
            Some(1_000_002),
        );
        check(
            &format!("<xml>\n <AgentID>1000002</AgentID>\n {encrypt}\n {to_user}\n</xml>"),
            Some("ww1"),
            Some(1_000_002),
        );
        check(
            &format!("\u{feff}\n<xml>{encrypt}<AgentID><![CDATA[]]></AgentID><New>1</New></xml>"),
            None,
            None,
        );
        check("<xml><Encrypt>QUJD+/==</Encrypt><ToUserName></ToUserName></xml>", None, None);
    }

    #[test]
    fn json_forms_read_alike() {
        check(r#"{"encrypt":"QUJD+/=="}"#, None, None);
        check(
            " \n{\"tousername\":\"ww1\",\"encrypt\":\"QUJD+\\/==\",\"agentid\":218,\"more\":[1]}",
            Some("ww1"),
            Some(218),
        );
        check(r#"{"agentid":"218","encrypt":"QUJD+/==","tousername":""}"#, None, Some(218));
    }

    #[test]
    fn a_body_without_encrypted_message_is_refused() {
        for body in [
            "<xml/>",
            "<xml><Encrypt/></xml>",
            "<xml><A><Encrypt>QQ==</Encrypt></A></xml>",
            "{}",
            r#"{"encrypt":""}"#,
            r#"{"encrypt":null}"#,
        ] {
            assert_eq!(Envelope::parse(body.as_bytes()), Err(EnvelopeError::NoEncrypt), "{body}");
        }
    }

    #[test]
    fn unreadable_bodies_are_refused() {
        let refused = |body: &[u8]| Envelope::parse(body).expect_err("an unreadable body");
        assert!(matches!(refused(b""), EnvelopeError::Xml(XmlError::NotWellFormed { .. })));
        assert!(matches!(refused(b"encrypt=QQ=="), EnvelopeError::Xml(XmlError::NotWellFormed { .. })));
        assert!(matches!(
            refused(b"<!DOCTYPE xml><xml><Encrypt>QQ==</Encrypt></xml>"),
            EnvelopeError::Xml(XmlError::Doctype { .. })
        ));
        assert!(matches!(refused(b"<xml>\xff</xml>"), EnvelopeError::NotUtf8(_)));
        assert!(matches!(refused(b"{\"encrypt\":1}"), EnvelopeError::Json { line: 1, .. }));
        assert!(matches!(refused(b"{\"encrypt\":\"QQ==\""), EnvelopeError::Json { .. }));
        assert_eq!(refused(b"").code(), -40002);
        let nested = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(matches!(refused(nested.as_bytes()), EnvelopeError::Json { .. }));
    }

    #[test]
    fn a_body_over_the_limit_is_refused_before_it_is_read() {
        let bytes = ENVELOPE_BYTES_MAX + 1;
        assert_eq!(Envelope::parse(&vec![b'<'; bytes]), Err(EnvelopeError::TooLarge { bytes }));
    }

    #[test]
    fn errors_quote_nothing_of_the_body() {
        for body in [r#"{"encrypt":["private"]}"#, "<xml><private></xml>"] {
            let error = Envelope::parse(body.as_bytes()).expect_err("an unreadable body");
            assert!(!format!("{error} {error:?}").contains("private"), "{error:?}");
        }
    }

    #[test]
    fn a_foreign_timestamp_cannot_add_elements() {
        let sealed = Sealed {
            encrypt: "QQ==".to_owned(),
            msg_signature: "00".to_owned(),
            timestamp: "1</TimeStamp><Encrypt>".to_owned(),
            nonce: "]]><Nonce>".to_owned(),
        };
        let root = Element::parse(&reply_xml(&sealed)).expect("sound XML");
        assert_eq!((root.text("TimeStamp"), root.text("Nonce")), (sealed.timestamp, sealed.nonce));
        assert_eq!(root.all_children().len(), 4);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, words in r#"(\{|\}|"|:|encrypt|<|>|/|Encrypt|xml|\PC){0,40}"#) {
            let _outcome = Envelope::parse(&bytes);
            let _outcome = Envelope::parse(words.as_bytes());
        }
    }
}
