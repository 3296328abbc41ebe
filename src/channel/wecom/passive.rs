//! The reply inside the HTTP answer to a callback: one message, whatever number of parts the bot has to say.
//!
//! Source: WeCom developer centre, 被动回复消息 (path 90241). Limits are in UTF-8 bytes and kept when the XML is
//! written; a text is cut between characters, because WeCom's own cut leaves half of one.

use std::fmt::Write;

use jiff::civil::Date;

use crate::channel::wecom::xml::push_cdata;
use crate::channel::wecom::xml::without_illegal;
use crate::message::Asset;
use crate::message::Card;
use crate::message::Channel;
use crate::message::Part;
use crate::message::Reply;

/// Most bytes of the title of an article or a video.
const TITLE_BYTES_MAX: usize = 128;
/// Most bytes of the words below a title.
const DESCRIPTION_BYTES_MAX: usize = 512;
/// Most articles of one message.
const ARTICLES_MAX: usize = 8;
/// Stands at the end of what was cut.
const ELLIPSIS: &str = "…";
/// Said when a reply comes down to no words at all, because an empty message is refused by WeCom.
pub(super) const NOTHING_TO_SHOW: &str = "已收到您的消息。";

/// A passive reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passive {
    /// Words.
    Text(String),
    /// A picture that WeCom keeps.
    Image {
        /// Id of the picture.
        media_id: String,
    },
    /// A voice clip that WeCom keeps.
    Voice {
        /// Id of the clip.
        media_id: String,
    },
    /// A video that WeCom keeps.
    Video {
        /// Id of the video.
        media_id: String,
        /// First line.
        title: String,
        /// Words below it.
        description: String,
    },
    /// Articles with picture and link; those after the eighth are not sent.
    News(Vec<Article>),
}

/// One article of a news message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// First line.
    pub title: String,
    /// Words below it, which WeCom may show for a lone article only.
    pub description: String,
    /// Absolute address of the picture.
    pub picture_url: Option<String>,
    /// Absolute address that a tap leads to.
    pub url: Option<String>,
}

impl Passive {
    /// The XML to encrypt, with every limit kept and every character legal.
    ///
    /// * `to_user`: UserID of the member. `from_corp`: CorpID.
    /// * `created_at`: unix seconds.
    ///
    /// ```
    /// use yingda::channel::wecom::passive::Passive;
    ///
    /// let xml = Passive::Text("您好".to_owned()).to_xml("user01", "ww1", 1735689603);
    /// assert!(xml.ends_with("<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[您好]]></Content></xml>"));
    /// ```
    #[must_use]
    pub fn to_xml(&self, to_user: &str, from_corp: &str, created_at: i64) -> String {
        let mut xml = "<xml>".to_owned();
        push_cdata(&mut xml, "ToUserName", to_user);
        push_cdata(&mut xml, "FromUserName", from_corp);
        push_number(&mut xml, "CreateTime", created_at);
        push_cdata(&mut xml, "MsgType", self.msg_type());
        match self {
            Self::Text(text) => {
                let bytes_max = Channel::WecomApp.text_bytes_max().unwrap_or(usize::MAX);
                push_cdata(&mut xml, "Content", &cut(text, bytes_max));
            }
            Self::Image { media_id } => {
                push_within(&mut xml, "Image", |xml| push_cdata(xml, "MediaId", media_id))
            }
            Self::Voice { media_id } => {
                push_within(&mut xml, "Voice", |xml| push_cdata(xml, "MediaId", media_id))
            }
            Self::Video { media_id, title, description } => push_within(&mut xml, "Video", |xml| {
                push_cdata(xml, "MediaId", media_id);
                push_cdata(xml, "Title", &cut(title, TITLE_BYTES_MAX));
                push_cdata(xml, "Description", &cut(description, DESCRIPTION_BYTES_MAX));
            }),
            Self::News(articles) => push_articles(&mut xml, articles.get(..ARTICLES_MAX).unwrap_or(articles)),
        }
        xml.push_str("</xml>");
        xml
    }

    fn msg_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Image { .. } => "image",
            Self::Voice { .. } => "voice",
            Self::Video { .. } => "video",
            Self::News(_) => "news",
        }
    }
}

