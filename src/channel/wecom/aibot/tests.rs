//! Every message and event of the bot's interface, mentions and quotes, and the vectors without a receiver id.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::channel::wecom::crypto::CallbackKey;
use crate::channel::wecom::crypto::CryptoError;
use crate::channel::wecom::envelope::Envelope;
use crate::channel::wecom::vectors;
use crate::secret::Secret;

const NAME: &str = "小云";

fn parse(value: &Value) -> BotMessage {
    BotMessage::parse(&value.to_string()).expect("a sound message")
}

/// A message of `User01`, in the group `wrA` where there is one.
fn message(group: bool, msg_type: &str, own: Value) -> Value {
    let mut value = json!({
        "msgid": "CAIQ1",
        "aibotid": "AIB1",
        "chattype": if group { "group" } else { "single" },
        "from": { "userid": "User01" },
        "response_url": "https://a.example/r?response_code=RC1",
        "msgtype": msg_type,
    });
    if group {
        value["chatid"] = json!("wrA");
    }
    value[msg_type] = own;
    value
}

fn event(name: &str, own: Value) -> Value {
    message(false, "event", json!({ "eventtype": name, name: own }))
}

fn words(text: &str) -> Option<Said> {
    Some(Said { content: Content::Text(text.to_owned()), with: Vec::new() })
}

fn alone(content: Content) -> Option<Said> {
    Some(Said { content, with: Vec::new() })
}

#[track_caller]
fn check(value: &Value, body: Body, said: Option<Said>) {
    let message = parse(value);
    assert_eq!((message.body.clone(), message.said(NAME)), (body, said), "{value}");
}

#[test]
fn every_message_type_is_typed() {
    let url = || "https://a.example/f".to_owned();
    check(
        &message(false, "text", json!({ "content": "年假有几天" })),
        Body::Text { content: "年假有几天".to_owned() },
        words("年假有几天"),
    );
    let own = json!({ "url": url() });
    check(&message(false, "image", own.clone()), Body::Image { url: url() }, alone(Content::Image));
    check(&message(false, "file", own.clone()), Body::File { url: url() }, alone(Content::File));
    check(&message(false, "video", own.clone()), Body::Video { url: url() }, alone(Content::Video));
    check(
        &message(false, "voice", json!({ "content": "年假有几天" })),
        Body::Voice { content: "年假有几天".to_owned() },
        words("年假有几天"),
    );
    check(&message(false, "voice", json!({})), Body::Voice { content: String::new() }, alone(Content::Voice));
    check(
        &message(false, "stream", json!({ "id": "s1" })),
        Body::Refresh { stream_id: "s1".to_owned() },
        None,
    );
    check(
        &message(false, "merged", json!({ "new": 1 })),
        Body::Unknown { msg_type: "merged".to_owned(), event: None },
        None,
    );
}

#[test]
fn a_mixed_message_is_its_words_with_its_pictures() {
    let picture = || json!({ "msgtype": "image", "image": { "url": "u" } });
    let text = |words: &str| json!({ "msgtype": "text", "text": { "content": words } });
    let mixed = |items: Vec<Value>| message(true, "mixed", json!({ "msg_item": items }));
    let said = |items| parse(&mixed(items)).said(NAME).expect("something to answer");

    let both = said(vec![text("@小云 这张单子"), picture(), text("能报吗"), json!({ "msgtype": "new" })]);
    assert_eq!(both.content, Content::Text("这张单子\n能报吗".to_owned()));
    assert_eq!(both.with, [MessageKind::Image]);
    let pictures = said(vec![text("@小云 "), picture(), picture()]);
    assert_eq!((pictures.content, pictures.with), (Content::Image, vec![MessageKind::Image]));
    let nothing = said(vec![]);
    assert_eq!((nothing.content, nothing.with), (Content::Text(String::new()), vec![]));
}

