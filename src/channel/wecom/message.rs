//! The decrypted message of a callback, typed.
//!
//! Source: WeCom developer centre, 消息格式 (path 90239). New message types and events appear without notice: they are
//! read as `Unknown`, because an error would make WeCom send them again.

use sha2::Digest;
use sha2::Sha256;

use crate::channel::wecom::event;
use crate::channel::wecom::event::Event;
use crate::channel::wecom::xml::Element;
use crate::channel::wecom::xml::XmlError;
use crate::channel::wecom::xml::without_illegal;
use crate::message::Content;
use crate::text::hex::lower_hex;

/// The sender of events that no member caused.
const SYSTEM_USER: &str = "sys";

/// One message or event. Text fields are empty where the sender left them out.
#[derive(Clone, Debug, PartialEq)]
pub struct CallbackMessage {
    /// CorpID of the company it is for.
    pub to_user: String,
    /// UserID of the member who caused it; `sys` or empty where nobody did.
    pub from_user: String,
    /// Unix seconds on WeCom's clock; 0 where absent.
    pub created_at: i64,
    /// The app it was sent to; absent from events that concern the whole company.
    pub agent_id: Option<i64>,
    /// Id of a message; events have none.
    pub msg_id: Option<u64>,
    /// What was sent or happened.
    pub body: Body,
}

/// What was sent or happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Typed words.
    Text {
        /// The words.
        content: String,
    },
    /// A picture.
    Image {
        /// Address of the picture.
        pic_url: String,
        /// Id for fetching it within 3 days.
        media_id: String,
    },
    /// A voice message.
    Voice {
        /// Id for fetching it within 3 days.
        media_id: String,
        /// `amr`, `speex` and the like.
        format: String,
    },
    /// A video.
    Video {
        /// Id for fetching it within 3 days.
        media_id: String,
        /// Id for fetching its still picture.
        thumb_media_id: String,
    },
    /// A place on the map.
    Location {
        /// Degrees, north positive.
        latitude: Option<f64>,
        /// Degrees, east positive.
        longitude: Option<f64>,
        /// Zoom of the map.
        scale: Option<u32>,
        /// Address in words.
        label: String,
        /// `wxwork` from WeCom; absent from WeChat.
        app_type: Option<String>,
    },
    /// A shared link.
    Link {
        /// Title of the page.
        title: String,
        /// Words below the title.
        description: String,
        /// Address of the page.
        url: String,
        /// Address of its picture.
        pic_url: String,
    },
    /// Something happened.
    Event(Event),
    /// A type or an event that this build does not know: acknowledge it.
    Unknown {
        /// The message type.
        msg_type: String,
        /// The event, where the type is `event`.
        event: Option<String>,
        /// The change, where the event is one.
        change_type: Option<String>,
    },
}

impl CallbackMessage {
    /// Reads a decrypted message, control characters left out: customers' clients do send them.
    ///
    /// # Errors
    /// XML that is malformed, over the limits, with a DTD, or not rooted in `xml`. Unknown or missing fields are none.
    pub fn parse(plaintext: &str) -> Result<Self, XmlError> {
        let root = Element::parse(&without_illegal(plaintext))?;
        Ok(Self {
            to_user: root.text("ToUserName"),
            from_user: root.text("FromUserName"),
            created_at: root.number("CreateTime").unwrap_or_default(),
            agent_id: root.number("AgentID"),
            msg_id: root.number("MsgId"),
            body: body(&root),
        })
    }

    /// What stays the same when WeCom delivers the same thing again, and differs between any two things.
    ///
    /// The vendor's advice for events, sender and second, merges two customers of one second. A repeated delivery
    /// carries the identical plaintext, so its hash serves.
    ///
    /// * `plaintext`: what [`CallbackMessage::parse`] was given.
    /// * Returns `msg:` and the message id, else `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn dedupe_key(&self, plaintext: &str) -> String {
        match self.msg_id {
            Some(id) => format!("msg:{id}"),
            None => format!("sha256:{}", lower_hex(&Sha256::digest(plaintext))),
        }
    }

    /// WeCom's id of its picture, voice or video, for three days.
    #[must_use]
    pub fn media_id(&self) -> Option<&str> {
        match &self.body {
            Body::Image { media_id, .. } | Body::Voice { media_id, .. } | Body::Video { media_id, .. } => {
                Some(media_id.as_str()).filter(|id| !id.is_empty())
            }
            Body::Text { .. }
            | Body::Location { .. }
            | Body::Link { .. }
            | Body::Event(_)
            | Body::Unknown { .. } => None,
        }
    }

    /// What there is to answer; `None` when acknowledging is all: most events, and whatever no person sent.
    #[must_use]
    pub fn content(&self) -> Option<Content> {
        if self.from_user.is_empty() || self.from_user == SYSTEM_USER {
            return None;
        }
        match &self.body {
            Body::Text { content } => Some(Content::Text(content.clone())),
            Body::Image { .. } => Some(Content::Image),
            Body::Voice { .. } => Some(Content::Voice),
            Body::Video { .. } => Some(Content::Video),
            Body::Location { label, .. } => Some(Content::Location { label: label.clone() }),
            Body::Link { title, .. } => Some(Content::Link { title: title.clone() }),
            Body::Event(Event::Subscribe | Event::EnterAgent) => Some(Content::Entered),
            Body::Event(_) | Body::Unknown { .. } => None,
        }
    }
}

