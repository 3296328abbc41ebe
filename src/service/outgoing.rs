//! A call to WeCom, as it waits to be made.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

/// What writes to a member.
pub const TO_MEMBER: &str = "message/send";

/// A call of an app's.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Outgoing {
    /// What is called, below `/cgi-bin/`.
    pub path: String,
    /// Its body.
    pub json: Value,
    /// The body of the same call in words, for a file that WeCom no longer has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<Value>,
}

impl Outgoing {
    /// A call that is the same whatever WeCom has.
    #[must_use]
    pub fn new(path: &str, json: Value) -> Self {
        Self { path: path.to_owned(), json, instead: None }
    }

    /// As the store keeps it.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!(self).to_string()
    }

    /// From what the store kept; `None` for what is no call of this program's.
    #[must_use]
    pub fn read(stored: &str) -> Option<Self> {
        serde_json::from_str(stored).ok()
    }

    /// Its file, where it sends one.
    #[must_use]
    pub fn media_id(&self) -> Option<&str> {
        self.json[self.json["msgtype"].as_str()?]["media_id"].as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_back_and_those_of_earlier_versions_too() {
        let json = json!({ "msgtype": "image", "image": { "media_id": "m1" }, "touser": "wm1" });
        let call =
            Outgoing { instead: Some(json!({ "msgtype": "text" })), ..Outgoing::new("kf/send_msg", json) };
        assert_eq!(Outgoing::read(&call.to_json()), Some(call.clone()));
        assert_eq!(call.media_id(), Some("m1"));
        let earlier = r#"{"path": "message/send", "json": {"msgtype": "text", "text": {"content": "好"}}}"#;
        let earlier = Outgoing::read(earlier).unwrap();
        assert_eq!(
            (earlier.path.as_str(), &earlier.instead, earlier.media_id()),
            ("message/send", &None, None)
        );
        assert_eq!(Outgoing::read("{}"), None);
    }
}
