//! 微信客服: the messages that `kf/sync_msg` lists, typed.
//!
//! Source: WeCom developer centre, 接收消息和事件 (path 94670). New types appear without notice: they are read as `Other`,
//! because a page that cannot be read would stop everything behind it.

use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

use crate::message::Content;
use crate::secret::Secret;
use crate::text::hex::lower_hex;

/// One page of messages.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncPage {
    /// Where the next page begins.
    pub next_cursor: String,
    /// Whether there is one already.
    pub has_more: bool,
    /// The messages, each as it came, in the order in which they were sent.
    pub items: Vec<Value>,
}

impl SyncPage {
    /// Reads an answer; `None` where it has no cursor to go on from.
    #[must_use]
    pub fn read(answer: &Value) -> Option<Self> {
        let next_cursor = answer["next_cursor"].as_str().filter(|cursor| !cursor.is_empty())?.to_owned();
        let mut items = answer["msg_list"].as_array().cloned().unwrap_or_default();
        // Within a second they stay as they came.
        items.sort_by_key(|item| item["send_time"].as_i64().unwrap_or_default());
        Some(Self { next_cursor, has_more: answer["has_more"].as_i64() == Some(1), items })
    }
}

/// Who caused a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The customer.
    Customer,
    /// WeCom.
    System,
    /// A member, in the WeCom client.
    Servicer,
    /// Somebody that this build does not know.
    Other,
}

/// One message or event.
#[derive(Clone, Debug, PartialEq)]
pub struct KfItem {
    /// What tells it from all others of its account: its id, or its hash where it has none.
    pub key: String,
    /// The account.
    pub open_kfid: String,
    /// The customer.
    pub external_userid: String,
    /// Unix seconds on WeCom's clock.
    pub send_time: i64,
    /// Who caused it.
    pub origin: Origin,
    /// What it is.
    pub body: KfBody,
    /// WeCom's id of its picture, voice, video or file, for three days.
    pub media_id: Option<String>,
}

/// What a servicer does in the WeCom client. The interface may not write to the customer meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Servicing {
    /// They speak with the customer from now on.
    Took,
    /// They said something; empty for what are no words.
    Said(String),
    /// They are done.
    Ended,
}

/// What was sent or happened.
#[derive(Clone, Debug, PartialEq)]
pub enum KfBody {
    /// Something to answer.
    Content(Content),
    /// The customer came in through a link.
    EnterSession {
        /// For one greeting within 20 seconds; absent for who was greeted in the last two days.
        welcome_code: Option<Secret>,
    },
    /// A servicer did something with the talk in the WeCom client.
    SessionChange {
        /// 1: taken, 2: handed to another, 3: ended, 4: taken up again.
        change_type: i64,
    },
    /// A message of ours did not arrive after all.
    SendFail {
        /// Its id.
        msgid: String,
        /// Why, by WeCom's number.
        fail_type: i64,
    },
    /// Something else: nothing to answer.
    Other {
        /// Its type, or that of the event.
        kind: String,
    },
}

impl KfItem {
    /// Reads one message. Fields that are missing are empty.
    #[must_use]
    pub fn read(item: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let event = &item["event"];
        let of = |name: &str| match &item[name] {
            Value::String(own) => own.clone(),
            // An event names account and customer inside.
            _ => text(&event[name]),
        };
        let key = match item["msgid"].as_str() {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => format!("sha256:{}", lower_hex(&Sha256::digest(item.to_string()))),
        };
        Self {
            key,
            open_kfid: of("open_kfid"),
            external_userid: of("external_userid"),
            send_time: item["send_time"].as_i64().unwrap_or_default(),
            origin: match item["origin"].as_i64() {
                Some(3) => Origin::Customer,
                Some(4) => Origin::System,
                Some(5) => Origin::Servicer,
                _ => Origin::Other,
            },
            body: body(item),
            media_id: item["msgtype"]
                .as_str()
                .and_then(|kind| item[kind]["media_id"].as_str())
                .filter(|id| !id.is_empty())
                .map(str::to_owned),
        }
    }

    /// What a servicer did in the WeCom client, where one did.
    #[must_use]
    pub fn servicing(&self) -> Option<Servicing> {
        if self.external_userid.is_empty() {
            return None;
        }
        match (&self.body, self.origin) {
            (KfBody::SessionChange { change_type: 1 | 2 | 4 }, _) => Some(Servicing::Took),
            (KfBody::SessionChange { change_type: 3 }, _) => Some(Servicing::Ended),
            (KfBody::Content(content), Origin::Servicer) => {
                Some(Servicing::Said(content.as_text().to_owned()))
            }
            _ => None,
        }
    }

    /// What there is to answer; `None` where remembering is all.
    #[must_use]
    pub fn content(&self) -> Option<Content> {
        if self.external_userid.is_empty() {
            return None;
        }
        match (&self.body, self.origin) {
            (KfBody::Content(content), Origin::Customer) => Some(content.clone()),
            (KfBody::EnterSession { welcome_code: Some(_) }, _) => Some(Content::Entered),
            _ => None,
        }
    }
}