#[test]
fn every_event_is_typed_in_both_spellings() {
    check(&event("enter_chat", json!({})), Body::Entered, alone(Content::Entered));
    let tap = |card: &str, key: &str| {
        event(
            "template_card_event",
            json!({ card: "vote_interaction", key: "k1", "task_id": "t1", "selected_items": {
                "selected_item": [{ "question_key": "q1", "option_ids": { "option_id": ["o1", "o2"] } }] } }),
        )
    };
    let tapped = || {
        Body::CardTapped(Tap {
            card_type: "vote_interaction".to_owned(),
            event_key: "k1".to_owned(),
            task_id: "t1".to_owned(),
            selected: vec![("q1".to_owned(), vec!["o1".to_owned(), "o2".to_owned()])],
        })
    };
    check(&tap("card_type", "event_key"), tapped(), None);
    check(&tap("cardtype", "eventkey"), tapped(), None);
    for (kind, opinion) in
        [(1, Opinion::Good), (2, Opinion::Bad), (3, Opinion::Withdrawn), (9, Opinion::Unknown)]
    {
        let own = json!({ "id": "s1", "type": kind, "content": "不对", "inaccurate_reason_list": [2, 3] });
        let feedback =
            Feedback { id: "s1".to_owned(), opinion, content: "不对".to_owned(), reasons: vec![2, 3] };
        check(&event("feedback_event", own), Body::Feedback(feedback), None);
    }
    check(
        &event("something_of_next_year", json!({ "a": [1] })),
        Body::Unknown { msg_type: "event".to_owned(), event: Some("something_of_next_year".to_owned()) },
        None,
    );
    check(
        &message(false, "event", json!({})),
        Body::Unknown { msg_type: "event".to_owned(), event: Some(String::new()) },
        None,
    );
}

#[test]
fn a_mention_is_taken_off_where_it_stands_at_an_end() {
    let asked = |group, text: &str| {
        let said = parse(&message(group, "text", json!({ "content": text }))).said(NAME);
        said.map(|said| said.content.as_text().to_owned()).expect("something to answer")
    };
    for (text, expected) in [
        ("@小云 考勤制度", "考勤制度"),
        ("@小云\u{2005}考勤制度", "考勤制度"),
        (" @小云\u{3000} 考勤制度 ", "考勤制度"),
        ("@小云\u{200b}考勤制度", "考勤制度"),
        ("@小云\n考勤制度", "考勤制度"),
        ("@云朵助手 考勤制度", "考勤制度"),
        ("@小云考勤制度", "考勤制度"),
        ("考勤制度 @小云", "考勤制度"),
        ("考勤制度@小云 ", "考勤制度"),
        ("@小云 @张三 的邮箱", "@张三 的邮箱"),
        ("@小云 考勤找 @张三", "考勤找 @张三"),
        ("发到 hr@yunduo.example", "发到 hr@yunduo.example"),
        ("@ 考勤制度", "@ 考勤制度"),
        ("@小云\u{2005}", ""),
        ("@小云", ""),
        ("考勤制度", "考勤制度"),
    ] {
        assert_eq!(asked(true, text), expected, "{text:?}");
    }
    assert_eq!(asked(false, "@小云 考勤制度"), "考勤制度");
    assert_eq!(asked(false, "考勤找 @张三"), "考勤找 @张三", "in private nobody has to mention the bot");
}

#[test]
fn who_only_mentions_the_bot_asks_what_is_quoted() {
    let quote = |text: &str, quoted: Value| {
        let mut value = message(true, "text", json!({ "content": text }));
        value["quote"] = quoted;
        parse(&value)
    };
    let earlier = || json!({ "msgtype": "text", "text": { "content": " 年假有几天 " } });
    let bare = quote("@小云 ", earlier());
    assert_eq!(bare.quote, Some(Body::Text { content: " 年假有几天 ".to_owned() }));
    assert_eq!(bare.said(NAME), words("年假有几天"));
    assert_eq!(quote("@小云 病假呢", earlier()).said(NAME), words("病假呢"));
    let picture = json!({ "msgtype": "image", "image": { "url": "u" } });
    assert_eq!(quote("@小云 ", picture).said(NAME), alone(Content::Image));
    assert_eq!(quote("@小云 ", json!({ "msgtype": "new" })).said(NAME), words(""));
    assert_eq!(quote("@小云 ", json!("text")).quote, None);
}

