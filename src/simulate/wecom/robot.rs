//! Robots of groups, who speak through an address with a key. Source: WeCom developer centre, 群机器人 (path 99110).

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::Parameters;
use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::media;
use crate::simulate::wecom::media::Part;
use crate::simulate::wecom::picture;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

pub(super) const SEND: &str = "webhook/send";
pub(super) const UPLOAD: &str = "webhook/upload_media";

/// Messages of one robot in a minute.
const MINUTE_MAX: usize = 20;

/// Most bytes of a text, and of either markdown.
const TEXT_BYTES_MAX: usize = 2_048;
const MARKDOWN_BYTES_MAX: usize = 4_096;

/// Most bytes of a picture, a file and a voice; a file has more than the least.
const MIB: usize = 1_024 * 1_024;
const IMAGE_BYTES_MAX: usize = 2 * MIB;
const FILE_BYTES_MAX: usize = 20 * MIB;
const VOICE_BYTES_MAX: usize = 2 * MIB;
const MEDIA_BYTES_MIN: usize = 6;

/// For so long an uploaded file is kept.
const MEDIA_LIFE: SignedDuration = SignedDuration::from_hours(72);

/// What AMR begins with.
const AMR: &[u8] = b"#!AMR";

/// What a robot has done.
#[derive(Default)]
pub(super) struct Robot {
    sent: Vec<Timestamp>,
    /// Files of its own, by id.
    media: BTreeMap<String, Media>,
}

struct Media {
    kind: String,
    name: String,
    until: Timestamp,
}

pub(super) fn send(
    world: &mut World,
    key: Option<&str>,
    body: Option<&Value>,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let group = group(world, key)?;
    let body = body.filter(|body| body.is_object()).ok_or_else(|| Refusal::new(93_017, "empty body"))?;
    let fields = Fields::new(SEND, body);
    let kind = fields.text("msgtype", 40_008)?;
    fields.known(&["msgtype", kind], &mut world.ledger);
    let message = content(world, &group, &fields, kind, now)?;
    let sent = &mut world.robots.entry(group.clone()).or_default().sent;
    sent.retain(|at| now.duration_since(*at) < SignedDuration::from_mins(1));
    if sent.len() >= MINUTE_MAX {
        return Err(Refusal::new(45_009, format!("more than {MINUTE_MAX} messages a minute")));
    }
    sent.push(now);
    world.arrives(&group, "robot", &message, now);
    Ok(json!({}))
}

/// The group whose robot has this key.
fn group(world: &World, key: Option<&str>) -> Result<String, Refusal> {
    let robot = key.and_then(|key| world.plan.robots.iter().find(|robot| robot.key.matches(key)));
    robot.map(|robot| robot.group.clone()).ok_or_else(|| Refusal::new(93_000, "invalid webhook url"))
}

fn content(
    world: &mut World,
    group: &str,
    fields: &Fields<'_>,
    kind: &str,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let inner = fields.object(kind)?;
    match kind {
        "text" => {
            inner.known(&["content", "mentioned_list", "mentioned_mobile_list"], &mut world.ledger);
            let words = words(&inner, TEXT_BYTES_MAX)?;
            let members = inner.texts_if_any("mentioned_list")?;
            let mobiles = inner.texts_if_any("mentioned_mobile_list")?;
            let mentioned = [members, mobiles].concat();
            Ok(json!({ "msgtype": kind, "content": words, "mentioned": mentioned }))
        }
        "markdown" => {
            inner.known(&["content"], &mut world.ledger);
            Ok(json!({ "msgtype": kind, "content": words(&inner, MARKDOWN_BYTES_MAX)? }))
        }
        "markdown_v2" => {
            inner.known(&["content"], &mut world.ledger);
            let words = words(&inner, MARKDOWN_BYTES_MAX)?;
            for (sign, what) in [("<@", "mentions"), ("<font", "colours")] {
                if words.contains(sign) {
                    world.ledger.breaks(SEND, format!("markdown_v2 knows no {what}"));
                }
            }
            Ok(json!({ "msgtype": kind, "content": words }))
        }
        "image" => {
            inner.known(&["base64", "md5"], &mut world.ledger);
            let bytes = picture::read(&inner, IMAGE_BYTES_MAX)?;
            Ok(json!({ "msgtype": kind, "bytes": bytes }))
        }
        "news" => {
            inner.known(&["articles"], &mut world.ledger);
            let articles = inner.list("articles")?;
            if !(1..=8).contains(&articles.len()) {
                return Err(Refusal::new(45_008, "article count out of limit"));
            }
            for article in articles {
                let own = Fields::new(SEND, article);
                own.known(&["title", "description", "url", "picurl"], &mut world.ledger);
                own.within("title", own.text("title", 41_016)?, 128)?;
                own.within("description", own.words_if_any("description")?.unwrap_or_default(), 512)?;
                own.address_if_any("url")?.ok_or_else(|| Refusal::new(40_058, "an article without url"))?;
                own.address_if_any("picurl")?;
            }
            Ok(json!({ "msgtype": kind, "articles": articles }))
        }
        "file" | "voice" => {
            inner.known(&["media_id"], &mut world.ledger);
            let id = inner.text("media_id", 41_006)?;
            let robot = world.robots.entry(group.to_owned()).or_default();
            let media = robot.media.get(id).filter(|media| media.kind == kind);
            let media = media.ok_or_else(|| Refusal::new(40_007, "invalid media_id"))?;
            if media.until <= now {
                return Err(Refusal::new(40_145, "media_id expired"));
            }
            Ok(json!({ "msgtype": kind, "content": format!("[{kind}] {}", media.name) }))
        }
        "template_card" => card(world, &inner),
        _ => Err(Refusal::new(40_008, format!("a robot sends no {kind}"))),
    }
}