/// How a part is put into words.
pub type Words<'w> = dyn Fn(&Part) -> String + 'w;

/// Where an asset is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Its public address.
    pub url: String,
    /// The last day on which that works; `None`: for ever.
    pub until: Option<Date>,
}

/// Chooses the one message that shows a reply best.
///
/// Cards, alone or with text, become articles; a lone picture or voice that WeCom keeps is sent as itself; anything
/// else becomes one text, with links where there is something to open. Nothing that fits is left out.
///
/// * `links`: the public address of an asset, where there is one.
/// * `picture_url`: the public address of a card's picture, which is a path below the bot's folder or an address.
/// * Returns a message with at least one visible character.
#[must_use]
pub fn plan(
    reply: &Reply,
    links: &dyn Fn(&Asset) -> Option<Linked>,
    picture_url: &dyn Fn(&str) -> Option<String>,
) -> Passive {
    if let Some(passive) = lone_media(&reply.parts) {
        return passive;
    }
    if let Some(articles) = articles(&reply.parts, picture_url) {
        return Passive::News(articles);
    }
    let blocks: Vec<String> =
        reply.parts.iter().map(|part| as_words(part, links)).filter(|words| is_visible(words)).collect();
    if blocks.is_empty() {
        return Passive::Text(NOTHING_TO_SHOW.to_owned());
    }
    Passive::Text(blocks.join("\n\n"))
}

fn lone_media(parts: &[Part]) -> Option<Passive> {
    let media_id = |asset: &Asset| asset.media_id.clone().filter(|id| is_visible(id));
    match parts {
        [Part::Image(asset)] => Some(Passive::Image { media_id: media_id(asset)? }),
        [Part::Voice(asset)] => Some(Passive::Voice { media_id: media_id(asset)? }),
        _ => None,
    }
}

/// The articles of a reply of cards, with or without text; `None` when there are other parts or the text has no room.
fn articles(parts: &[Part], picture_url: &dyn Fn(&str) -> Option<String>) -> Option<Vec<Article>> {
    let mut texts = Vec::new();
    let mut articles = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) if is_visible(text) => texts.push(text.trim()),
            Part::Text(_) => {}
            Part::Card(card) => articles.push(article(card, picture_url)),
            Part::Choices { .. } | Part::Image(_) | Part::File(_) | Part::Voice(_) | Part::Link { .. } => {
                return None;
            }
        }
    }
    let all_titled = articles.iter().all(|article| is_visible(&article.title));
    if articles.is_empty() || !all_titled {
        return None;
    }
    if texts.is_empty() {
        return Some(articles);
    }
    with_text(articles, &texts.join("\n\n"))
}

fn article(card: &Card, picture_url: &dyn Fn(&str) -> Option<String>) -> Article {
    Article {
        title: card.title.clone(),
        description: card.description.clone(),
        picture_url: card.picture.as_deref().and_then(picture_url),
        url: card.url.clone(),
    }
}

/// Puts the text where it will be seen: above the words of a lone article, else as a title of its own in front.
fn with_text(mut articles: Vec<Article>, text: &str) -> Option<Vec<Article>> {
    if let [lone] = articles.as_mut_slice() {
        let description = format!("{text}\n{}", lone.description);
        description.trim_end().clone_into(&mut lone.description);
        return (lone.description.len() <= DESCRIPTION_BYTES_MAX).then_some(articles);
    }
    if text.len() > TITLE_BYTES_MAX || articles.len() >= ARTICLES_MAX {
        return None;
    }
    let front = Article { title: text.to_owned(), description: String::new(), picture_url: None, url: None };
    articles.insert(0, front);
    Some(articles)
}

