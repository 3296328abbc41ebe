//! The robot of a WeCom group (群机器人 / 消息推送): it speaks and does not listen.
//!
//! Source: WeCom developer centre, 消息推送配置说明 (path 99110).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use md5::Digest;
use md5::Md5;
use serde_json::Value;
use serde_json::json;

use crate::channel::notify::Answer;
use crate::channel::notify::LimitError;
use crate::channel::notify::Request;
use crate::channel::notify::errcode;
use crate::channel::notify::json_request;
use crate::channel::notify::text_within;
use crate::channel::notify::within;
use crate::secret::Secret;
use crate::text::hex::lower_hex;

/// Messages that a robot takes in a minute.
pub const PER_MINUTE: usize = 20;

/// How long a robot that got more takes none.
pub const WINDOW: SignedDuration = SignedDuration::from_secs(60);

const TEXT_BYTES_MAX: usize = 2_048;
const MARKDOWN_BYTES_MAX: usize = 4_096;
const ARTICLES_MAX: usize = 8;
const TITLE_BYTES_MAX: usize = 128;
const DESCRIPTION_BYTES_MAX: usize = 512;
const URL_BYTES_MAX: usize = 2_048;

/// Before base64 makes it longer.
const IMAGE_BYTES_MAX: usize = 2 << 20;
const FILE_BYTES_MAX: usize = 20 << 20;
const VOICE_BYTES_MAX: usize = 2 << 20;
/// A file of five bytes is refused.
const MEDIA_BYTES_MIN: usize = 6;

/// Lines of name and value on a card, and links below it.
const CARD_LINES_MAX: usize = 6;
const CARD_LINKS_MAX: usize = 3;

/// Parts a body that is sent in parts; no file of ours holds it.
const BOUNDARY: &str = "yingda-5a1f0c2e9b7d4468";

/// Something to read, with a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// Heading, 1 to 128 bytes.
    pub title: String,
    /// More about it, at most 512 bytes.
    pub description: String,
    /// Where it leads.
    pub url: String,
    /// Its picture; may be empty.
    pub picture_url: String,
}

/// A card that tells of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextNotice {
    /// Heading; it or the text must say something.
    pub title: String,
    /// Below the heading; may be empty.
    pub description: String,
    /// The text.
    pub text: String,
    /// Names and values, at most six.
    pub lines: Vec<(String, String)>,
    /// Titles and addresses, at most three.
    pub links: Vec<(String, String)>,
    /// Where the card leads.
    pub url: String,
}

/// What a robot may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Plain words of 1 to 2,048 bytes.
    Text {
        /// The words.
        content: String,
        /// User ids of those who are pointed at; `@all` for everybody.
        mentions: Vec<String>,
        /// Their telephones instead.
        mentioned_mobiles: Vec<String>,
    },
    /// Formatted words of 1 to 4,096 bytes; `<@userid>` points at somebody.
    Markdown(String),
    /// With tables and pictures, and nobody pointed at; 1 to 4,096 bytes.
    MarkdownV2(String),
    /// A picture, JPG or PNG, of at most 2 MiB.
    Image(Vec<u8>),
    /// One to eight articles.
    News(Vec<Article>),
    /// A file of the robot's own upload.
    File {
        /// See [`uploaded`].
        media_id: String,
    },
    /// A recording of the robot's own upload.
    Voice {
        /// See [`uploaded`].
        media_id: String,
    },
    /// A card.
    TextNotice(TextNotice),
}

/// What can be uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// Any file of at most 20 MiB.
    File,
    /// AMR of at most 2 MiB and a minute.
    Voice,
}

impl Media {
    fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Voice => "voice",
        }
    }
}

/// What is posted for a robot to say something.
///
/// * `url`: of the robot, with its `key`.
///
/// # Errors
/// For what is over its limit; a longer text would be cut or refused without a word.
pub fn say(url: &Secret, message: &Message) -> Result<Request, LimitError> {
    Ok(json_request(url.clone(), &body(message)?))
}

