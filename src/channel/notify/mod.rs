//! Ways to people outside of the inbox: DingTalk, SMS by Aliyun and by Tencent, robots of WeCom groups.
//!
//! All of it is a calculation: what is to be posted, and what an answer means. The caller brings the time and the random
//! words, posts the request, and shows neither address nor headers to anybody, because they carry keys and phone numbers.

pub mod aliyun;
pub mod dingtalk;
pub mod robot;
pub mod tencent;

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use reqwest::Url;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

use crate::secret::Secret;
use crate::text::hex::lower_hex;

/// Something to be posted.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where.
    pub url: Secret,
    /// Headers beside `host` and `content-length`.
    pub headers: Vec<(&'static str, Secret)>,
    /// What.
    pub body: Vec<u8>,
}

/// What an answer means for the words that were posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// They were taken.
    Taken,
    /// The same a little later may do.
    Later {
        /// The other side's code; none of its words, which may quote keys and numbers.
        reason: String,
    },
    /// Too fast: the same when the window is over.
    NextWindow {
        /// As above.
        reason: String,
    },
    /// No repetition helps.
    Refused {
        /// As above.
        reason: String,
    },
}

/// Why words cannot be posted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// There is too much of something.
    #[error("{what} has {len} {unit}, more than the limit of {limit}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much.
        len: usize,
        /// Counted in what.
        unit: &'static str,
        /// The most that is taken.
        limit: usize,
    },
    /// There is too little of something.
    #[error("{what} has {len} {unit}, fewer than the {least} that it takes")]
    TooLittle {
        /// Of what.
        what: &'static str,
        /// How much.
        len: usize,
        /// Counted in what.
        unit: &'static str,
        /// The least that is taken.
        least: usize,
    },
}

impl Answer {
    fn later(reason: impl Into<String>) -> Self {
        Self::Later { reason: reason.into() }
    }

    fn next_window(reason: impl Into<String>) -> Self {
        Self::NextWindow { reason: reason.into() }
    }

    fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }
}

/// Checks how much there is of something.
fn within(
    what: &'static str,
    (len, unit): (usize, &'static str),
    range: std::ops::RangeInclusive<usize>,
) -> Result<(), LimitError> {
    let (least, limit) = (*range.start(), *range.end());
    if len < least {
        return Err(LimitError::TooLittle { what, len, unit, least });
    }
    if len > limit {
        return Err(LimitError::TooMuch { what, len, unit, limit });
    }
    Ok(())
}

/// Checks a text that must say something.
fn text_within(what: &'static str, text: &str, bytes_max: usize) -> Result<(), LimitError> {
    within(what, (text.len(), "bytes"), 1..=bytes_max)
}

/// A request whose body is JSON.
fn json_request(url: Secret, body: &Value) -> Request {
    let headers = vec![("content-type", Secret::new("application/json; charset=utf-8"))];
    Request { url, headers, body: body.to_string().into_bytes() }
}

/// The object that was answered.
fn object(status: u16, body: &[u8]) -> Result<Value, Answer> {
    let value = serde_json::from_slice(body).ok().filter(Value::is_object);
    value.ok_or_else(|| foreign(status))
}

/// An answer that is not the other side's: a proxy's page, an overloaded gateway.
fn foreign(status: u16) -> Answer {
    let reason = format!("status {status}");
    if status >= 500 || status == 429 || status == 200 {
        Answer::later(reason)
    } else {
        Answer::refused(reason)
    }
}

/// The code of an answer of WeCom's or of DingTalk's old style, with its words.
fn errcode(status: u16, body: &[u8]) -> Result<(i64, String), Answer> {
    let value = object(status, body)?;
    let code = value["errcode"].as_i64().ok_or_else(|| foreign(status))?;
    Ok((code, value["errmsg"].as_str().unwrap_or_default().to_owned()))
}

fn hmac_sha256(key: &[u8], words: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(words.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sha256_hex(bytes: &[u8]) -> String {
    lower_hex(&Sha256::digest(bytes))
}

/// Host, and port where it is not the scheme's own, as the header `host` has them.
fn authority(base: &Url) -> String {
    let host = base.host_str().unwrap_or_default();
    base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The vectors of the signatures; `tests/data/wecom-vectors.json` says where each is from.
#[cfg(test)]
fn vectors(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../../tests/data/wecom-vectors.json"))
        .expect("the vectors are JSON");
    all["request_signatures"][kind].as_array().expect("a list of vectors").clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_nobody_we_know_is_told_by_its_status() {
        for (status, helps) in [(200, true), (502, true), (429, true), (404, false), (302, false)] {
            for body in ["<html>", "[]", "", r#"{"ok":1}"#] {
                let answer = errcode(status, body.as_bytes()).unwrap_err();
                assert_eq!(matches!(answer, Answer::Later { .. }), helps, "{status} {body}");
            }
        }
        assert_eq!(errcode(200, br#"{"errcode":7,"errmsg":"no"}"#), Ok((7, "no".to_owned())));
    }

    #[test]
    fn a_limit_is_named_with_the_value_that_breaks_it() {
        assert_eq!(within("text", (2, "bytes"), 1..=2), Ok(()));
        let told = |len| within("text", (len, "bytes"), 1..=2).unwrap_err().to_string();
        assert_eq!(told(3), "text has 3 bytes, more than the limit of 2");
        assert_eq!(told(0), "text has 0 bytes, fewer than the 1 that it takes");
    }

    #[test]
    fn the_host_has_its_port_where_it_is_no_usual_one() {
        let host = |url: &str| authority(&Url::parse(url).unwrap());
        assert_eq!(host("https://dysmsapi.aliyuncs.com"), "dysmsapi.aliyuncs.com");
        assert_eq!(host("https://dysmsapi.aliyuncs.com:443/"), "dysmsapi.aliyuncs.com");
        assert_eq!(host("http://127.0.0.1:8080/x"), "127.0.0.1:8080");
    }

    #[test]
    fn a_request_shows_no_key() {
        let request = json_request(Secret::new("https://x.test/send?key=abc"), &Value::Null);
        assert!(!format!("{request:?}").contains("abc"));
    }
}