/// A part as words.
///
/// * `links`: the public address of an asset, where there is one.
#[must_use]
pub fn as_words(part: &Part, links: &dyn Fn(&Asset) -> Option<Linked>) -> String {
    match part {
        Part::Text(text) => text.trim().to_owned(),
        Part::Choices { prompt, options } => {
            let numbered =
                (1..).zip(options).map(|(number, option): (usize, _)| format!("{number}. {option}"));
            let lines: Vec<String> =
                std::iter::once(prompt.clone()).chain(numbered).filter(|line| is_visible(line)).collect();
            lines.join("\n")
        }
        Part::Card(card) => {
            let lines =
                [card.title.as_str(), card.description.as_str(), card.url.as_deref().unwrap_or_default()];
            let lines: Vec<&str> = lines.into_iter().filter(|line| is_visible(line)).collect();
            lines.join("\n")
        }
        Part::Image(asset) | Part::File(asset) | Part::Voice(asset) => {
            let linked = links(asset);
            let words = titled_link(&asset.title, linked.as_ref().map(|linked| linked.url.as_str()));
            // On a line of its own, so that no telephone takes it for a part of the address.
            match linked.and_then(|linked| linked.until) {
                Some(day) => format!("{words}\n（{}年{}月{}日前有效）", day.year(), day.month(), day.day()),
                None => words,
            }
        }
        Part::Link { title, url } => titled_link(title, Some(url)),
    }
}

fn titled_link(title: &str, url: Option<&str>) -> String {
    match url.filter(|url| is_visible(url)) {
        Some(url) if is_visible(title) => format!("{title}：{url}"),
        Some(url) => url.to_owned(),
        None => title.to_owned(),
    }
}

/// Whether anything is left of the words once illegal characters and blanks are gone.
pub(super) fn is_visible(words: &str) -> bool {
    !without_illegal(words).trim().is_empty()
}

/// The words, or as many whole characters of them as leave room for `…`; at most `bytes_max` bytes.
pub(super) fn cut(words: &str, bytes_max: usize) -> String {
    let mut legal = without_illegal(words).into_owned();
    if legal.len() > bytes_max {
        legal.truncate(legal.floor_char_boundary(bytes_max - ELLIPSIS.len()));
        legal.push_str(ELLIPSIS);
    }
    legal
}

fn push_articles(xml: &mut String, articles: &[Article]) {
    push_number(xml, "ArticleCount", articles.len());
    push_within(xml, "Articles", |xml| {
        for article in articles {
            push_within(xml, "item", |xml| {
                push_cdata(xml, "Title", &cut(&article.title, TITLE_BYTES_MAX));
                push_cdata(xml, "Description", &cut(&article.description, DESCRIPTION_BYTES_MAX));
                push_cdata(xml, "PicUrl", article.picture_url.as_deref().unwrap_or_default());
                push_cdata(xml, "Url", article.url.as_deref().unwrap_or_default());
            });
        }
    });
}

fn push_number(xml: &mut String, name: &str, number: impl std::fmt::Display) {
    write!(xml, "<{name}>{number}</{name}>").expect("writing to a String cannot fail");
}