#[test]
fn nobody_is_called_like_another() {
    let of = |chat_type: Option<&str>, chat_id: Option<&str>, user_id: &str| {
        let mut value =
            json!({ "from": { "userid": user_id }, "msgtype": "text", "text": { "content": "a" } });
        if let Some(chat_type) = chat_type {
            value["chattype"] = json!(chat_type);
        }
        if let Some(chat_id) = chat_id {
            value["chatid"] = json!(chat_id);
        }
        parse(&value).customer_id()
    };
    assert_eq!(of(Some("single"), None, "User01"), "user01");
    assert_eq!(of(None, None, "User01"), "user01");
    assert_eq!(of(Some("single"), Some("wrA"), "User01"), "user01");
    assert_eq!(of(Some("group"), Some("wrA"), "User01"), "wrA user01");
    assert_eq!(of(None, Some("wrA"), "User01"), "wrA user01");
    assert_ne!(of(Some("group"), None, "User01"), "user01", "a group without an id is no private talk");
    assert_eq!(of(Some("group"), Some("wrA"), ""), "");
}

#[test]
fn ids_that_could_be_taken_for_others_are_refused() {
    let parsed = |chat_id: &str, user_id: &str| {
        let value = json!({ "chatid": chat_id, "from": { "userid": user_id } });
        BotMessage::parse(&value.to_string())
    };
    let longest = "u".repeat(ID_BYTES_MAX);
    assert!(parsed(&longest, &longest).expect("both fit").customer_id().len() <= 256);
    for (what, bytes, result) in [
        ("userid", 128, parsed("wrA", &"u".repeat(128))),
        ("chatid", 128, parsed(&"c".repeat(128), "u")),
        ("userid", 3, parsed("wrA", "a b")),
        ("chatid", 5, parsed("w\u{3000}A", "u")),
    ] {
        assert_eq!(result, Err(BotMessageError::Id { what, bytes }));
    }
}

#[test]
fn a_message_is_known_again_by_its_id_and_without_one_by_all_it_says() {
    let text = |msg_id: &str, words: &str| {
        let mut value = message(false, "text", json!({ "content": words }));
        value["msgid"] = json!(msg_id);
        let plaintext = value.to_string();
        BotMessage::parse(&plaintext).expect("sound").stream_id(&plaintext)
    };
    let first = text("m1", "a");
    assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{first}");
    assert_eq!(first, text("m1", "b"));
    assert_ne!(first, text("m2", "a"));
    assert_eq!(text("", "a"), text("", "a"));
    assert_ne!(text("", "a"), text("", "b"));
}

#[test]
fn what_nobody_sent_is_not_answered() {
    let mut value = message(true, "text", json!({ "content": "考勤制度" }));
    value["from"] = json!({ "corpid": "ww1" });
    assert_eq!(parse(&value).said(NAME), None);
}

#[test]
fn text_that_is_no_object_is_refused_and_not_quoted() {
    let error = BotMessage::parse("{\"msgid\":\"s3cret\",}").expect_err("a comma too much");
    assert!(matches!(error, BotMessageError::Json { line: 1, .. }) && error.code() == -40012);
    assert!(!error.to_string().contains("s3cret"));
    for text in ["[]", "1", "null", "\"a\""] {
        assert_eq!(BotMessage::parse(text), Err(BotMessageError::NoObject), "{text}");
    }
    for text in ["", "<xml></xml>", "{\"a\":1} x"] {
        assert!(matches!(BotMessage::parse(text), Err(BotMessageError::Json { .. })), "{text}");
    }
}

