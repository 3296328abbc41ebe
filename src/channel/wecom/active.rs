//! Replies that are sent by a call of ours: `message/send` to members, `kf/send_msg` to customers.
//!
//! Sources: WeCom developer centre, 发送应用消息 (path 90236), 微信客服发送消息 (94677).

use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::passive::Article;
use crate::channel::wecom::passive::Passive;
use crate::channel::wecom::passive::Words;
use crate::message::Media;
use crate::message::Part;
use crate::message::Reply;

/// Most bytes of one text.
const TEXT_BYTES_MAX: usize = 2_048;

/// Messages of one reply: WeCom takes five for each message of a customer, and one is kept for a person.
const KF_MESSAGES_MAX: usize = 4;

/// Most items of a menu that can be tapped, and bytes of each.
const MENU_ITEMS_MAX: usize = 10;
const ITEM_BYTES_MAX: usize = 128;

/// Seconds within which WeCom does not deliver the same request again.
const DUPLICATE_SECONDS: std::ops::RangeInclusive<u64> = 1_800..=14_400;

/// The body of `message/send` for one member.
///
/// WeCom tells a repetition by the request being the same to the byte, and takes two answers of the same words for one. So
/// the interval, of which any length will do, is drawn from `key`: a repeated call has the same one, another answer another.
#[must_use]
pub fn to_member(passive: &Passive, agent_id: i64, member: &str, key: &str) -> Value {
    let (msgtype, content) = match passive {
        Passive::Text(text) => ("text", json!({ "content": cut(text, TEXT_BYTES_MAX) })),
        Passive::Image { media_id } => ("image", json!({ "media_id": media_id })),
        Passive::Voice { media_id } => ("voice", json!({ "media_id": media_id })),
        Passive::Video { media_id, title, description } => {
            ("video", json!({ "media_id": media_id, "title": title, "description": description }))
        }
        Passive::News(articles) => {
            ("news", json!({ "articles": articles.iter().take(8).map(article).collect::<Vec<_>>() }))
        }
    };
    // The letter in front is the same in all keys.
    let mut seed = [0; 8];
    seed.iter_mut().zip(key.bytes().skip(1)).for_each(|(own, byte)| *own = byte);
    let span = DUPLICATE_SECONDS.end() - DUPLICATE_SECONDS.start() + 1;
    let interval = DUPLICATE_SECONDS.start() + u64::from_le_bytes(seed) % span;
    let mut body = json!({
        "touser": member,
        "msgtype": msgtype,
        "agentid": agent_id,
        "enable_duplicate_check": 1,
        "duplicate_check_interval": interval,
    });
    body[msgtype] = content;
    body
}

fn article(article: &Article) -> Value {
    json!({
        "title": cut(&article.title, 128),
        "description": cut(&article.description, 512),
        "url": article.url,
        "picurl": article.picture_url,
    })
}

/// One message to a customer, without address and id.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What is sent.
    pub json: Value,
    /// The same in words, for a file that WeCom no longer has when its turn comes.
    pub instead: Option<String>,
}

impl Message {
    fn new(json: Value) -> Self {
        Self { json, instead: None }
    }
}

/// The messages of a reply to a customer: texts, files that WeCom has, and a menu where there is something to pick.
///
/// Files stand for themselves as long as there is room for as many messages; the last of them are put into words before
/// anything is left out.
///
/// * `words`: how a part that is neither is put into words.
#[must_use]
pub fn to_customer(reply: &Reply, words: &Words<'_>) -> Vec<Message> {
    let n_files = reply.parts.iter().filter(|part| file(part).is_some()).count();
    let mut messages = (0..=n_files)
        .rev()
        .map(|files_max| laid_out(reply, words, files_max))
        .find(|messages| messages.len() <= KF_MESSAGES_MAX)
        .unwrap_or_else(|| laid_out(reply, words, 0));
    // What is too much is left out at the end, where it can be asked for again; a menu that closes it stays.
    if messages.len() > KF_MESSAGES_MAX {
        let last = messages.pop().filter(|last| last.json["msgtype"] == "msgmenu");
        messages.truncate(KF_MESSAGES_MAX - usize::from(last.is_some()));
        messages.extend(last);
    }
    messages
}