fn push_within(xml: &mut String, name: &str, content: impl FnOnce(&mut String)) {
    write!(xml, "<{name}>").expect("writing to a String cannot fail");
    content(xml);
    write!(xml, "</{name}>").expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::wecom::xml::Element;

    fn read(passive: &Passive) -> Element {
        Element::parse(&passive.to_xml("user01", "ww1", 1_735_689_603)).expect("what we write is sound")
    }

    fn asset(title: &str, media_id: Option<&str>) -> Asset {
        Asset {
            path: "attachments/a".to_owned(),
            title: title.to_owned(),
            media_id: media_id.map(str::to_owned),
        }
    }

    fn card(title: &str, description: &str) -> Part {
        Part::Card(Card {
            title: title.to_owned(),
            description: description.to_owned(),
            url: Some("https://a.example/1".to_owned()),
            picture: Some("p.png".to_owned()),
        })
    }

    fn article(title: &str, description: &str) -> Article {
        Article {
            title: title.to_owned(),
            description: description.to_owned(),
            picture_url: Some("https://a.example/p.png".to_owned()),
            url: Some("https://a.example/1".to_owned()),
        }
    }

    fn planned(parts: Vec<Part>) -> Passive {
        plan(
            &Reply { parts },
            &|asset| Some(Linked { url: format!("https://a.example/{}", asset.path), until: None }),
            &|path| Some(format!("https://a.example/{path}")),
        )
    }

    #[track_caller]
    fn check(parts: Vec<Part>, expected: Passive) {
        assert_eq!(planned(parts.clone()), expected, "{parts:?}");
    }

    fn text(words: &str) -> Passive {
        Passive::Text(words.to_owned())
    }

    #[test]
    fn each_kind_is_written_as_documented() {
        let xml = |passive: Passive| passive.to_xml("u", "c", 1);
        let head = |msg_type: &str| {
            format!(
                "<xml><ToUserName><![CDATA[u]]></ToUserName><FromUserName><![CDATA[c]]></FromUserName><CreateTime>1</CreateTime><MsgType><![CDATA[{msg_type}]]></MsgType>"
            )
        };
        let media_id = || "m1".to_owned();
        assert_eq!(xml(text("您好")), head("text") + "<Content><![CDATA[您好]]></Content></xml>");
        assert_eq!(
            xml(Passive::Image { media_id: media_id() }),
            head("image") + "<Image><MediaId><![CDATA[m1]]></MediaId></Image></xml>"
        );
        assert_eq!(
            xml(Passive::Voice { media_id: media_id() }),
            head("voice") + "<Voice><MediaId><![CDATA[m1]]></MediaId></Voice></xml>"
        );
        assert_eq!(
            xml(Passive::Video { media_id: media_id(), title: "t".to_owned(), description: "d".to_owned() }),
            head("video")
                + "<Video><MediaId><![CDATA[m1]]></MediaId><Title><![CDATA[t]]></Title><Description><![CDATA[d]]></Description></Video></xml>"
        );
        assert_eq!(
            xml(Passive::News(vec![article("t", "d")])),
            head("news")
                + "<ArticleCount>1</ArticleCount><Articles><item><Title><![CDATA[t]]></Title><Description><![CDATA[d]]></Description><PicUrl><![CDATA[https://a.example/p.png]]></PicUrl><Url><![CDATA[https://a.example/1]]></Url></item></Articles></xml>"
        );
    }

    #[test]
    fn markup_and_control_characters_survive_or_vanish() {
        assert_eq!(read(&text("a<b>&amp; ]]> ]]\u{2}> c\u{0}")).text("Content"), "a<b>&amp; ]]> ]]> c");
        let odd = text("x").to_xml("]]></ToUserName><A>", "ww1", 1);
        assert_eq!(Element::parse(&odd).expect("sound XML").text("ToUserName"), "]]></ToUserName><A>");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let content = |words: String| read(&Passive::Text(words)).text("Content");
        // 682 characters of 3 bytes are 2,046 bytes.
        assert_eq!(content("字".repeat(682) + "ab"), "字".repeat(682) + "ab");
        assert_eq!(content("字".repeat(682) + "abc"), "字".repeat(681) + "…");
        assert_eq!(content("😀".repeat(513)), "😀".repeat(511) + "…");
        assert_eq!(content("\u{2}".repeat(5000) + "a"), "a", "what is left out does not count");
    }

    #[test]
    fn titles_and_descriptions_keep_their_limits() {
        let news = Passive::News(vec![article(&"题".repeat(100), &"述".repeat(300))]);
        let root = read(&news);
        let item = root.child("Articles").and_then(|articles| articles.child("item")).expect("an article");
        assert_eq!(item.text("Title"), "题".repeat(41) + "…");
        assert_eq!(item.text("Description"), "述".repeat(169) + "…");
    }

    #[test]
    fn at_most_eight_articles_are_written() {
        for (n_cards, expected) in [(8, 8), (9, 8)] {
            let root = read(&planned(vec![card("t", "d"); n_cards]));
            assert_eq!(root.number("ArticleCount"), Some(expected));
            assert_eq!(root.child("Articles").map(|articles| articles.all_children().len()), Some(expected));
        }
    }

    #[test]
    fn cards_become_articles() {
        check(vec![card("鞋", "轻")], Passive::News(vec![article("鞋", "轻")]));
        check(
            vec![card("鞋", "轻"), card("袜", "厚")],
            Passive::News(vec![article("鞋", "轻"), article("袜", "厚")]),
        );
    }

    #[test]
    fn text_beside_cards_stays_visible() {
        let words = || Part::Text("看看这款：".to_owned());
        check(vec![words(), card("鞋", "轻")], Passive::News(vec![article("鞋", "看看这款：\n轻")]));
        check(vec![card("鞋", ""), words()], Passive::News(vec![article("鞋", "看看这款：")]));
        check(vec![Part::Text(" \n".to_owned()), card("鞋", "轻")], Passive::News(vec![article("鞋", "轻")]));
        let front = Article {
            title: "看看这款：".to_owned(),
            description: String::new(),
            picture_url: None,
            url: None,
        };
        check(
            vec![words(), card("鞋", "轻"), card("袜", "厚")],
            Passive::News(vec![front, article("鞋", "轻"), article("袜", "厚")]),
        );
    }

    #[test]
    fn text_without_room_beside_cards_makes_one_text() {
        let long = "长".repeat(171);
        check(
            vec![Part::Text(long.clone()), card("鞋", "轻")],
            Passive::Text(format!("{long}\n\n鞋\n轻\nhttps://a.example/1")),
        );
        let eight = [vec![Part::Text("看".to_owned())], vec![card("鞋", ""); 8]].concat();
        assert!(matches!(planned(eight), Passive::Text(_)));
    }

    #[test]
    fn a_lone_picture_or_voice_that_wecom_keeps_is_sent_as_itself() {
        check(vec![Part::Image(asset("尺码表", Some("m1")))], Passive::Image { media_id: "m1".to_owned() });
        check(vec![Part::Voice(asset("问候", Some("m2")))], Passive::Voice { media_id: "m2".to_owned() });
        check(vec![Part::Image(asset("尺码表", None))], text("尺码表：https://a.example/attachments/a"));
        check(vec![Part::File(asset("说明书", Some("m3")))], text("说明书：https://a.example/attachments/a"));
    }

    #[test]
    fn everything_else_is_one_text() {
        let choices = Part::Choices {
            prompt: "您想问哪一个？".to_owned(),
            options: vec!["退货".to_owned(), "换货".to_owned()],
        };
        let link = Part::Link { title: "官网".to_owned(), url: "https://a.example".to_owned() };
        check(
            vec![
                Part::Text("您好".to_owned()),
                choices,
                Part::Image(asset("尺码表", Some("m1"))),
                link,
                card("鞋", "轻"),
            ],
            text(
                "您好\n\n您想问哪一个？\n1. 退货\n2. 换货\n\n尺码表：https://a.example/attachments/a\n\n官网：https://a.example\n\n鞋\n轻\nhttps://a.example/1",
            ),
        );
    }

    #[test]
    fn a_link_says_how_long_it_works() {
        let reply = Reply { parts: vec![Part::File(asset("说明书", None))] };
        let linked =
            Linked { url: "https://a.example/x".to_owned(), until: Some(jiff::civil::date(2026, 11, 30)) };
        assert_eq!(
            plan(&reply, &|_| Some(linked.clone()), &|_| None),
            text("说明书：https://a.example/x\n（2026年11月30日前有效）")
        );
    }

    #[test]
    fn an_asset_without_link_is_named() {
        let reply = Reply { parts: vec![Part::File(asset("说明书", None))] };
        assert_eq!(plan(&reply, &|_| None, &|_| None), text("说明书"));
    }

    #[test]
    fn a_reply_without_words_still_says_something() {
        let nothing = text(NOTHING_TO_SHOW);
        check(Vec::new(), nothing.clone());
        check(vec![Part::Text(" \n\u{2}".to_owned())], nothing.clone());
        check(vec![Part::Choices { prompt: String::new(), options: Vec::new() }], nothing.clone());
        assert_eq!(
            plan(&Reply { parts: vec![Part::Image(asset("", Some(" ")))] }, &|_| None, &|_| None),
            nothing
        );
        let bare = Card { title: String::new(), description: "轻".to_owned(), url: None, picture: None };
        check(vec![Part::Card(bare)], text("轻"));
    }

    proptest! {
        #[test]
        fn any_text_is_written_within_the_limit(words in r"(\PC|[\x00-\x1f]|\]\]>){0,1200}") {
            let content = read(&Passive::Text(words)).text("Content");
            prop_assert!(content.len() <= 2048);
        }

        #[test]
        fn no_reply_comes_out_empty(words in proptest::collection::vec(r"(\PC|\s|[\x00-\x1f]){0,3}", 0..4)) {
            let parts = words.into_iter().map(Part::Text).collect();
            let root = read(&planned(parts));
            prop_assert!(!root.text("Content").trim().is_empty());
        }
    }
}