fn of<'v>(object: &'v Value, name: &str) -> &'v str {
    object[name].as_str().unwrap_or_else(|| panic!("{name} of {object}"))
}

fn key(config: &Value, receive_id: &str) -> CallbackKey {
    let secret = |name: &str| Secret::new(of(config, name));
    CallbackKey::new(&secret("token"), &secret("encoding_aes_key"), receive_id)
        .expect("a sound configuration")
}

#[test]
fn vector_e1_reads_as_the_message_it_is_and_nothing_else_opens() {
    let all = vectors();
    let e1 = all["callback_vectors"].as_array().unwrap().iter().find(|vector| vector["id"] == "E1").unwrap();
    let config = &all["configs"]["E"];
    let own = key(config, "");
    let envelope = Envelope::parse(of(e1, "post_body").as_bytes()).expect("a sound envelope");
    let (signature, timestamp, nonce) = (of(e1, "msg_signature"), of(e1, "timestamp"), of(e1, "nonce"));
    let encrypt = envelope.encrypt.as_str();
    let plaintext = own.open(signature, timestamp, nonce, encrypt).expect("ours");
    assert_eq!(plaintext, of(e1, "plaintext"));
    let message = BotMessage::parse(&plaintext).expect("sound JSON");
    assert_eq!((message.msg_id.as_str(), message.bot_id.as_str()), ("CAIQtest0001", "AIBOTID01"));
    assert_eq!((message.customer_id().as_str(), message.chat.clone()), ("user01", Chat::Single));
    assert_eq!(message.said(NAME), words("你好"));

    for (what, opened) in [
        ("signature", own.open(&signature.replace('b', "c"), timestamp, nonce, encrypt)),
        ("timestamp", own.open(signature, "1735689605", nonce, encrypt)),
        ("nonce", own.open(signature, timestamp, "n0nce-5", encrypt)),
        ("ciphertext", own.open(signature, timestamp, nonce, &encrypt[4..])),
        ("token", key(&all["configs"]["D"], "").open(signature, timestamp, nonce, encrypt)),
    ] {
        assert_eq!(opened, Err(CryptoError::Signature), "{what}");
    }
    let corp = key(config, "wwfac7test00000001");
    assert_eq!(corp.open(signature, timestamp, nonce, encrypt), Err(CryptoError::ReceiveId { bytes: 0 }));
}

#[test]
fn what_is_meant_for_an_app_is_not_opened_by_a_bot() {
    let all = vectors();
    let d2 = all["callback_vectors"].as_array().unwrap().iter().find(|vector| vector["id"] == "D2").unwrap();
    // Token and AES key of the app, and no receiver id.
    let bot = key(&all["configs"]["D"], "");
    let opened = bot.open(of(d2, "msg_signature"), of(d2, "timestamp"), of(d2, "nonce"), of(d2, "encrypt"));
    assert_eq!(opened, Err(CryptoError::ReceiveId { bytes: 18 }));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in r"(\PC|[\x00-\x1f]){0,80}", group in any::<bool>()) {
        let _refused = BotMessage::parse(&text);
        let parsed = parse(&message(group, "text", json!({ "content": text })));
        let said = parsed.said(NAME).expect("words of somebody");
        prop_assert!(said.content.as_text().len() <= text.len());
    }

    #[test]
    fn no_json_makes_the_reader_panic(
        msg_type in "text|image|mixed|voice|stream|event|quote|from",
        own in r#"null|1|"a"|\[1\]|\{"content":1\}|\{"eventtype":"feedback_event","feedback_event":\[\]\}|\{"msg_item":\{\}\}"#,
    ) {
        let text = format!(r#"{{"msgtype":"{msg_type}","{msg_type}":{own},"from":{{"userid":"u"}}}}"#);
        let parsed = BotMessage::parse(&text).expect("a JSON object");
        let _any = parsed.said(NAME);
    }
}