fn body(item: &Value) -> KfBody {
    let kind = item["msgtype"].as_str().unwrap_or_default();
    let inner = &item[kind];
    let text = |name: &str| inner[name].as_str().unwrap_or_default().to_owned();
    let content = match kind {
        "text" => Content::Text(text("content")),
        "image" => Content::Image,
        "voice" => Content::Voice,
        "video" => Content::Video,
        "file" => Content::File,
        "location" => {
            let label = [text("name"), text("address")];
            Content::Location { label: label.join(" ").trim().to_owned() }
        }
        "link" | "miniprogram" | "channels_shop_product" => Content::Link { title: text("title") },
        "event" => return event(inner),
        _ => return KfBody::Other { kind: kind.to_owned() },
    };
    KfBody::Content(content)
}

fn event(event: &Value) -> KfBody {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    match event["event_type"].as_str().unwrap_or_default() {
        "enter_session" => {
            let code = Some(text("welcome_code")).filter(|code| !code.is_empty());
            KfBody::EnterSession { welcome_code: code.map(Secret::new) }
        }
        "msg_send_fail" => KfBody::SendFail {
            msgid: text("fail_msgid"),
            fail_type: event["fail_type"].as_i64().unwrap_or_default(),
        },
        "session_status_change" => {
            KfBody::SessionChange { change_type: event["change_type"].as_i64().unwrap_or_default() }
        }
        kind => KfBody::Other { kind: kind.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of the interface's own page.
    fn page() -> SyncPage {
        SyncPage::read(&json!({
            "errcode": 0, "errmsg": "ok", "next_cursor": "cur_000123", "has_more": 0, "msg_list": [
                {"msgid": "m2", "send_time": 1_735_689_631, "origin": 4, "msgtype": "event", "event": {
                    "event_type": "enter_session", "open_kfid": "wkTEST1", "external_userid": "wmTEST1",
                    "scene": "poster07", "scene_param": "a%3D1", "welcome_code": "WC1"}},
                {"msgid": "m1", "open_kfid": "wkTEST1", "external_userid": "wmTEST1",
                    "send_time": 1_735_689_630, "origin": 3, "msgtype": "text", "text": {"content": "怎么退货"}},
            ]
        }))
        .unwrap()
    }

    #[test]
    fn a_page_is_read_in_the_order_of_sending() {
        let page = page();
        assert_eq!((page.next_cursor.as_str(), page.has_more), ("cur_000123", false));
        let items: Vec<KfItem> = page.items.iter().map(KfItem::read).collect();
        assert_eq!(items.iter().map(|item| item.key.as_str()).collect::<Vec<_>>(), ["m1", "m2"]);
        assert_eq!(items[0].content(), Some(Content::Text("怎么退货".to_owned())));
        assert!(items.iter().all(|item| item.open_kfid == "wkTEST1" && item.external_userid == "wmTEST1"));
        assert_eq!(items[1].content(), Some(Content::Entered));
    }

    #[test]
    fn what_nobody_said_to_the_bot_is_not_answered() {
        let base = json!({"msgid": "m", "open_kfid": "wk", "external_userid": "wm", "origin": 3});
        let with = |fields: Value| {
            let mut item = base.clone();
            item.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            KfItem::read(&item)
        };
        let by_servicer = with(json!({"origin": 5, "msgtype": "text", "text": {"content": "我来"}}));
        assert_eq!(by_servicer.content(), None);
        assert_eq!(by_servicer.servicing(), Some(Servicing::Said("我来".to_owned())));
        let changed = |change_type: i64| {
            let event = json!({"event_type": "session_status_change", "change_type": change_type});
            with(json!({"origin": 4, "msgtype": "event", "event": event})).servicing()
        };
        let (took, ended) = (Some(Servicing::Took), Some(Servicing::Ended));
        assert_eq!([1, 2, 3, 4, 5].map(changed), [took.clone(), took.clone(), ended, took, None]);
        let unknown = with(json!({"msgtype": "hologram", "hologram": {}}));
        assert_eq!((unknown.content(), unknown.body), (None, KfBody::Other { kind: "hologram".to_owned() }));
        let greeted = with(json!({"msgtype": "event", "event": {"event_type": "enter_session"}}));
        assert_eq!(greeted.content(), None);
        let failed = with(json!({"msgtype": "event", "event": {
            "event_type": "msg_send_fail", "fail_msgid": "x", "fail_type": 6}}));
        assert_eq!(failed.body, KfBody::SendFail { msgid: "x".to_owned(), fail_type: 6 });
        // Without an id, two different things are still two.
        let bare = |text: &str| KfItem::read(&json!({"msgtype": "text", "text": {"content": text}})).key;
        assert_ne!(bare("a"), bare("b"));
        assert_eq!(SyncPage::read(&json!({"errcode": 0, "msg_list": []})), None);
    }
}