fn body(root: &Element) -> Body {
    let msg_type = root.text("MsgType");
    match msg_type.as_str() {
        "text" => Body::Text { content: root.text("Content") },
        "image" => Body::Image { pic_url: root.text("PicUrl"), media_id: root.text("MediaId") },
        "voice" => Body::Voice { media_id: root.text("MediaId"), format: root.text("Format") },
        "video" => Body::Video { media_id: root.text("MediaId"), thumb_media_id: root.text("ThumbMediaId") },
        "location" => Body::Location {
            latitude: root.number("Location_X"),
            longitude: root.number("Location_Y"),
            scale: root.number("Scale"),
            label: root.text("Label"),
            app_type: root.optional("AppType"),
        },
        "link" => Body::Link {
            title: root.text("Title"),
            description: root.text("Description"),
            url: root.text("Url"),
            pic_url: root.text("PicUrl"),
        },
        "event" => event::read(root).map_or_else(|| unknown(root, msg_type), Body::Event),
        _ => unknown(root, msg_type),
    }
}

fn unknown(root: &Element, msg_type: String) -> Body {
    Body::Unknown { msg_type, event: root.optional("Event"), change_type: root.optional("ChangeType") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = "<ToUserName><![CDATA[ww1]]></ToUserName><FromUserName><![CDATA[user01]]></FromUserName><CreateTime>1735689601</CreateTime>";

    fn parse(msg_type: &str, fields: &str) -> CallbackMessage {
        let plaintext = format!(
            "<xml>{HEAD}<MsgType><![CDATA[{msg_type}]]></MsgType>{fields}<AgentID>1000002</AgentID></xml>"
        );
        CallbackMessage::parse(&plaintext).expect("sound XML")
    }

    #[track_caller]
    fn check(msg_type: &str, fields: &str, body: Body, content: Option<Content>) {
        let message = parse(msg_type, fields);
        assert_eq!(message.content(), content, "{fields}");
        let expected = CallbackMessage {
            to_user: "ww1".to_owned(),
            from_user: "user01".to_owned(),
            created_at: 1_735_689_601,
            agent_id: Some(1_000_002),
            msg_id: None,
            body,
        };
        assert_eq!(message, expected, "{fields}");
    }

    #[test]
    fn every_message_type_is_typed() {
        let (media_id, pic_url) = ("m1".to_owned(), "https://a.example/p".to_owned());
        let (media, pic) = ("<MediaId>m1</MediaId>", "<PicUrl><![CDATA[https://a.example/p]]></PicUrl>");
        check(
            "text",
            "<Content><![CDATA[怎么退货]]></Content>",
            Body::Text { content: "怎么退货".to_owned() },
            Some(Content::Text("怎么退货".to_owned())),
        );
        check(
            "image",
            &format!("{pic}{media}"),
            Body::Image { pic_url: pic_url.clone(), media_id: media_id.clone() },
            Some(Content::Image),
        );
        check(
            "voice",
            &format!("{media}<Format>amr</Format>"),
            Body::Voice { media_id: media_id.clone(), format: "amr".to_owned() },
            Some(Content::Voice),
        );
        check(
            "video",
            &format!("{media}<ThumbMediaId>t1</ThumbMediaId>"),
            Body::Video { media_id, thumb_media_id: "t1".to_owned() },
            Some(Content::Video),
        );
        check(
            "location",
            "<Location_X>23.134</Location_X><Location_Y>113.358</Location_Y><Scale>20</Scale><Label><![CDATA[某路1号]]></Label><AppType>wxwork</AppType>",
            Body::Location {
                latitude: Some(23.134),
                longitude: Some(113.358),
                scale: Some(20),
                label: "某路1号".to_owned(),
                app_type: Some("wxwork".to_owned()),
            },
            Some(Content::Location { label: "某路1号".to_owned() }),
        );
        check(
            "link",
            &format!("<Title>标题</Title><Description>说明</Description><Url>https://a.example</Url>{pic}"),
            Body::Link {
                title: "标题".to_owned(),
                description: "说明".to_owned(),
                url: "https://a.example".to_owned(),
                pic_url,
            },
            Some(Content::Link { title: "标题".to_owned() }),
        );
    }

    #[test]
    fn only_opening_the_app_is_an_event_to_answer() {
        check("event", "<Event>enter_agent</Event>", Body::Event(Event::EnterAgent), Some(Content::Entered));
        check("event", "<Event>subscribe</Event>", Body::Event(Event::Subscribe), Some(Content::Entered));
        check("event", "<Event>unsubscribe</Event>", Body::Event(Event::Unsubscribe), None);
        check(
            "event",
            "<Event>click</Event><EventKey>k</EventKey>",
            Body::Event(Event::Click { key: "k".to_owned() }),
            None,
        );
    }

    #[test]
    fn what_we_do_not_know_is_acknowledged() {
        let unknown = |msg_type: &str, event: Option<&str>, change_type: Option<&str>| Body::Unknown {
            msg_type: msg_type.to_owned(),
            event: event.map(str::to_owned),
            change_type: change_type.map(str::to_owned),
        };
        check("hologram", "<Content>x</Content>", unknown("hologram", None, None), None);
        check("", "", unknown("", None, None), None);
        check("event", "<Event>brand_new</Event>", unknown("event", Some("brand_new"), None), None);
        check(
            "event",
            "<Event>change_contact</Event><ChangeType>new</ChangeType>",
            unknown("event", Some("change_contact"), Some("new")),
            None,
        );
    }

    #[test]
    fn what_no_person_sent_is_not_answered() {
        for from in ["", "<FromUserName>sys</FromUserName>"] {
            let plaintext = format!("<xml>{from}<MsgType>event</MsgType><Event>enter_agent</Event></xml>");
            assert_eq!(CallbackMessage::parse(&plaintext).expect("sound XML").content(), None, "{from}");
        }
    }

    #[test]
    fn control_characters_in_a_customers_text_are_left_out() {
        let message = parse("text", "<Content><![CDATA[a\u{2}b\u{10}c\u{1d}\u{0}\u{ffff}\td\n]]></Content>");
        assert_eq!(message.body, Body::Text { content: "abc\td\n".to_owned() });
    }

    #[test]
    fn a_text_may_look_like_markup() {
        let message =
            parse("text", "<Content><![CDATA[<xml><!DOCTYPE html>&nbsp; ]]]]><![CDATA[>]]></Content>");
        assert_eq!(message.body, Body::Text { content: "<xml><!DOCTYPE html>&nbsp; ]]>".to_owned() });
    }

    #[test]
    fn a_text_cut_inside_its_cdata_is_refused() {
        let error = CallbackMessage::parse("<xml><MsgType>text</MsgType><Content><![CDATA[怎么")
            .expect_err("broken off");
        assert_eq!(error.code(), -40002);
    }

    #[test]
    fn unreadable_numbers_are_absent() {
        let plaintext = "<xml><CreateTime>soon</CreateTime><AgentID></AgentID><MsgId>-1</MsgId></xml>";
        let message = CallbackMessage::parse(plaintext).expect("sound XML");
        assert_eq!((message.created_at, message.agent_id, message.msg_id), (0, None, None));
    }

    #[test]
    fn message_ids_keep_all_64_bits() {
        let message = parse("text", "<MsgId> 18446744073709551615 </MsgId>");
        assert_eq!(message.dedupe_key("any"), "msg:18446744073709551615");
    }

    #[test]
    fn events_of_one_second_have_different_keys() {
        let event = |customer: &str| {
            let plaintext = format!(
                "<xml>{HEAD}<MsgType>event</MsgType><Event>change_external_contact</Event><ChangeType>del_follow_user</ChangeType><ExternalUserID>{customer}</ExternalUserID></xml>"
            );
            CallbackMessage::parse(&plaintext).expect("sound XML").dedupe_key(&plaintext)
        };
        assert_ne!(event("wm1"), event("wm2"));
        assert_eq!(event("wm1"), event("wm1"));
        // printf '' | sha256sum
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(parse("event", "").dedupe_key(""), empty);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(words in r"(<xml>|</xml>|<MsgType>|</MsgType>|event|<Event>|</Event>|<!\[CDATA\[|\]\]>|<|&|;|\PC|[\x00-\x1f]){0,60}") {
            let _outcome = CallbackMessage::parse(&words);
        }

        #[test]
        fn any_field_of_any_kind_is_read(msg_type in "(text|location|event|link)", event in "(LOCATION|template_card_event|pic_weixin|location_select|change_external_chat|[a-z_]{0,9})", value in r"[^<&\x00-\x1f]{0,12}") {
            let fields = format!("<Event>{event}</Event><ChangeType>update</ChangeType><Location_X>{value}</Location_X><SendPicsInfo>{value}</SendPicsInfo><SelectedItems><SelectedItem>{value}</SelectedItem></SelectedItems><MemChangeList>{value}</MemChangeList>");
            prop_assert_eq!(parse(&msg_type, &fields).agent_id, Some(1_000_002));
        }
    }
}
