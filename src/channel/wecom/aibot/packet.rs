//! What goes back to a 智能机器人's callback: a text for who comes in, a stream for who asks.
//!
//! Source: WeCom developer centre, 智能机器人 被动回复消息 (path 101031), 加解密方案 (101033).

use serde::Serialize;

use crate::channel::wecom::crypto::CallbackKey;
use crate::channel::wecom::passive::Linked;
use crate::channel::wecom::passive::NOTHING_TO_SHOW;
use crate::channel::wecom::passive::as_words;
use crate::channel::wecom::passive::cut;
use crate::channel::wecom::passive::is_visible;
use crate::message::Asset;
use crate::message::Card;
use crate::message::Channel;
use crate::message::Part;
use crate::message::Reply;

/// What goes back in the response to a callback, before it is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// Plain words, in answer to an entered chat only.
    Text(String),
    /// All of an answer so far.
    Stream {
        /// The same in all packets of an answer.
        id: String,
        /// Whether this is all: WeCom asks again until it is.
        finish: bool,
        /// Markdown from the first word on, not what is new since the packet before.
        content: String,
        /// Under which name opinions of it come in, at most 256 bytes; in the first packet only.
        feedback: Option<String>,
    },
}

#[derive(Serialize)]
#[serde(tag = "msgtype", rename_all = "lowercase")]
enum PacketJson<'p> {
    Text { text: TextJson<'p> },
    Stream { stream: StreamJson<'p> },
}

#[derive(Serialize)]
struct TextJson<'p> {
    content: &'p str,
}

#[derive(Serialize)]
struct StreamJson<'p> {
    id: &'p str,
    finish: bool,
    content: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    feedback: Option<FeedbackJson<'p>>,
}

#[derive(Serialize)]
struct FeedbackJson<'p> {
    id: &'p str,
}

#[derive(Serialize)]
struct SealedJson<'p> {
    encrypt: &'p str,
    msgsignature: &'p str,
    timestamp: i64,
    nonce: &'p str,
}

impl Packet {
    /// The JSON to encrypt, its words cut to what WeCom takes.
    ///
    /// ```
    /// use yingda::channel::wecom::aibot::packet::Packet;
    ///
    /// let json = Packet::Text("你好".to_owned()).to_json();
    /// assert_eq!(json, r#"{"msgtype":"text","text":{"content":"你好"}}"#);
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let bytes_max = Channel::WecomBot.text_bytes_max().unwrap_or(usize::MAX);
        let written = match self {
            Self::Text(words) => {
                let content = cut(words, bytes_max);
                serde_json::to_string(&PacketJson::Text { text: TextJson { content: &content } })
            }
            Self::Stream { id, finish, content, feedback } => {
                let content = cut(content, bytes_max);
                let feedback = feedback.as_deref().map(|id| FeedbackJson { id });
                let stream = StreamJson { id, finish: *finish, content: &content, feedback };
                serde_json::to_string(&PacketJson::Stream { stream })
            }
        };
        written.expect("texts under fixed names can be written as JSON")
    }
}

/// The body of the response: a packet, encrypted and signed.
///
/// * `random`: fresh for every call.
/// * `at`: unix seconds.
/// * `nonce`: the one of the callback's address; WeCom takes no other.
#[must_use]
pub fn sealed(key: &CallbackKey, packet: &Packet, random: [u8; 16], (at, nonce): (i64, &str)) -> String {
    let sealed = key.seal(&packet.to_json(), random, &at.to_string(), nonce);
    let written = SealedJson {
        encrypt: &sealed.encrypt,
        msgsignature: &sealed.msg_signature,
        timestamp: at,
        nonce: &sealed.nonce,
    };
    serde_json::to_string(&written).expect("texts under fixed names can be written as JSON")
}

/// A reply as one text of markdown: choices as numbered lines, what can be opened as links.
///
/// * `links`: the public address of an asset, where there is one.
/// * Returns at least one visible character.
#[must_use]
pub fn as_markdown(reply: &Reply, links: &dyn Fn(&Asset) -> Option<Linked>) -> String {
    let blocks: Vec<String> =
        reply.parts.iter().map(|part| block(part, links)).filter(|words| is_visible(words)).collect();
    if blocks.is_empty() { NOTHING_TO_SHOW.to_owned() } else { blocks.join("\n\n") }
}

fn block(part: &Part, links: &dyn Fn(&Asset) -> Option<Linked>) -> String {
    match part {
        Part::Text(_) | Part::Choices { .. } => as_words(part, links),
        Part::Card(Card { title, description, url, .. }) => {
            let title = link(title, url.as_deref());
            let lines = [title.as_str(), description.as_str()];
            lines.into_iter().filter(|line| is_visible(line)).collect::<Vec<_>>().join("\n")
        }
        Part::Image(asset) | Part::File(asset) | Part::Voice(asset) => {
            let linked = links(asset);
            let words = link(&asset.title, linked.as_ref().map(|linked| linked.url.as_str()));
            match linked.and_then(|linked| linked.until) {
                Some(day) => format!("{words}\n（{}年{}月{}日前有效）", day.year(), day.month(), day.day()),
                None => words,
            }
        }
        Part::Link { title, url } => link(title, Some(url)),
    }
}