/// * `files_max`: so many files stand for themselves, from the front.
fn laid_out(reply: &Reply, words: &Words<'_>, files_max: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut text = String::new();
    let mut n_files = 0;
    for part in &reply.parts {
        let own = words(part);
        if let Some(json) = file(part).filter(|_| n_files < files_max) {
            n_files += 1;
            push_text(&mut messages, &mut text);
            messages.push(Message { json, instead: Some(own) });
            continue;
        }
        if let Part::Choices { prompt, options } = part
            && let Some(menu) = menu(prompt, options)
        {
            push_text(&mut messages, &mut text);
            messages.push(Message::new(menu));
            continue;
        }
        if own.trim().is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&own);
    }
    push_text(&mut messages, &mut text);
    messages
}

/// A part as a file that WeCom has; `None` for another, and for a file that it has not.
fn file(part: &Part) -> Option<Value> {
    let (kind, asset) = match part {
        Part::Image(asset) => (Media::Image, asset),
        Part::Voice(asset) => (Media::Voice, asset),
        Part::File(asset) => (Media::File, asset),
        Part::Text(_) | Part::Choices { .. } | Part::Card(_) | Part::Link { .. } => return None,
    };
    let media_id = asset.media_id.as_ref().filter(|id| !id.trim().is_empty())?;
    let mut message = json!({ "msgtype": kind.as_str() });
    message[kind.as_str()] = json!({ "media_id": media_id });
    Some(message)
}

/// A menu; `None` where it would break a limit, so that it is put into words instead.
fn menu(prompt: &str, options: &[String]) -> Option<Value> {
    let fits = |option: &String| (1..=ITEM_BYTES_MAX).contains(&option.len());
    if options.is_empty()
        || options.len() > MENU_ITEMS_MAX
        || !options.iter().all(fits)
        || prompt.len() > 1_024
    {
        return None;
    }
    let items = (1..).zip(options).map(|(number, option): (usize, _)| {
        json!({ "type": "click", "click": { "id": number.to_string(), "content": option } })
    });
    Some(json!({
        "msgtype": "msgmenu",
        "msgmenu": { "head_content": prompt, "list": items.collect::<Vec<_>>() },
    }))
}

/// Takes the words so far as texts of which each fits.
fn push_text(messages: &mut Vec<Message>, text: &mut String) {
    let mut rest = std::mem::take(text);
    while !rest.trim().is_empty() {
        let room = rest.floor_char_boundary(TEXT_BYTES_MAX);
        let end = match rest[..room].rfind('\n') {
            _ if room == rest.len() => room,
            Some(line) if line > room / 2 => line,
            _ => room,
        };
        let after = rest.split_off(end);
        messages.push(Message::new(text_message(rest.trim())));
        rest = after;
    }
}

