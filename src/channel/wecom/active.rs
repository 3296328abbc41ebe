//! Replies that are sent by a call of ours: `message/send` to members, `kf/send_msg` to customers.
//!
//! Sources: WeCom developer centre, 发送应用消息 (path 90236), 微信客服发送消息 (94677).

use serde_json::Value;
use serde_json::json;

use crate::channel::wecom::passive::Article;
use crate::channel::wecom::passive::Passive;
use crate::channel::wecom::passive::Words;
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

/// The messages of a reply to a customer, without address and id: texts, and a menu where there is something to pick.
///
/// * `words`: how a part that is neither is put into words.
#[must_use]
pub fn to_customer(reply: &Reply, words: &Words<'_>) -> Vec<Value> {
    let mut messages: Vec<Value> = Vec::new();
    let mut text = String::new();
    for part in &reply.parts {
        if let Part::Choices { prompt, options } = part
            && let Some(menu) = menu(prompt, options)
        {
            push_text(&mut messages, &mut text);
            messages.push(menu);
            continue;
        }
        let own = words(part);
        if own.trim().is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&own);
    }
    push_text(&mut messages, &mut text);
    // What is too much is left out at the end, where it can be asked for again; a menu that closes it stays.
    if messages.len() > KF_MESSAGES_MAX {
        let last = messages.pop().filter(|last| last["msgtype"] == "msgmenu");
        messages.truncate(KF_MESSAGES_MAX - usize::from(last.is_some()));
        messages.extend(last);
    }
    messages
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
fn push_text(messages: &mut Vec<Value>, text: &mut String) {
    let mut rest = std::mem::take(text);
    while !rest.trim().is_empty() {
        let room = rest.floor_char_boundary(TEXT_BYTES_MAX);
        let end = match rest[..room].rfind('\n') {
            _ if room == rest.len() => room,
            Some(line) if line > room / 2 => line,
            _ => room,
        };
        let after = rest.split_off(end);
        messages.push(json!({ "msgtype": "text", "text": { "content": rest.trim() } }));
        rest = after;
    }
}

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(part: &Part) -> String {
        part.words().join("\n")
    }

    fn texts(messages: &[Value]) -> Vec<&str> {
        messages.iter().filter_map(|message| message["text"]["content"].as_str()).collect()
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
        assert_eq!(messages[1]["msgmenu"]["head_content"], "哪一种？");
        assert_eq!(messages[1]["msgmenu"]["list"][1]["click"], json!({ "id": "2", "content": "换货" }));
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
        assert_eq!(messages[KF_MESSAGES_MAX - 1]["msgtype"], "msgmenu");
        for text in texts(&messages) {
            assert!(text.len() <= TEXT_BYTES_MAX && text.ends_with('。'), "{}", text.len());
        }
    }
}
