//! What messages say, type by type: read as the tables have it, and shown as phones do.
//!
//! Sources: WeCom developer centre, 发送应用消息 (path 90236), 微信客服发送消息 (94677).

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::fields::Fields;
use crate::simulate::wecom::media::Kind;
use crate::simulate::wecom::refusal::Refusal;
use crate::simulate::wecom::world::World;

/// Most bytes of a text; the rest is cut.
const TEXT_BYTES_MAX: usize = 2_048;

/// Most bytes of titles and descriptions where they are counted in bytes.
const TITLE_BYTES_MAX: usize = 128;
const DESCRIPTION_BYTES_MAX: usize = 512;

/// The same of a textcard, in characters, and its button's.
const TITLE_CHARS_MAX: usize = 128;
const DESCRIPTION_CHARS_MAX: usize = 512;
const BUTTON_CHARS_MAX: usize = 4;

/// Most bytes of addresses: of pages, and of pages of mini-programs.
const URL_BYTES_MAX: usize = 2_048;
const PAGE_BYTES_MAX: usize = 128;

/// Most articles of one message, and bytes of what only those of `mpnews` have.
const ARTICLES_MAX: usize = 8;
const AUTHOR_BYTES_MAX: usize = 64;
const ARTICLE_BYTES_MAX: usize = 666 << 10;

/// Most lines of a mini-program's notice.
const NOTICE_LINES_MAX: usize = 10;

/// A message to a member as it appears.
pub(super) fn for_member(
    world: &mut World,
    fields: &Fields<'_>,
    kind: &str,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let inner = fields.object(kind)?;
    Ok(match kind {
        "text" | "markdown" => text(world, &inner, kind)?,
        "image" | "voice" | "file" => {
            inner.known(&["media_id"], &mut world.ledger);
            medium(world, &inner, kind, now)?
        }
        "video" => {
            inner.known(&["media_id", "title", "description"], &mut world.ledger);
            let mut shown = medium(world, &inner, kind, now)?;
            let title = inner.text_if_any("title")?;
            shown["title"] =
                json!(title.map(|title| inner.cut("title", title, TITLE_BYTES_MAX, &mut world.ledger)));
            let words = inner.text_if_any("description")?;
            shown["content"] = json!(words.map(|words| inner.cut(
                "description",
                words,
                DESCRIPTION_BYTES_MAX,
                &mut world.ledger
            )));
            shown
        }
        "textcard" => {
            inner.known(&["title", "description", "url", "btntxt"], &mut world.ledger);
            let (title, words) = (inner.text("title", 41_016)?, inner.text("description", 41_033)?);
            let title = inner.cut_chars("title", title, TITLE_CHARS_MAX, &mut world.ledger);
            let words = inner.cut_chars("description", words, DESCRIPTION_CHARS_MAX, &mut world.ledger);
            let url = address(&inner, "url", inner.text("url", 42_028)?)?;
            let button = inner.text_if_any("btntxt")?.unwrap_or("详情");
            let button = inner.cut_chars("btntxt", button, BUTTON_CHARS_MAX, &mut world.ledger);
            json!({ "msgtype": kind, "title": title, "content": words, "url": url, "button": button })
        }
        "news" | "mpnews" => {
            inner.known(&["articles"], &mut world.ledger);
            let articles = inner.list("articles")?;
            if !(1..=ARTICLES_MAX).contains(&articles.len()) {
                let words = format!("{} articles, 1 to {ARTICLES_MAX} are possible", articles.len());
                return Err(Refusal::new(45_008, words));
            }
            let read = if kind == "news" { article } else { own_article };
            let shown = articles.iter().map(|one| read(world, &inner.of(one), now));
            json!({ "msgtype": kind, "articles": shown.collect::<Result<Vec<_>, _>>()? })
        }
        "miniprogram_notice" => {
            notice(world, &inner)?;
            json!({ "msgtype": kind, "title": inner.text("title", 41_016)?,
                    "content": inner.text_if_any("description")?, "lines": inner.list("content_item")? })
        }
        _ => return Err(Refusal::new(40_008, format!("there is no msgtype {kind}"))),
    })
}