fn words<'r>(inner: &Fields<'r>, bytes_max: usize) -> Result<&'r str, Refusal> {
    let words = inner.text("content", 44_004)?;
    if words.len() > bytes_max {
        return Err(Refusal::new(45_002, format!("content has {} bytes, at most {bytes_max}", words.len())));
    }
    Ok(words)
}

/// A card that only tells: a robot hears no button.
fn card(world: &mut World, card: &Fields<'_>) -> Result<Value, Refusal> {
    let kind = card.text("card_type", 42_031)?;
    let own: &[&str] = match kind {
        "text_notice" => &["emphasis_content", "sub_title_text"],
        "news_notice" => &["card_image", "image_text_area", "vertical_content_list"],
        _ => return Err(Refusal::new(42_031, format!("a robot sends no {kind}"))),
    };
    let all = [
        "card_type",
        "source",
        "main_title",
        "quote_area",
        "card_action",
        "horizontal_content_list",
        "jump_list",
    ];
    card.known(&[&all[..], own].concat(), &mut world.ledger);
    for (name, items_max) in [("horizontal_content_list", 6), ("jump_list", 3), ("vertical_content_list", 4)]
    {
        if card.has(name) && card.list(name)?.len() > items_max {
            return Err(Refusal::new(40_058, format!("{name} has more than {items_max} items")));
        }
    }
    let action = card.object_if_any("card_action")?;
    let action = action.ok_or_else(|| Refusal::new(42_045, "missing card_action"))?;
    match action.number_if_any("type")? {
        Some(1) => {
            action.address_if_any("url")?.ok_or_else(|| Refusal::new(42_028, "missing url"))?;
        }
        Some(2) => {
            action.text("appid", 42_045)?;
        }
        _ => return Err(Refusal::new(42_045, "card_action.type is neither 1 nor 2")),
    }
    let title = card.object_if_any("main_title")?;
    let title = title.map(|title| title.words_if_any("title")).transpose()?.flatten().unwrap_or_default();
    let below = card.words_if_any("sub_title_text")?.unwrap_or_default();
    if title.is_empty() && (kind == "news_notice" || below.is_empty()) {
        return Err(Refusal::new(41_016, "missing title"));
    }
    if kind == "news_notice" && !card.has("card_image") && !card.has("image_text_area") {
        return Err(Refusal::new(40_058, "neither card_image nor image_text_area"));
    }
    let content = format!("{title}\n{below}");
    Ok(json!({ "msgtype": "template_card", "card_type": kind, "content": content.trim() }))
}