fn body(message: &Message) -> Result<Value, LimitError> {
    Ok(match message {
        Message::Text { content, mentions, mentioned_mobiles } => {
            text_within("text", content, TEXT_BYTES_MAX)?;
            let mut text = json!({ "content": content });
            if !mentions.is_empty() {
                text["mentioned_list"] = json!(mentions);
            }
            if !mentioned_mobiles.is_empty() {
                text["mentioned_mobile_list"] = json!(mentioned_mobiles);
            }
            json!({ "msgtype": "text", "text": text })
        }
        Message::Markdown(content) => {
            text_within("markdown", content, MARKDOWN_BYTES_MAX)?;
            json!({ "msgtype": "markdown", "markdown": { "content": content } })
        }
        Message::MarkdownV2(content) => {
            text_within("markdown_v2", content, MARKDOWN_BYTES_MAX)?;
            json!({ "msgtype": "markdown_v2", "markdown_v2": { "content": content } })
        }
        Message::Image(bytes) => {
            within("image", (bytes.len(), "bytes"), 1..=IMAGE_BYTES_MAX)?;
            let md5 = lower_hex(&Md5::digest(bytes));
            json!({ "msgtype": "image", "image": { "base64": STANDARD.encode(bytes), "md5": md5 } })
        }
        Message::News(articles) => {
            within("news", (articles.len(), "articles"), 1..=ARTICLES_MAX)?;
            let articles: Vec<Value> = articles.iter().map(article).collect::<Result<_, _>>()?;
            json!({ "msgtype": "news", "news": { "articles": articles } })
        }
        Message::File { media_id } => json!({ "msgtype": "file", "file": { "media_id": media_id } }),
        Message::Voice { media_id } => json!({ "msgtype": "voice", "voice": { "media_id": media_id } }),
        Message::TextNotice(notice) => json!({ "msgtype": "template_card", "template_card": card(notice)? }),
    })
}

fn article(article: &Article) -> Result<Value, LimitError> {
    text_within("title of an article", &article.title, TITLE_BYTES_MAX)?;
    within("description of an article", (article.description.len(), "bytes"), 0..=DESCRIPTION_BYTES_MAX)?;
    text_within("address of an article", &article.url, URL_BYTES_MAX)?;
    within("picture of an article", (article.picture_url.len(), "bytes"), 0..=URL_BYTES_MAX)?;
    let mut value = json!({ "title": article.title, "url": article.url });
    for (name, words) in [("description", &article.description), ("picurl", &article.picture_url)] {
        if !words.is_empty() {
            value[name] = json!(words);
        }
    }
    Ok(value)
}

fn card(notice: &TextNotice) -> Result<Value, LimitError> {
    let n_said = notice.title.len() + notice.text.len();
    within("title and text of a card", (n_said, "bytes"), 1..=usize::MAX)?;
    within("card", (notice.lines.len(), "lines"), 0..=CARD_LINES_MAX)?;
    within("card", (notice.links.len(), "links"), 0..=CARD_LINKS_MAX)?;
    text_within("address of a card", &notice.url, URL_BYTES_MAX)?;
    let lines = notice.lines.iter().map(|(name, value)| json!({ "keyname": name, "value": value }));
    let links = notice.links.iter().map(|(title, url)| json!({ "type": 1, "title": title, "url": url }));
    Ok(json!({
        "card_type": "text_notice",
        "main_title": { "title": notice.title, "desc": notice.description },
        "sub_title_text": notice.text,
        "horizontal_content_list": lines.collect::<Vec<_>>(),
        "jump_list": links.collect::<Vec<_>>(),
        "card_action": { "type": 1, "url": notice.url },
    }))
}

/// What is posted to upload something that [`Message::File`] or [`Message::Voice`] then names.
///
/// * `url`: of the robot, as for [`say`].
/// * `name`: what the file is called; quotes and line breaks in it become `_`.
///
/// # Errors
/// For what is over its limit, or has five bytes or fewer.
pub fn upload(url: &Secret, media: Media, name: &str, bytes: &[u8]) -> Result<Request, LimitError> {
    let (what, limit) = match media {
        Media::File => ("file", FILE_BYTES_MAX),
        Media::Voice => ("voice", VOICE_BYTES_MAX),
    };
    within(what, (bytes.len(), "bytes"), MEDIA_BYTES_MIN..=limit)?;
    let url = url.expose().replace("/webhook/send?", "/webhook/upload_media?");
    let name: String = name.chars().map(|c| if c == '"' || c.is_control() { '_' } else { c }).collect();
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"media\"; filename=\"{name}\"; filelength={}\r\n\
         Content-Type: application/octet-stream\r\n\r\n",
        bytes.len()
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let content_type = Secret::new(format!("multipart/form-data; boundary={BOUNDARY}"));
    let url = Secret::new(format!("{url}&type={}", media.as_str()));
    Ok(Request { url, headers: vec![("content-type", content_type)], body })
}