/// A text, without address and id.
#[must_use]
pub fn text_message(words: &str) -> Value {
    json!({ "msgtype": "text", "text": { "content": cut(words, TEXT_BYTES_MAX) } })
}

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Asset;

    fn plain(part: &Part) -> String {
        part.words().join("\n")
    }

    fn texts(messages: &[Message]) -> Vec<&str> {
        messages.iter().filter_map(|message| message.json["text"]["content"].as_str()).collect()
    }

    #[test]
    fn the_same_answer_twice_is_two_requests_and_a_repetition_is_one() {
        let hello = Passive::Text("您好".to_owned());
        let first = to_member(&hello, 7, "user01", "yaaaaaaaa");
        assert_eq!(first, to_member(&hello, 7, "user01", "yaaaaaaaa"));
        assert_ne!(first, to_member(&hello, 7, "user01", "ybbbbbbbb"));
        assert_eq!((&first["text"]["content"], &first["agentid"]), (&json!("您好"), &json!(7)));
        let interval = first["duplicate_check_interval"].as_u64().unwrap();
        assert!(DUPLICATE_SECONDS.contains(&interval), "{interval}");
    }

    #[test]
    fn a_question_back_is_a_menu_below_its_text() {
        let options = vec!["退货".to_owned(), "换货".to_owned()];
        let reply = Reply {
            parts: vec![
                Part::Text("好的。".to_owned()),
                Part::Choices { prompt: "哪一种？".to_owned(), options },
            ],
        };
        let messages = to_customer(&reply, &plain);
        assert_eq!(texts(&messages), ["好的。"]);
        assert_eq!(messages[1].json["msgmenu"]["head_content"], "哪一种？");
        assert_eq!(messages[1].json["msgmenu"]["list"][1]["click"], json!({ "id": "2", "content": "换货" }));
        let long = vec!["很长的选项".repeat(10)];
        let worded =
            Reply { parts: vec![Part::Choices { prompt: "哪一种？".to_owned(), options: long }] };
        assert_eq!(texts(&to_customer(&worded, &plain)).len(), 1, "what fits no menu is put into words");
    }

    #[test]
    fn a_long_reply_keeps_within_bytes_and_messages() {
        let lines: Vec<String> =
            (0..40).map(|line| format!("{line}{}", "这一行有不少字。".repeat(12))).collect();
        let menu = Part::Choices { prompt: "还要吗".to_owned(), options: vec!["要".to_owned()] };
        let reply = Reply { parts: vec![Part::Text(lines.join("\n")), menu] };
        let messages = to_customer(&reply, &plain);
        assert_eq!(messages.len(), KF_MESSAGES_MAX);
        assert_eq!(messages[KF_MESSAGES_MAX - 1].json["msgtype"], "msgmenu");
        for text in texts(&messages) {
            assert!(text.len() <= TEXT_BYTES_MAX && text.ends_with('。'), "{}", text.len());
        }
    }

    #[test]
    fn files_that_wecom_has_are_sent_as_themselves_while_there_is_room() {
        let image = |number: usize| {
            Part::Image(Asset {
                path: format!("{number}.png"),
                title: format!("图{number}"),
                media_id: Some(format!("m{number}")),
            })
        };
        let kinds = |parts: Vec<Part>| {
            let messages = to_customer(&Reply { parts }, &plain);
            let kind = |message: &Message| message.json["msgtype"].as_str().unwrap_or_default().to_owned();
            messages.iter().map(kind).collect::<Vec<_>>().join(" ")
        };
        let charts = || std::iter::once(Part::Text("三张都发您".to_owned())).chain((0..3).map(image));
        assert_eq!(kinds(charts().collect()), "text image image image");
        let menu = Part::Choices { prompt: "还要吗".to_owned(), options: vec!["要".to_owned()] };
        // The last is told of in words before the menu would be lost.
        assert_eq!(kinds(charts().chain([menu.clone()]).collect()), "text image text msgmenu");
        let unknown =
            Part::File(Asset { path: "a.pdf".to_owned(), title: "价目表".to_owned(), media_id: None });
        assert_eq!(kinds(vec![unknown, image(1)]), "text image");
    }

    #[test]
    fn a_file_can_be_said_in_words() {
        let voice =
            Asset {
                path: "q.mp3".to_owned(), title: "报价说明".to_owned(), media_id: Some("m1".to_owned())
            };
        let messages = to_customer(&Reply { parts: vec![Part::Voice(voice)] }, &plain);
        let json = json!({ "msgtype": "voice", "voice": { "media_id": "m1" } });
        assert_eq!(messages, [Message { json, instead: Some("报价说明".to_owned()) }]);
    }
}
