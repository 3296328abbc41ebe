//! DingTalk (钉钉): the robot of a group, and todo tasks.
//!
//! Sources: open.dingtalk.com, 自定义机器人接入, 自定义机器人安全设置, 创建钉钉待办任务.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::channel::notify::Answer;
use crate::channel::notify::LimitError;
use crate::channel::notify::Request;
use crate::channel::notify::errcode;
use crate::channel::notify::foreign;
use crate::channel::notify::hmac_sha256;
use crate::channel::notify::json_request;
use crate::channel::notify::object;
use crate::channel::notify::within;
use crate::secret::Secret;
use crate::text::percent::percent_encoded;

/// Where todo tasks are made. A robot has an address of its own.
pub const OFFICIAL_URL: &str = "https://api.dingtalk.com";

/// Messages that a robot takes in a minute.
pub const PER_MINUTE: usize = 20;

/// How long a robot that got more takes none.
pub const THROTTLE: SignedDuration = SignedDuration::from_mins(10);

/// Characters of a todo's subject, and of its description.
const SUBJECT_CHARS_MAX: usize = 1_024;
const DESCRIPTION_CHARS_MAX: usize = 4_096;

/// Who is pointed at in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// By telephone.
    pub mobiles: Vec<String>,
    /// By user id.
    pub users: Vec<String>,
    /// Everybody.
    pub everybody: bool,
}

/// Words with a way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Heading.
    pub title: String,
    /// Where it leads.
    pub url: String,
    /// A picture beside it.
    pub picture_url: String,
}

/// What a robot may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Plain words.
    Text {
        /// The words.
        content: String,
        /// Who is pointed at.
        at: At,
    },
    /// A link with some words below its title.
    Link {
        /// The link; its picture may be empty.
        link: Link,
        /// The words.
        text: String,
    },
    /// Formatted words.
    Markdown {
        /// What the list of talks shows.
        title: String,
        /// The words; who is pointed at by telephone stands in them as well.
        text: String,
        /// Who is pointed at.
        at: At,
    },
    /// Formatted words over buttons.
    ActionCard {
        /// What the list of talks shows.
        title: String,
        /// The words.
        text: String,
        /// Words and address of each button, at least one.
        buttons: Vec<(String, String)>,
    },
    /// Links below one another, at least one.
    FeedCard(Vec<Link>),
}

/// The signature of a robot's request: base64 of an HMAC whose key is in its text as well.
#[must_use]
pub fn signature(secret: &Secret, at: Timestamp) -> String {
    let signed = format!("{}\n{}", at.as_millisecond(), secret.expose());
    STANDARD.encode(hmac_sha256(secret.expose().as_bytes(), &signed))
}

/// What is posted for a robot to say something.
///
/// * `url`: of the robot, with its `access_token`.
/// * `secret`: where the robot wants signatures.
///
/// # Errors
/// For a card without buttons or links.
pub fn say(
    url: &Secret,
    secret: Option<&Secret>,
    message: &Message,
    at: Timestamp,
) -> Result<Request, LimitError> {
    let url = match secret {
        None => url.clone(),
        Some(secret) => {
            let joint = if url.expose().contains('?') { '&' } else { '?' };
            let (time, sign) = (at.as_millisecond(), percent_encoded(&signature(secret, at)));
            Secret::new(format!("{}{joint}timestamp={time}&sign={sign}", url.expose()))
        }
    };
    Ok(json_request(url, &body(message)?))
}

fn body(message: &Message) -> Result<Value, LimitError> {
    Ok(match message {
        Message::Text { content, at } => {
            json!({ "msgtype": "text", "text": { "content": content }, "at": pointed(at) })
        }
        // The three ways to write "Url" are DingTalk's own.
        Message::Link { link, text } => json!({
            "msgtype": "link",
            "link": { "title": link.title, "text": text, "messageUrl": link.url, "picUrl": link.picture_url },
        }),
        Message::Markdown { title, text, at } => json!({
            "msgtype": "markdown",
            "markdown": { "title": title, "text": text },
            "at": pointed(at),
        }),
        Message::ActionCard { title, text, buttons } => {
            within("action card", (buttons.len(), "buttons"), 1..=usize::MAX)?;
            let mut card = json!({ "title": title, "text": text });
            if let [(title, url)] = buttons.as_slice() {
                card["singleTitle"] = json!(title);
                card["singleURL"] = json!(url);
            } else {
                let all = buttons.iter().map(|(title, url)| json!({ "title": title, "actionURL": url }));
                card["btns"] = all.collect();
            }
            json!({ "msgtype": "actionCard", "actionCard": card })
        }
        Message::FeedCard(links) => {
            within("feed card", (links.len(), "links"), 1..=usize::MAX)?;
            let links = links.iter().map(
                |link| json!({ "title": link.title, "messageURL": link.url, "picURL": link.picture_url }),
            );
            json!({ "msgtype": "feedCard", "feedCard": { "links": links.collect::<Vec<_>>() } })
        }
    })
}