/// The `media_id` of an upload; it serves this robot alone, for three days.
///
/// # Errors
/// What the answer means where there is none.
pub fn uploaded(status: u16, body: &[u8]) -> Result<String, Answer> {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    match (said(status, body), value["media_id"].as_str()) {
        (Answer::Taken, Some(media_id)) => Ok(media_id.to_owned()),
        (Answer::Taken, None) => Err(Answer::later("no media_id")),
        (answer, _) => Err(answer),
    }
}

/// What a robot's answer means.
#[must_use]
pub fn said(status: u16, body: &[u8]) -> Answer {
    let code = match errcode(status, body) {
        Ok((code, _words)) => code,
        Err(answer) => return answer,
    };
    let reason = format!("errcode {code}");
    match code {
        0 => Answer::Taken,
        -1 | 45_033 | 45_035 => Answer::later(reason),
        45_009 => Answer::next_window(reason),
        _ => Answer::refused(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> Secret {
        Secret::new("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k1")
    }

    fn posted(message: &Message) -> Value {
        let request = say(&url(), message).unwrap();
        assert_eq!(request.url, url());
        serde_json::from_slice(&request.body).unwrap()
    }

    fn text(content: &str) -> Message {
        Message::Text { content: content.to_owned(), mentions: Vec::new(), mentioned_mobiles: Vec::new() }
    }

    /// Takes a message at the limit, and refuses one a unit over it.
    #[track_caller]
    fn check_limit(message: impl Fn(usize) -> Message, limit: usize) {
        assert!(say(&url(), &message(limit)).is_ok(), "{limit} is taken");
        match say(&url(), &message(limit + 1)) {
            Err(LimitError::TooMuch { len, limit: told, .. }) => {
                assert_eq!((len, told), (limit + 1, limit));
            }
            other => panic!("{:?}", other.map(|_| ())),
        }
    }

    #[test]
    fn words_point_at_people_where_some_are_named() {
        assert_eq!(posted(&text("好")), json!({ "msgtype": "text", "text": { "content": "好" } }));
        let pointed = Message::Text {
            content: "好".to_owned(),
            mentions: vec!["@all".to_owned()],
            mentioned_mobiles: vec!["13800000000".to_owned()],
        };
        let expected = json!({
            "content": "好", "mentioned_list": ["@all"], "mentioned_mobile_list": ["13800000000"],
        });
        assert_eq!(posted(&pointed)["text"], expected);
    }

    #[test]
    fn texts_end_at_their_bytes_and_say_something() {
        check_limit(|len| text(&"x".repeat(len)), 2_048);
        check_limit(|len| Message::Markdown("x".repeat(len)), 4_096);
        check_limit(|len| Message::MarkdownV2("x".repeat(len)), 4_096);
        // 683 characters of three bytes are over 2,048 bytes.
        let error = say(&url(), &text(&"好".repeat(683))).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "text has 2049 bytes, more than the limit of 2048");
        assert!(matches!(say(&url(), &text("")), Err(LimitError::TooLittle { .. })));
    }

    #[test]
    fn a_picture_goes_with_the_sum_of_its_bytes() {
        let image = posted(&Message::Image(b"abc".to_vec()));
        let expected = json!({ "base64": "YWJj", "md5": "900150983cd24fb0d6963f7d28e17f72" });
        assert_eq!(image["image"], expected);
        check_limit(|len| Message::Image(vec![7; len]), 2 << 20);
        assert!(say(&url(), &Message::Image(Vec::new())).is_err());
    }

    fn one_article() -> Article {
        Article {
            title: "题".to_owned(),
            description: String::new(),
            url: "https://a".to_owned(),
            picture_url: String::new(),
        }
    }

    #[test]
    fn news_keep_within_their_limits() {
        let article = one_article();
        let news = posted(&Message::News(vec![article.clone()]));
        assert_eq!(news["news"]["articles"], json!([{ "title": "题", "url": "https://a" }]));
        check_limit(|len| Message::News(vec![article.clone(); len]), 8);
        let titled = |len| Message::News(vec![Article { title: "x".repeat(len), ..one_article() }]);
        check_limit(titled, 128);
        let described = |len| Message::News(vec![Article { description: "x".repeat(len), ..one_article() }]);
        check_limit(described, 512);
        assert!(say(&url(), &Message::News(Vec::new())).is_err());
    }

    #[test]
    fn a_card_has_what_wecom_wants_of_it() {
        let notice = TextNotice {
            title: "有客户在等".to_owned(),
            description: String::new(),
            text: String::new(),
            lines: vec![("会话".to_owned(), "7".to_owned())],
            links: vec![("打开".to_owned(), "https://a".to_owned())],
            url: "https://a".to_owned(),
        };
        let card = posted(&Message::TextNotice(notice.clone()));
        assert_eq!(card["msgtype"], "template_card");
        let card = &card["template_card"];
        assert_eq!((&card["card_type"], &card["card_action"]["type"]), (&json!("text_notice"), &json!(1)));
        assert_eq!(card["horizontal_content_list"], json!([{ "keyname": "会话", "value": "7" }]));
        assert_eq!(card["jump_list"], json!([{ "type": 1, "title": "打开", "url": "https://a" }]));
        let line = notice.lines[0].clone();
        check_limit(
            |len| Message::TextNotice(TextNotice { lines: vec![line.clone(); len], ..notice.clone() }),
            6,
        );
        let link = notice.links[0].clone();
        check_limit(
            |len| Message::TextNotice(TextNotice { links: vec![link.clone(); len], ..notice.clone() }),
            3,
        );
        let mute = TextNotice { title: String::new(), ..notice.clone() };
        assert!(say(&url(), &Message::TextNotice(mute)).is_err());
        let nowhere = TextNotice { url: String::new(), ..notice };
        assert!(say(&url(), &Message::TextNotice(nowhere)).is_err());
    }

    #[test]
    fn a_file_is_uploaded_and_then_named() {
        let request = upload(&url(), Media::File, "报表\".csv", b"123456").unwrap();
        assert_eq!(
            request.url.expose(),
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/upload_media?key=k1&type=file"
        );
        let body = String::from_utf8(request.body).unwrap();
        assert!(body.contains("name=\"media\"; filename=\"报表_.csv\"; filelength=6\r\n"), "{body}");
        assert!(body.contains("\r\n\r\n123456\r\n--yingda-5a1f0c2e9b7d4468--\r\n"), "{body}");
        let (name, content_type) = &request.headers[0];
        assert_eq!(*name, "content-type");
        assert_eq!(content_type.expose(), "multipart/form-data; boundary=yingda-5a1f0c2e9b7d4468");
        let answer = br#"{"errcode":0,"errmsg":"ok","type":"file","media_id":"M1","created_at":"1"}"#;
        assert_eq!(uploaded(200, answer), Ok("M1".to_owned()));
        assert_eq!(uploaded(200, br#"{"errcode":0}"#), Err(Answer::later("no media_id")));
        assert_eq!(uploaded(200, br#"{"errcode":93000}"#), Err(Answer::refused("errcode 93000")));
        let file = posted(&Message::File { media_id: "M1".to_owned() });
        assert_eq!(file, json!({ "msgtype": "file", "file": { "media_id": "M1" } }));
        let voice = posted(&Message::Voice { media_id: "M1".to_owned() });
        assert_eq!(voice, json!({ "msgtype": "voice", "voice": { "media_id": "M1" } }));
    }

    #[test]
    fn uploads_keep_within_their_limits() {
        let put = |media, n_bytes: usize| upload(&url(), media, "a", &vec![0; n_bytes]).map(|_| ());
        assert_eq!((put(Media::File, 6), put(Media::Voice, 2 << 20)), (Ok(()), Ok(())));
        assert!(matches!(put(Media::File, 5), Err(LimitError::TooLittle { len: 5, least: 6, .. })));
        assert!(matches!(put(Media::Voice, (2 << 20) + 1), Err(LimitError::TooMuch { what: "voice", .. })));
        assert!(matches!(put(Media::File, (20 << 20) + 1), Err(LimitError::TooMuch { what: "file", .. })));
    }

    #[test]
    fn answers_are_told_apart() {
        let answer = |code: i64| said(200, format!(r#"{{"errcode":{code},"errmsg":"x"}}"#).as_bytes());
        assert_eq!(answer(0), Answer::Taken);
        assert_eq!(answer(-1), Answer::later("errcode -1"));
        assert_eq!(answer(45_033), Answer::later("errcode 45033"));
        assert_eq!(answer(45_009), Answer::next_window("errcode 45009"));
        assert_eq!(answer(93_000), Answer::refused("errcode 93000"));
        assert_eq!(said(502, b"<html>"), Answer::later("status 502"));
    }
}