/// A message to a customer of 微信客服 as it appears.
pub(super) fn for_customer(
    world: &mut World,
    fields: &Fields<'_>,
    kind: &str,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let inner = fields.object(kind)?;
    Ok(match kind {
        "text" => text(world, &inner, kind)?,
        "image" | "voice" | "video" | "file" => {
            inner.known(&["media_id"], &mut world.ledger);
            medium(world, &inner, kind, now)?
        }
        "msgmenu" => menu(world, &inner)?,
        "link" => {
            inner.known(&["title", "desc", "url", "thumb_media_id"], &mut world.ledger);
            let title = inner.text("title", 41_016)?;
            inner.within("title", title, TITLE_BYTES_MAX)?;
            let words = inner.text_if_any("desc")?;
            inner.within("desc", words.unwrap_or_default(), DESCRIPTION_BYTES_MAX)?;
            let url = address(&inner, "url", inner.text("url", 40_058)?)?;
            let picture = thumb(world, &inner, now)?;
            json!({ "msgtype": kind, "title": title, "content": words, "url": url, "media_id": picture })
        }
        "miniprogram" => {
            inner.known(&["appid", "title", "thumb_media_id", "pagepath"], &mut world.ledger);
            inner.text("appid", 40_063)?;
            let title = inner.text_if_any("title")?;
            inner.within("title", title.unwrap_or_default(), 64)?;
            let page = inner.text("pagepath", 40_063)?;
            if !page.ends_with(".html") {
                return Err(Refusal::new(40_058, format!("pagepath {page} does not end in .html")));
            }
            let picture = thumb(world, &inner, now)?;
            json!({ "msgtype": kind, "title": title, "url": page, "media_id": picture })
        }
        "location" => {
            inner.known(&["name", "address", "latitude", "longitude"], &mut world.ledger);
            let place = [inner.text_if_any("name")?, inner.text_if_any("address")?];
            let (north, east) = (inner.degrees("latitude", 90.0)?, inner.degrees("longitude", 180.0)?);
            let words = place.into_iter().flatten().collect::<Vec<_>>().join(" ");
            json!({ "msgtype": kind, "content": format!("{words} {north},{east}").trim_start() })
        }
        "business_card" => {
            inner.known(&["userid"], &mut world.ledger);
            let member = inner.text("userid", 41_009)?;
            if !world.plan.members.contains(&member.to_lowercase()) {
                return Err(Refusal::new(40_003, format!("invalid userid {member}")));
            }
            json!({ "msgtype": kind, "content": member })
        }
        "ca_link" => {
            inner.known(&["link_url"], &mut world.ledger);
            let url = address(&inner, "link_url", inner.text("link_url", 40_058)?)?;
            json!({ "msgtype": kind, "url": url })
        }
        _ => return Err(Refusal::new(40_008, format!("there is no msgtype {kind}"))),
    })
}

/// An address of a page, with its scheme.
pub(super) fn address<'u>(fields: &Fields<'_>, name: &str, url: &'u str) -> Result<&'u str, Refusal> {
    fields.within(name, url, URL_BYTES_MAX)?;
    fields.with_scheme(name, url)
}

/// The filename of a medium of that kind.
pub(super) fn filename(world: &World, id: &str, kind: Kind, now: Timestamp) -> Result<String, Refusal> {
    let medium = world.medium(id, now)?;
    if medium.kind == kind {
        return Ok(medium.filename.clone());
    }
    Err(Refusal::new(40_004, format!("the media_id is of a {:?}, not of a {kind:?}", medium.kind)))
}

fn text(world: &mut World, inner: &Fields<'_>, kind: &str) -> Result<Value, Refusal> {
    inner.known(&["content"], &mut world.ledger);
    let words = inner.text("content", 44_004)?;
    let words = inner.cut("content", words, TEXT_BYTES_MAX, &mut world.ledger);
    Ok(json!({ "msgtype": kind, "content": words }))
}

fn medium(world: &World, inner: &Fields<'_>, kind: &str, now: Timestamp) -> Result<Value, Refusal> {
    let id = inner.text("media_id", 41_006)?;
    let of = Kind::named(kind).ok_or_else(|| Refusal::new(40_008, format!("there is no msgtype {kind}")))?;
    let filename = filename(world, id, of, now)?;
    Ok(json!({ "msgtype": kind, "media_id": id, "filename": filename }))
}

/// The small picture that stands for something.
fn thumb<'r>(world: &World, inner: &Fields<'r>, now: Timestamp) -> Result<&'r str, Refusal> {
    let id = inner.text("thumb_media_id", 41_006)?;
    filename(world, id, Kind::Image, now)?;
    Ok(id)
}

fn article(world: &mut World, own: &Fields<'_>, _now: Timestamp) -> Result<Value, Refusal> {
    own.known(&["title", "description", "url", "picurl", "appid", "pagepath"], &mut world.ledger);
    let title = own.cut("title", own.text("title", 41_016)?, TITLE_BYTES_MAX, &mut world.ledger);
    let words = own.text_if_any("description")?;
    let words = words.map(|words| own.cut("description", words, DESCRIPTION_BYTES_MAX, &mut world.ledger));
    let url = own.text_if_any("url")?.map(|url| address(own, "url", url)).transpose()?;
    let picture = own.text_if_any("picurl")?.map(|url| address(own, "picurl", url)).transpose()?;
    if url.is_none() {
        own.text("appid", 42_028)?;
        own.within("pagepath", own.text("pagepath", 42_028)?, PAGE_BYTES_MAX)?;
    }
    Ok(json!({ "title": title, "description": words, "url": url, "picurl": picture }))
}