/// A file for one robot.
///
/// * `parts`: of the form; a refusal where it could not be read.
pub(super) fn upload(
    world: &mut World,
    parameters: &Parameters,
    parts: Result<&[Part], &Refusal>,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let group = group(world, parameters.key.as_deref())?;
    let wanted = parameters.kind.as_deref().filter(|kind| matches!(*kind, "file" | "voice"));
    let wanted = wanted.ok_or_else(|| Refusal::new(40_005, "type is neither file nor voice"))?;
    let (file, filename) = media::file(parts.map_err(Clone::clone)?)?;
    let bytes = file.bytes.len();
    if bytes < MEDIA_BYTES_MIN {
        return Err(Refusal::new(40_006, format!("a file of {bytes} bytes, at least {MEDIA_BYTES_MIN}")));
    }
    let bytes_max = if wanted == "file" { FILE_BYTES_MAX } else { VOICE_BYTES_MAX };
    if bytes > bytes_max {
        return Err(Refusal::new(45_001, format!("a file of {bytes} bytes, at most {bytes_max}")));
    }
    if wanted == "voice" && !file.bytes.starts_with(AMR) {
        return Err(Refusal::new(40_004, "voice is no amr"));
    }
    let id = world.id("media");
    let media = Media { kind: wanted.to_owned(), name: filename.to_owned(), until: now + MEDIA_LIFE };
    world.robots.entry(group).or_default().media.insert(id.clone(), media);
    // A text here, where other times are numbers.
    Ok(json!({ "type": wanted, "media_id": id, "created_at": now.as_second().to_string() }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use md5::Digest as _;
    use md5::Md5;

    use super::*;
    use crate::simulate::wecom::tests::Server;
    use crate::text::hex::lower_hex;

    const KEY: &str = "simulator-key-of-robot";

    async fn send(server: &Server, key: &str, body: impl Into<Body>) -> i64 {
        let request = Request::post(format!("/cgi-bin/webhook/send?key={key}"));
        let request = request.header("content-type", "application/json").body(body.into()).unwrap();
        server.send(request).await["errcode"].as_i64().unwrap()
    }

    async fn upload(server: &Server, kind: &str, content: &[u8]) -> Value {
        let head = "--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.amr\"\r\n\r\n";
        brings(server, kind, [head.as_bytes(), content, b"\r\n--b--\r\n"].concat()).await
    }

    async fn brings(server: &Server, kind: &str, form: impl Into<Body>) -> Value {
        let request = Request::post(format!("/cgi-bin/webhook/upload_media?key={KEY}&type={kind}"));
        let request = request.header("content-type", "multipart/form-data; boundary=b");
        server.send(request.body(form.into()).unwrap()).await
    }

    fn picture(bytes: &[u8]) -> Value {
        let md5 = lower_hex(&Md5::digest(bytes));
        json!({ "msgtype": "image", "image": { "base64": STANDARD.encode(bytes), "md5": md5 } })
    }

    #[tokio::test]
    async fn each_type_keeps_its_limits() {
        let server = Server::open().await;
        let text = |n: usize| json!({ "msgtype": "text", "text": { "content": "x".repeat(n) } });
        let markdown = |kind: &str, n: usize| json!({ "msgtype": kind, kind: { "content": "x".repeat(n) } });
        let mut forged = picture(PNG);
        forged["image"]["md5"] = json!("0".repeat(32));
        let article = json!({ "title": "标题", "url": "https://a.example/" });
        let news = |articles: Vec<Value>| json!({ "msgtype": "news", "news": { "articles": articles } });
        let card = |card: Value| json!({ "msgtype": "template_card", "template_card": card });
        let action = json!({ "type": 1, "url": "https://a.example/" });
        let title = json!({ "title": "新工单" });
        let notice = json!({ "card_type": "text_notice", "main_title": title, "card_action": action });
        let cases = [
            (text(2_048), 0),
            (text(2_049), 45_002),
            (text(0), 44_004),
            (markdown("markdown", 4_096), 0),
            (markdown("markdown", 4_097), 45_002),
            (markdown("markdown_v2", 4_097), 45_002),
            (picture(PNG), 0),
            (forged, 40_123),
            (picture(b"GIF89a"), 40_123),
            (picture(&[0xff; IMAGE_BYTES_MAX + 1]), 93_018),
            (json!({ "msgtype": "image", "image": { "base64": "?", "md5": "0" } }), 40_058),
            (news(vec![article.clone(); 8]), 0),
            (news(vec![article; 9]), 45_008),
            (news(vec![json!({ "url": "https://a.example/" })]), 41_016),
            (news(vec![json!({ "title": "标题", "url": "a.example" })]), 45_034),
            (json!({ "msgtype": "file", "file": {} }), 41_006),
            (json!({ "msgtype": "file", "file": { "media_id": "other" } }), 40_007),
            (json!({ "msgtype": "video", "video": {} }), 40_008),
            (json!({ "msgtype": "text" }), 40_035),
            (card(notice.clone()), 0),
            (card(json!({ "card_type": "button_interaction" })), 42_031),
            (card(json!({ "card_type": "text_notice", "main_title": title })), 42_045),
            (
                card(
                    json!({ "card_type": "text_notice", "main_title": title, "card_action": { "type": 1 } }),
                ),
                42_028,
            ),
            (card(json!({ "card_type": "text_notice", "card_action": action })), 41_016),
            (card(json!({ "card_type": "news_notice", "main_title": title, "card_action": action })), 40_058),
        ];
        for (body, code) in cases {
            let told = body.to_string();
            let shown = told.chars().take(120).collect::<String>();
            assert_eq!(send(&server, KEY, told).await, code, "{shown}");
        }
        assert_eq!(send(&server, "other", "{}").await, 93_000);
        assert_eq!(send(&server, KEY, "").await, 93_017);
        assert_eq!(server.broken().await, Vec::<String>::new());
        let coloured = json!({ "msgtype": "markdown_v2", "markdown_v2": { "content": "<@lilei> <font>" } });
        assert_eq!(send(&server, KEY, coloured.to_string()).await, 0);
        let tapped = card({
            let mut card = notice;
            card["task_id"] = json!("t");
            card
        });
        assert_eq!(send(&server, KEY, tapped.to_string()).await, 0);
        let broken = server.broken().await;
        assert_eq!(
            broken,
            ["markdown_v2 knows no mentions", "markdown_v2 knows no colours", "no field is called task_id"]
        );
    }

    #[tokio::test]
    async fn twenty_messages_a_minute_reach_the_group() {
        let server = Server::open().await;
        let body = json!({ "msgtype": "text", "text": { "content": "请看", "mentioned_list": ["@all"] } });
        for _ in 0..20 {
            assert_eq!(send(&server, KEY, body.to_string()).await, 0);
        }
        assert_eq!(send(&server, KEY, body.to_string()).await, 45_009);
        server.control("clock", json!({ "advance_seconds": 60 })).await;
        assert_eq!(send(&server, KEY, body.to_string()).await, 0);
        let phones = server.control_view("phones").await;
        let shown = phones["phones"]["值班群"].as_array().unwrap();
        assert_eq!(shown.len(), 21);
        assert_eq!(shown[0]["message"]["mentioned"], json!(["@all"]));
    }

    #[tokio::test]
    async fn a_file_is_the_robots_own_for_three_days() {
        let server = Server::open().await;
        for (kind, content, code) in [
            ("image", &b"abcdef"[..], 40_005),
            ("file", b"abcde", 40_006),
            ("voice", b"RIFF....", 40_004),
            ("voice", &[AMR, &[0; VOICE_BYTES_MAX]].concat(), 45_001),
            ("file", &vec![0; FILE_BYTES_MAX + 1], 45_001),
        ] {
            assert_eq!(upload(&server, kind, content).await["errcode"], code, "{kind}");
        }
        let uploaded = upload(&server, "file", b"abcdef").await;
        assert_eq!(uploaded["created_at"], "1795485600");
        let file = json!({ "msgtype": "file", "file": { "media_id": uploaded["media_id"] } }).to_string();
        let voice = json!({ "msgtype": "voice", "voice": { "media_id": uploaded["media_id"] } }).to_string();
        assert_eq!(send(&server, KEY, file.clone()).await, 0);
        assert_eq!(send(&server, KEY, voice).await, 40_007, "it is no voice");
        server.control("clock", json!({ "advance_seconds": 259_200 })).await;
        assert_eq!(send(&server, KEY, file).await, 40_145);
        assert_eq!(server.broken().await, Vec::<String>::new());
        let request = Request::post(format!("/cgi-bin/webhook/upload_media?key={KEY}&type=file"));
        let request = request.header("content-type", "application/json").body("{}".into()).unwrap();
        assert_eq!(server.send(request).await["errcode"], 44_001);
        assert_eq!(server.broken().await, ["content type is not multipart/form-data"]);
    }

    #[tokio::test]
    async fn a_form_without_a_whole_file_brings_nothing() {
        let server = Server::open().await;
        let form = "--b\r\nContent-Disposition: form-data; name=\"filelength\"\r\n\r\n6\r\n\
                    --b\r\ncontent-disposition: form-data; name=\"media\"; filename=\"报表.txt\"\r\n\
                    Content-Type: text/plain\r\n\r\nab\r\n-c\r\n--b--\r\n";
        for (form, code) in [
            (form.to_owned(), 0),
            (form.replace("name=\"media\"", "name=\"file\""), 44_001),
            (form.replace("; filename=\"报表.txt\"", ""), 44_001),
            (form.replace("--b--", ""), 44_001),
            (form.replace("--b", "--other"), 44_001),
            (String::new(), 44_001),
        ] {
            assert_eq!(brings(&server, "file", form.clone()).await["errcode"], code, "{form}");
        }
    }

    /// The first bytes of a PNG.
    const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
}