fn pointed(at: &At) -> Value {
    json!({ "atMobiles": at.mobiles, "atUserIds": at.users, "isAtAll": at.everybody })
}

/// What a robot's answer means.
#[must_use]
pub fn said(status: u16, body: &[u8]) -> Answer {
    let (code, words) = match errcode(status, body) {
        Ok(told) => told,
        Err(answer) => return answer,
    };
    let reason = format!("errcode {code}");
    match code {
        0 => Answer::Taken,
        -1 => Answer::later(reason),
        130_101 => Answer::next_window(reason),
        // The robot's own rules. Words without its keyword stay without; the rest is a clock, a key or an address that an
        // operator mends, while the words are as good as before.
        310_000 if words.contains("keywords") => Answer::refused(format!("{reason} keywords")),
        310_000 => Answer::later(reason),
        _ => Answer::refused(reason),
    }
}

/// What is posted for a token of the app.
#[must_use]
pub fn access_token(base: &str, app_key: &Secret, app_secret: &Secret) -> Request {
    let url = format!("{}/v1.0/oauth2/accessToken", base.trim_end_matches('/'));
    json_request(Secret::new(url), &json!({ "appKey": app_key.expose(), "appSecret": app_secret.expose() }))
}

/// The token that was answered, and the seconds that it lives.
///
/// # Errors
/// What the answer means where there is none. A wrong key is the operator's to mend: it is never [`Answer::Refused`].
pub fn token_of(status: u16, body: &[u8]) -> Result<(Secret, u64), Answer> {
    let read = || {
        let value = object(status, body).ok()?;
        Some((Secret::new(value["accessToken"].as_str()?), value["expireIn"].as_u64()?))
    };
    read().ok_or_else(|| Answer::later(format!("accessToken: {}", coded(status, body))))
}

/// A task on somebody's list. All ids of people are union ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    /// By which DingTalk knows a repetition.
    pub source_id: String,
    /// What is to be done, 1 to 1,024 characters.
    pub subject: String,
    /// More about it, at most 4,096 characters.
    pub description: String,
    /// Who asks for it.
    pub creator: String,
    /// Who is to do it, at least one.
    pub executors: Vec<String>,
    /// Where to do it.
    pub detail_url: Option<String>,
}

/// What is posted to make a task.
///
/// # Errors
/// For a text over its limit, and for a task of nobody.
pub fn make_todo(base: &str, token: &Secret, todo: &Todo) -> Result<Request, LimitError> {
    within("subject of a todo", (todo.subject.chars().count(), "characters"), 1..=SUBJECT_CHARS_MAX)?;
    let description = (todo.description.chars().count(), "characters");
    within("description of a todo", description, 0..=DESCRIPTION_CHARS_MAX)?;
    within("todo", (todo.executors.len(), "executors"), 1..=usize::MAX)?;
    let creator = percent_encoded(&todo.creator);
    let base = base.trim_end_matches('/');
    let url = format!("{base}/v1.0/todo/users/{creator}/tasks?operatorId={creator}");
    let mut body = json!({
        "sourceId": todo.source_id,
        "subject": todo.subject,
        "description": todo.description,
        "creatorId": todo.creator,
        "executorIds": todo.executors,
        "notifyConfigs": { "dingNotify": "1" },
    });
    if let Some(url) = &todo.detail_url {
        body["detailUrl"] = json!({ "appUrl": url, "pcUrl": url });
    }
    let mut request = json_request(Secret::new(url), &body);
    request.headers.push(("x-acs-dingtalk-access-token", token.clone()));
    Ok(request)
}

/// What the answer to a new task means.
#[must_use]
pub fn made(status: u16, body: &[u8]) -> Answer {
    let reason = coded(status, body);
    match (status, object(status, body)) {
        (200..=299, Ok(value)) if value["id"].is_string() => Answer::Taken,
        // A token that ended early; the next attempt brings a new one.
        (401, _) => Answer::later(reason),
        (429, _) => Answer::next_window(reason),
        (400..=499, Ok(_)) => Answer::refused(reason),
        _ => foreign(status),
    }
}