fn own_article(world: &mut World, own: &Fields<'_>, now: Timestamp) -> Result<Value, Refusal> {
    let names = ["title", "thumb_media_id", "author", "content_source_url", "content", "digest"];
    own.known(&names, &mut world.ledger);
    let title = own.cut("title", own.text("title", 41_016)?, TITLE_BYTES_MAX, &mut world.ledger);
    let picture = thumb(world, own, now)?;
    let author = own.text_if_any("author")?;
    let author = author.map(|author| own.cut("author", author, AUTHOR_BYTES_MAX, &mut world.ledger));
    let url = own.text_if_any("content_source_url")?;
    let url = url.map(|url| address(own, "content_source_url", url)).transpose()?;
    let n_bytes = own.text("content", 44_004)?.len();
    if n_bytes > ARTICLE_BYTES_MAX {
        let words = format!("content has {n_bytes} bytes, at most {ARTICLE_BYTES_MAX}");
        return Err(Refusal::new(45_002, words));
    }
    let digest = own.text_if_any("digest")?;
    let digest = digest.map(|words| own.cut("digest", words, DESCRIPTION_BYTES_MAX, &mut world.ledger));
    Ok(json!({ "title": title, "description": digest, "author": author, "url": url, "media_id": picture }))
}

fn notice(world: &mut World, inner: &Fields<'_>) -> Result<(), Refusal> {
    let names = ["appid", "page", "title", "description", "emphasis_first_item", "content_item"];
    inner.known(&names, &mut world.ledger);
    inner.text("appid", 40_063)?;
    let lines = inner.list("content_item")?;
    if lines.len() > NOTICE_LINES_MAX {
        let words = format!("content_item has {} items, at most {NOTICE_LINES_MAX}", lines.len());
        return Err(Refusal::new(40_058, words));
    }
    for line in lines {
        let own = inner.of(line);
        own.known(&["key", "value"], &mut world.ledger);
        own.text("key", 40_063)?;
        own.text("value", 40_063)?;
    }
    Ok(())
}

fn menu(world: &mut World, inner: &Fields<'_>) -> Result<Value, Refusal> {
    inner.known(&["head_content", "list", "tail_content"], &mut world.ledger);
    let [head, tail] = [inner.text_if_any("head_content")?, inner.text_if_any("tail_content")?];
    inner.within("head_content", head.unwrap_or_default(), 1_024)?;
    inner.within("tail_content", tail.unwrap_or_default(), 1_024)?;
    let items = inner.list("list")?;
    let n_tapped = items.iter().filter(|item| item["type"] != "text").count();
    if items.len() > 50 || n_tapped > 10 {
        return Err(Refusal::new(95_008, "too many menu items"));
    }
    items.iter().try_for_each(|item| menu_item(world, &inner.of(item)))?;
    Ok(json!({ "msgtype": "msgmenu", "head": head, "items": items, "tail": tail }))
}

fn menu_item(world: &mut World, fields: &Fields<'_>) -> Result<(), Refusal> {
    let kind = fields.text("type", 95_009)?;
    fields.known(&["type", kind], &mut world.ledger);
    let inner = fields.object(kind)?;
    let content_max = match kind {
        "click" => {
            inner.known(&["id", "content"], &mut world.ledger);
            if let Some(id) = inner.text_if_any("id")? {
                inner.within("id", id, 128)?;
                if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                    let words = "a menu id has other signs than letters, figures and _";
                    return Err(Refusal::new(40_058, words));
                }
            }
            128
        }
        "view" => {
            inner.known(&["url", "content"], &mut world.ledger);
            inner.within("url", inner.text("url", 40_058)?, URL_BYTES_MAX)?;
            1_024
        }
        "miniprogram" => {
            inner.known(&["appid", "pagepath", "content"], &mut world.ledger);
            inner.within("appid", inner.text("appid", 40_058)?, 32)?;
            inner.within("pagepath", inner.text("pagepath", 40_058)?, 1_024)?;
            1_024
        }
        "text" => {
            inner.known(&["content", "no_newline"], &mut world.ledger);
            256
        }
        _ => return Err(Refusal::new(95_009, "invalid menu item type")),
    };
    inner.within("content", inner.text("content", 40_058)?, content_max)
}