fn link(title: &str, url: Option<&str>) -> String {
    match url.filter(|url| is_visible(url)) {
        Some(url) if is_visible(title) => {
            // Brackets of their own would end the link early.
            let title = title.replace('[', "【").replace(']', "】");
            let url = url.replace('(', "%28").replace(')', "%29").replace(' ', "%20");
            format!("[{title}]({url})")
        }
        Some(url) => url.to_owned(),
        None => title.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::channel::wecom::vectors;
    use crate::secret::Secret;

    const AT: i64 = 1_735_689_604;

    fn stream(content: &str, feedback: Option<&str>) -> Packet {
        Packet::Stream {
            id: "s1".to_owned(),
            finish: false,
            content: content.to_owned(),
            feedback: feedback.map(str::to_owned),
        }
    }

    fn content_of(packet: &Packet) -> String {
        let json: Value = serde_json::from_str(&packet.to_json()).unwrap();
        let kind = json["msgtype"].as_str().unwrap();
        json[kind]["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_packet_of_vector_e2_is_byte_identical() {
        let all = vectors();
        let e2 = all["callback_vectors"].as_array().unwrap().iter().find(|vector| vector["id"] == "E2");
        let e2 = e2.unwrap();
        let config = &all["configs"]["E"];
        let of = |object: &Value, name: &str| object[name].as_str().unwrap().to_owned();
        let key = CallbackKey::new(
            &Secret::new(of(config, "token")),
            &Secret::new(of(config, "encoding_aes_key")),
            &of(config, "receive_id"),
        )
        .unwrap();
        let packet = stream("正在查询", None);
        assert_eq!(packet.to_json(), of(e2, "plaintext"));
        assert_eq!(
            sealed(&key, &packet, *b"5555666677778888", (AT, &of(e2, "nonce"))),
            of(e2, "response_body")
        );
    }

    #[test]
    fn only_a_packet_that_asks_for_opinions_names_itself() {
        assert_eq!(
            stream("好", Some("s1")).to_json(),
            r#"{"msgtype":"stream","stream":{"id":"s1","finish":false,"content":"好","feedback":{"id":"s1"}}}"#
        );
        assert!(!stream("好", None).to_json().contains("feedback"));
    }

    #[test]
    fn words_are_cut_between_characters_at_20480_bytes() {
        // 6,826 characters of 3 bytes are 20,478 bytes.
        let whole = "字".repeat(6_826) + "ab";
        let cut = "字".repeat(6_825) + "…";
        for make in [|words: &str| stream(words, None), |words: &str| Packet::Text(words.to_owned())] {
            assert_eq!(content_of(&make(&whole)), whole);
            assert_eq!(content_of(&make(&format!("{whole}c"))), cut);
        }
        assert_eq!(content_of(&stream("a\u{2}\"\\\n<b>", None)), "a\"\\\n<b>");
    }

    #[track_caller]
    fn check(parts: Vec<Part>, expected: &str) {
        let linked =
            Linked { url: "https://a.example/x".to_owned(), until: Some(jiff::civil::date(2026, 11, 30)) };
        assert_eq!(as_markdown(&Reply { parts }, &|_asset| Some(linked.clone())), expected);
    }

    #[test]
    fn a_reply_is_one_text_with_links() {
        let asset = |title: &str| Asset {
            path: "attachments/a".to_owned(),
            title: title.to_owned(),
            media_id: Some("m1".to_owned()),
        };
        let card = |url: Option<&str>| {
            Part::Card(Card {
                title: "鞋".to_owned(),
                description: "轻".to_owned(),
                url: url.map(str::to_owned),
                picture: Some("p.png".to_owned()),
            })
        };
        let choices = Part::Choices {
            prompt: "您想问哪一个？".to_owned(),
            options: vec!["退货".to_owned(), "换货".to_owned()],
        };
        let until = "（2026年11月30日前有效）";
        check(vec![choices], "您想问哪一个？\n1. 退货\n2. 换货");
        check(
            vec![Part::Text("您好".to_owned()), Part::File(asset("手册[新]"))],
            &format!("您好\n\n[手册【新】](https://a.example/x)\n{until}"),
        );
        check(vec![Part::Image(asset(""))], &format!("https://a.example/x\n{until}"));
        check(vec![card(Some("https://a.example/(1) 2"))], "[鞋](https://a.example/%281%29%202)\n轻");
        check(vec![card(None)], "鞋\n轻");
        check(
            vec![Part::Link { title: "官网".to_owned(), url: "https://a.example".to_owned() }],
            "[官网](https://a.example)",
        );
        check(Vec::new(), NOTHING_TO_SHOW);
        check(vec![Part::Text(" \n".to_owned())], NOTHING_TO_SHOW);
        let unlinked = Reply { parts: vec![Part::File(asset("手册"))] };
        assert_eq!(as_markdown(&unlinked, &|_asset| None), "手册");
    }
}