/// Status and code of an answer in the new style.
fn coded(status: u16, body: &[u8]) -> String {
    let value = object(status, body).unwrap_or_default();
    let code: String = value["code"].as_str().unwrap_or_default().chars().take(80).collect();
    format!("status {status} {code}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::notify::vectors;

    fn now() -> Timestamp {
        Timestamp::from_millisecond(1_577_262_236_757).unwrap()
    }

    fn posted(message: &Message) -> Value {
        let request = say(&Secret::new("https://d.test/robot/send?access_token=t"), None, message, now());
        serde_json::from_slice(&request.unwrap().body).unwrap()
    }

    #[test]
    fn signatures_are_those_of_the_vectors() {
        let vectors = vectors("dingtalk_robot");
        assert_eq!(vectors.len(), 2);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let at = Timestamp::from_millisecond(text("timestamp").parse().unwrap()).unwrap();
            let secret = Secret::new(text("secret"));
            assert_eq!(signature(&secret, at), text("sign_base64"));
            let message = Message::Text { content: "好".to_owned(), at: At::default() };
            let url = Secret::new("https://d.test/robot/send?access_token=t");
            let request = say(&url, Some(&secret), &message, at).unwrap();
            let expected = format!(
                "https://d.test/robot/send?access_token=t&timestamp={}&sign={}",
                text("timestamp"),
                text("sign_urlencoded")
            );
            assert_eq!(request.url.expose(), expected);
        }
    }

    #[test]
    fn a_robot_without_a_secret_is_asked_unsigned() {
        let message = Message::Text { content: "好".to_owned(), at: At::default() };
        let request = say(&Secret::new("https://d.test/x"), None, &message, now()).unwrap();
        assert_eq!(request.url.expose(), "https://d.test/x");
    }

    #[test]
    fn bodies_are_spelt_as_dingtalk_spells_them() {
        let at = At { users: vec!["u1".to_owned()], ..At::default() };
        let text = posted(&Message::Text { content: "好".to_owned(), at: at.clone() });
        let pointed = json!({ "atMobiles": [], "atUserIds": ["u1"], "isAtAll": false });
        assert_eq!(text, json!({ "msgtype": "text", "text": { "content": "好" }, "at": pointed }));
        let markdown = posted(&Message::Markdown { title: "题".to_owned(), text: "**好**".to_owned(), at });
        assert_eq!(markdown["markdown"], json!({ "title": "题", "text": "**好**" }));
        let link =
            Link {
                title: "题".to_owned(), url: "https://a".to_owned(), picture_url: "https://p".to_owned()
            };
        let one = posted(&Message::Link { link: link.clone(), text: "好".to_owned() });
        let expected =
            json!({ "title": "题", "text": "好", "messageUrl": "https://a", "picUrl": "https://p" });
        assert_eq!(one["link"], expected);
        let feed = posted(&Message::FeedCard(vec![link]));
        let expected = json!([{ "title": "题", "messageURL": "https://a", "picURL": "https://p" }]);
        assert_eq!((&feed["msgtype"], &feed["feedCard"]["links"]), (&json!("feedCard"), &expected));
    }

    #[test]
    fn a_card_with_one_button_is_another_than_one_with_two() {
        let card = |n_buttons: usize| Message::ActionCard {
            title: "题".to_owned(),
            text: "好".to_owned(),
            buttons: vec![("看".to_owned(), "https://a".to_owned()); n_buttons],
        };
        let one = posted(&card(1));
        assert_eq!(
            one["actionCard"],
            json!({ "title": "题", "text": "好", "singleTitle": "看", "singleURL": "https://a" })
        );
        let two = posted(&card(2));
        let button = json!({ "title": "看", "actionURL": "https://a" });
        assert_eq!(two["actionCard"]["btns"], json!([button, button]));
        assert!(two["actionCard"].get("singleURL").is_none());
        let url = Secret::new("https://d.test/x");
        for none in [card(0), Message::FeedCard(Vec::new())] {
            assert!(matches!(say(&url, None, &none, now()), Err(LimitError::TooLittle { len: 0, .. })));
        }
    }

    #[test]
    fn a_robots_answers_are_told_apart() {
        let answer = |code: i64, words: &str| {
            said(200, json!({ "errcode": code, "errmsg": words }).to_string().as_bytes())
        };
        assert_eq!(answer(0, "ok"), Answer::Taken);
        assert_eq!(answer(-1, "busy"), Answer::later("errcode -1"));
        assert_eq!(answer(130_101, "fast"), Answer::next_window("errcode 130101"));
        assert_eq!(
            answer(310_000, "keywords not in content, more"),
            Answer::refused("errcode 310000 keywords")
        );
        for mended in ["sign not match", "invalid timestamp", "ip 1.2.3.4 not in whitelist"] {
            assert_eq!(answer(310_000, mended), Answer::later("errcode 310000"));
        }
        assert_eq!(answer(300_001, "token is not exist"), Answer::refused("errcode 300001"));
        assert_eq!(said(502, b"<html>"), Answer::later("status 502"));
    }

    fn task() -> Todo {
        Todo {
            source_id: "n1".to_owned(),
            subject: "客户请求人工".to_owned(),
            description: String::new(),
            creator: "UNION/1".to_owned(),
            executors: vec!["UNION2".to_owned()],
            detail_url: Some("https://desk.example/t/1".to_owned()),
        }
    }

    #[test]
    fn a_task_is_posted_with_the_token() {
        let request = make_todo("https://api.test/", &Secret::new("tok"), &task()).unwrap();
        assert_eq!(
            request.url.expose(),
            "https://api.test/v1.0/todo/users/UNION%2F1/tasks?operatorId=UNION%2F1"
        );
        let (name, token) = request.headers.last().unwrap();
        assert_eq!((*name, token.expose()), ("x-acs-dingtalk-access-token", "tok"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!((&body["sourceId"], &body["creatorId"]), (&json!("n1"), &json!("UNION/1")));
        assert_eq!(body["detailUrl"]["pcUrl"], "https://desk.example/t/1");
        let without = Todo { detail_url: None, ..task() };
        let request = make_todo("https://api.test", &Secret::new("tok"), &without).unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert!(body.get("detailUrl").is_none());
    }

    #[test]
    fn a_task_keeps_within_its_limits() {
        let make = |todo: Todo| make_todo("https://api.test", &Secret::new("t"), &todo).map(|_| ());
        let subject = |n_chars: usize| make(Todo { subject: "题".repeat(n_chars), ..task() });
        assert_eq!((subject(1), subject(1_024)), (Ok(()), Ok(())));
        assert!(matches!(subject(0), Err(LimitError::TooLittle { .. })));
        assert!(matches!(subject(1_025), Err(LimitError::TooMuch { len: 1_025, limit: 1_024, .. })));
        let description = Todo { description: "述".repeat(4_097), ..task() };
        assert!(matches!(make(description), Err(LimitError::TooMuch { len: 4_097, limit: 4_096, .. })));
        let nobody = Todo { executors: Vec::new(), ..task() };
        assert!(matches!(make(nobody), Err(LimitError::TooLittle { what: "todo", .. })));
    }

    #[test]
    fn answers_in_the_new_style_are_told_apart() {
        assert_eq!(made(200, br#"{"id":"T1","done":false}"#), Answer::Taken);
        let code = br#"{"code":"InvalidParameter","message":"subject"}"#;
        assert_eq!(made(400, code), Answer::refused("status 400 InvalidParameter"));
        assert_eq!(made(401, code), Answer::later("status 401 InvalidParameter"));
        assert_eq!(made(429, b""), Answer::next_window("status 429"));
        assert_eq!(made(500, code), Answer::later("status 500"));
        assert_eq!(made(200, b"<html>"), Answer::later("status 200"));
        let (token, seconds) = token_of(200, br#"{"accessToken":"t","expireIn":7200}"#).unwrap();
        assert_eq!((token.expose(), seconds), ("t", 7_200));
        // The old style's names are none of this one's.
        assert!(token_of(200, br#"{"access_token":"t","expires_in":7200}"#).is_err());
        let wrong = token_of(400, br#"{"code":"invalidClientIdOrSecret"}"#).unwrap_err();
        assert_eq!(wrong, Answer::later("accessToken: status 400 invalidClientIdOrSecret"));
        let asked = access_token("https://api.test", &Secret::new("k"), &Secret::new("s"));
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        assert_eq!(asked.url.expose(), "https://api.test/v1.0/oauth2/accessToken");
        assert_eq!(body, json!({ "appKey": "k", "appSecret": "s" }));
    }
}
