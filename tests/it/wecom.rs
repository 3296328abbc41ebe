//! The WeCom callback through the real router: what is verified, refused, answered and acknowledged.

mod active;
mod aibot;
mod archive;
mod child;
mod commands;
mod contacts;
mod fixture;
mod gate;
mod kill;
mod meeting;
mod once;
mod simulated;
mod stand;
mod talk;
mod trouble;

use axum::http::StatusCode;
use serde_json::Value;
use yingda::store::Store;

use self::fixture::CORP;
use self::fixture::GREETING;
use self::fixture::Wecom;
use self::fixture::answer_to;
use self::fixture::envelope;
use self::fixture::farm_answer_to;
use self::fixture::get;
use self::fixture::history;
use self::fixture::post;
use self::fixture::send;
use self::fixture::tag;
use self::fixture::terms;
use self::fixture::words;
use self::fixture::world;

const MORE: &str = "\n（未完，回复“继续”看下文）";

fn vectors() -> Value {
    serde_json::from_str(include_str!("../data/wecom-vectors.json")).unwrap()
}

fn of<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap_or_else(|| panic!("{name} of {vector}"))
}

/// A published or made vector by its id.
fn vector<'v>(all: &'v Value, list: &str, id: &str) -> &'v Value {
    all[list].as_array().unwrap().iter().find(|vector| vector["id"] == id).unwrap()
}

/// Path and query of a vector's signature, with or without an `echostr`.
fn uri_of(app: &str, vector: &Value, echostr: bool) -> String {
    let mut uri = format!(
        "/wecom/{app}/callback?msg_signature={}&timestamp={}&nonce={}",
        of(vector, "msg_signature"),
        of(vector, "timestamp"),
        of(vector, "nonce")
    );
    if echostr {
        let encoded = of(vector, "encrypt").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        uri.push_str(&format!("&echostr={encoded}"));
    }
    uri
}

#[tokio::test]
async fn the_address_check_is_answered_with_the_bare_plaintext() {
    let (router, _disk) = world().await;
    let all = vectors();
    let d1 = vector(&all, "callback_vectors", "D1");
    let response = send(&router, get(&format!("/wecom/kf/callback?{}", of(d1, "query")))).await;
    assert_eq!((response.status, response.body.as_str()), (StatusCode::OK, of(d1, "plaintext")));

    // Configuration E has no receiver id; its plaintext is JSON and comes back as it is, unquoted.
    let e1 = vector(&all, "callback_vectors", "E1");
    let response = send(&router, get(&uri_of("aibot", e1, true))).await;
    assert_eq!((response.status, response.body.as_str()), (StatusCode::OK, of(e1, "plaintext")));
}

#[tokio::test]
async fn an_address_check_that_is_not_ours_is_refused_without_a_reason() {
    let (router, _disk) = world().await;
    let all = vectors();
    let d1 = vector(&all, "callback_vectors", "D1");
    let sound = format!("/wecom/kf/callback?{}", of(d1, "query"));
    let cases = [
        ("no parameters", "/wecom/kf/callback".to_owned()),
        ("signature", sound.replace("msg_signature=3", "msg_signature=4")),
        ("upper case signature", sound.replace("3487565667e35c", "3487565667E35C")),
        ("timestamp", sound.replace("timestamp=1735689600", "timestamp=1735689601")),
        ("nonce", sound.replace("nonce=1203405607", "nonce=1203405608")),
        ("echostr", sound.replace("echostr=F", "echostr=G")),
        ("a plus lost on the way", sound.replace("%2B", "+")),
        ("another app's address", sound.replace("/kf/", "/farm/")),
        ("receiver id", uri_of("kf", vector(&all, "negative_vectors", "N3"), true)),
    ];
    for (what, uri) in cases {
        assert_ne!(uri, sound);
        send(&router, get(&uri)).await.assert_refused(what);
    }
}

#[tokio::test]
async fn every_negative_vector_is_refused_and_leaves_nothing_behind() {
    let (router, disk) = world().await;
    let all = vectors();
    for vector in all["negative_vectors"].as_array().unwrap() {
        let id = of(vector, "id");
        let uri = uri_of("kf", vector, false);
        send(&router, post(&uri, envelope(of(vector, "encrypt")))).await.assert_refused(id);
        let json = serde_json::json!({ "encrypt": of(vector, "encrypt") });
        send(&router, post(&uri, json.to_string())).await.assert_refused(id);
    }
    assert_eq!(disk.store.callbacks_unanswered("kf").await.unwrap(), []);
}

#[tokio::test]
async fn each_tampered_value_of_a_message_is_refused_and_the_sound_one_still_answered() {
    let (router, disk) = world().await;
    let all = vectors();
    let d2 = vector(&all, "callback_vectors", "D2");
    let (uri, body) = (uri_of("kf", d2, false), of(d2, "post_body"));
    let encrypt = of(d2, "encrypt");
    let cases = [
        ("signature", uri.replace("msg_signature=", "msg_signature=0"), body.to_owned()),
        ("no signature", uri.replace("msg_signature=", "signature="), body.to_owned()),
        ("timestamp", uri.replace("timestamp=1", "timestamp=2"), body.to_owned()),
        ("nonce", uri.replace("nonce=", "nonce=x"), body.to_owned()),
        ("first block", uri.clone(), body.replace(&encrypt[..8], &encrypt[..8].to_lowercase())),
        ("cut", uri.clone(), body.replace(encrypt, &encrypt[..encrypt.len() - 4])),
        ("a blank more", uri.clone(), body.replace(encrypt, &format!(" {encrypt}"))),
        ("another app's address", uri.replace("/kf/", "/farm/"), body.to_owned()),
    ];
    for (what, tampered_uri, tampered) in cases {
        assert_ne!((tampered_uri.as_str(), tampered.as_str()), (uri.as_str(), body), "{what}");
        send(&router, post(&tampered_uri, tampered)).await.assert_refused(what);
    }
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 0);
    Wecom::kf().opened(&send(&router, post(&uri, body.to_owned())).await);
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2);
}

#[tokio::test]
async fn a_text_is_answered_to_the_member_from_the_corp() {
    let (router, disk) = world().await;
    let wecom = Wecom::kf();
    let xml = wecom.ask(&router, &wecom.text("User01", 1, "甲号")).await;
    assert_eq!(words(&xml, "User01"), answer_to("甲号"));
    assert_eq!(tag(&xml, "CreateTime").unwrap(), fixture::now().as_second().to_string());

    let history = history(disk.store.as_ref(), "shop", "user01").await;
    assert_eq!(history[0]["text"], "甲号");
    assert_eq!(history[1]["parts"][0]["text"], answer_to("甲号"));
    assert_eq!(history.len(), 2);
}

#[tokio::test]
async fn the_case_of_a_member_id_makes_no_second_person() {
    let (router, disk) = world().await;
    let wecom = Wecom::kf();
    wecom.ask(&router, &wecom.text("User01", 1, "甲号")).await;
    let xml = wecom.ask(&router, &wecom.text("USER01", 2, "乙号")).await;
    assert_eq!(words(&xml, "USER01"), answer_to("乙号"));
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 4);
}

#[tokio::test]
async fn choices_are_numbered_lines_and_the_number_picks_one() {
    let (router, _disk) = world().await;
    let (all, wecom) = (vectors(), Wecom::kf());
    let d2 = vector(&all, "callback_vectors", "D2");
    let response = send(&router, post(&uri_of("kf", d2, false), of(d2, "post_body").to_owned())).await;
    let asked = words(&wecom.opened(&response), "user01");
    assert_eq!(asked, "您想了解的是下面哪一个？回复数字就行：\n1. 怎么退货\n2. 都不是，转人工");
    let picked = wecom.ask(&router, &wecom.text("user01", 2, "1")).await;
    assert_eq!(words(&picked, "user01"), "签收七天内可以退货。");
}

#[tokio::test]
async fn a_picture_that_wecom_keeps_goes_out_as_a_picture() {
    let (router, _disk) = world().await;
    let wecom = Wecom::kf();
    let xml = wecom.ask(&router, &wecom.text("user01", 1, "尺码表")).await;
    assert_eq!(tag(&xml, "MsgType").unwrap(), "image");
    assert_eq!(tag(&xml, "Image").unwrap(), "<MediaId><![CDATA[MEDIA-1]]></MediaId>");
    assert_eq!(
        (tag(&xml, "ToUserName").unwrap(), tag(&xml, "FromUserName").unwrap()),
        ("user01".into(), CORP.into())
    );
}

#[tokio::test]
async fn a_picture_of_our_own_is_a_link_to_our_address() {
    let (router, _disk) = world().await;
    let wecom = Wecom::kf();
    let said = words(&wecom.ask(&router, &wecom.text("user01", 1, "尺码链接")).await, "user01");
    let (text, link) = said.split_once("\n\n尺码表：").unwrap();
    assert_eq!(text, "尺码表在这里：");
    assert!(link.starts_with("https://kf.example/a/shop/"), "{link}");
}

#[tokio::test]
async fn a_card_is_a_news_article() {
    let (router, _disk) = world().await;
    let wecom = Wecom::kf();
    let xml = wecom.ask(&router, &wecom.text("user01", 1, "上新")).await;
    let read = |name| tag(&xml, name).unwrap();
    assert_eq!((read("MsgType"), read("ArticleCount")), ("news".to_owned(), "1".to_owned()));
    assert_eq!((read("Title"), read("Description")), ("冬季上新".to_owned(), "全场包邮".to_owned()));
    assert_eq!(read("Url"), "https://shop.example/new");
    assert!(read("PicUrl").starts_with("https://kf.example/a/shop/"), "{xml}");
}

#[tokio::test]
async fn a_long_text_ends_on_a_sentence_and_goes_on_when_asked() {
    let (router, _disk) = world().await;
    let wecom = Wecom::kf();
    let (mut said, mut question, mut n_pieces) = (String::new(), "全部条款", 0);
    loop {
        n_pieces += 1;
        let piece = words(&wecom.ask(&router, &wecom.text("user01", n_pieces, question)).await, "user01");
        assert!(piece.len() <= 2048, "{} bytes", piece.len());
        let Some(part) = piece.strip_suffix(MORE) else {
            said.push_str(&piece);
            break;
        };
        assert!(part.ends_with('。'), "{part}");
        assert!(part.len() > 1024, "{} bytes are less than half of the room", part.len());
        said.push_str(part);
        question = "继续";
    }
    assert_eq!(said, terms().concat());
    assert!(n_pieces >= 3, "{n_pieces}");
    let after = wecom.ask(&router, &wecom.text("user01", 100, "继续")).await;
    assert_eq!(words(&after, "user01"), "刚才的内容已经发完啦。还有什么想了解的，直接问我就行。");
}

#[tokio::test]
async fn every_message_type_is_answered() {
    let (router, disk) = world().await;
    let wecom = Wecom::kf();
    let media = |kind: &str| format!("收到您发的{kind}了。");
    let cases = [
        ("text", "<Content><![CDATA[丙号]]></Content>", answer_to("丙号")),
        ("text", "<Content>丙号</Content><New>1</New>\n", answer_to("丙号")),
        ("image", "<PicUrl>https://a.example/p</PicUrl><MediaId>m</MediaId>", media("图片")),
        ("voice", "<MediaId>m</MediaId><Format>amr</Format>", media("语音")),
        ("video", "<MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>", media("视频")),
        (
            "location",
            "<Location_X>23.134</Location_X><Location_Y>113.358</Location_Y><Scale>20</Scale>\
             <Label><![CDATA[丁号]]></Label><AppType>wxwork</AppType>",
            answer_to("丁号"),
        ),
        (
            "link",
            "<Title>戊号</Title><Description>d</Description><Url>https://a.example</Url><PicUrl>p</PicUrl>",
            answer_to("戊号"),
        ),
    ];
    for (number, (msg_type, fields, expected)) in (1..).zip(&cases) {
        let fields = format!("{fields}<MsgId>{number}</MsgId>");
        let xml = wecom.ask(&router, &wecom.message("user01", msg_type, &fields)).await;
        let said = words(&xml, "user01");
        assert!(said.starts_with(expected.as_str()), "{fields}: {said}");
    }
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 2 * cases.len());
}

#[tokio::test]
async fn who_comes_in_is_greeted() {
    let (router, _disk) = world().await;
    let wecom = Wecom::kf();
    for event in ["enter_agent", "subscribe"] {
        let fields = format!("<Event><![CDATA[{event}]]></Event><EventKey><![CDATA[]]></EventKey>");
        let xml = wecom.ask(&router, &wecom.message("user01", "event", &fields)).await;
        assert_eq!(words(&xml, "user01"), GREETING, "{event}");
    }
}

#[tokio::test]
async fn events_and_types_with_nothing_to_say_are_acknowledged_with_an_empty_body() {
    let (router, disk) = world().await;
    let wecom = Wecom::kf();
    let event = |name: &str, fields: &str| ("user01", "event", format!("<Event>{name}</Event>{fields}"));
    let mut cases = vec![
        event("unsubscribe", ""),
        event("LOCATION", "<Latitude>23.1</Latitude><Longitude>113.3</Longitude><Precision>65</Precision>"),
        event("click", "<EventKey>menu-1</EventKey>"),
        event("view", "<EventKey>https://a.example</EventKey>"),
        event("view_miniprogram", "<EventKey>pages/a</EventKey>"),
        event(
            "location_select",
            "<SendLocationInfo><Location_X>23</Location_X><Label>x</Label></SendLocationInfo>",
        ),
        event(
            "template_card_event",
            "<EventKey>a</EventKey><TaskId>t</TaskId><ResponseCode>RC</ResponseCode>\
             <SelectedItems><SelectedItem><QuestionKey>q</QuestionKey><OpitonIds><OpitonId>o</OpitonId></OpitonIds></SelectedItem></SelectedItems>",
        ),
        event("template_card_menu_event", "<EventKey>a</EventKey><TaskId>t</TaskId>"),
        event("upload_media_job_finish", "<JobId>j</JobId>"),
        event("batch_job_result", "<BatchJob><JobId>j</JobId><ErrCode>0</ErrCode></BatchJob>"),
        event(
            "kf_account_auth_change",
            "<AuthAddOpenKfId>wk1</AuthAddOpenKfId><AuthAddOpenKfId>wk2</AuthAddOpenKfId>",
        ),
        event("something_of_next_year", ""),
        event("", ""),
        ("user01", "merged_forward", "<MsgId>1</MsgId>".to_owned()),
        ("user01", "", "<MsgId>2</MsgId>".to_owned()),
        ("", "text", "<Content>甲号</Content><MsgId>3</MsgId>".to_owned()),
        ("sys", "text", "<Content>甲号</Content><MsgId>4</MsgId>".to_owned()),
    ];
    cases.extend(["scancode_push", "scancode_waitmsg"].map(|name| {
        event(name, "<ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>")
    }));
    cases.extend(["pic_sysphoto", "pic_photo_or_album", "pic_weixin"].map(|name| {
        event(name, "<SendPicsInfo><Count>1</Count><PicList><item><PicMd5Sum>0</PicMd5Sum></item></PicList></SendPicsInfo>")
    }));
    cases.extend(
        [
            "inactive_alert",
            "close_inactive_agent",
            "reopen_inactive_agent",
            "low_active_alert",
            "low_active",
            "active_restored",
        ]
        .map(|name| event(name, "<EffectTime>1795485601</EffectTime>")),
    );
    let changes = [
        (
            "change_contact",
            "create_user update_user delete_user create_party update_party delete_party update_tag next",
        ),
        (
            "change_external_contact",
            "add_external_contact add_half_external_contact edit_external_contact del_external_contact del_follow_user transfer_fail msg_audit_approved next",
        ),
        ("change_external_chat", "create update dismiss next"),
        ("change_external_tag", "create update delete shuffle next"),
    ];
    for (name, kinds) in changes {
        for kind in kinds.split(' ') {
            let fields = format!(
                "<ChangeType>{kind}</ChangeType><UserID>user01</UserID><ExternalUserID>wm1</ExternalUserID><WelcomeCode>W</WelcomeCode>"
            );
            cases.push(("sys", "event", format!("<Event>{name}</Event>{fields}")));
        }
    }
    for (member, msg_type, fields) in &cases {
        let plaintext = wecom.message(member, msg_type, fields);
        wecom.deliver(&router, &plaintext).await.assert_acknowledged(&plaintext);
        wecom.deliver(&router, &plaintext).await.assert_acknowledged("the repeat");
    }
    // 微信客服 sends no `FromUserName` at all.
    let all = vectors();
    for id in ["D3", "C1"] {
        let vector = vector(&all, "callback_vectors", id);
        let response =
            send(&router, post(&uri_of("kf", vector, false), envelope(of(vector, "encrypt")))).await;
        response.assert_acknowledged(id);
    }
    assert_eq!(disk.store.callbacks_unanswered("kf").await.unwrap(), []);
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await.len(), 0, "nobody said anything");
}

#[tokio::test]
async fn hostile_and_broken_documents_are_refused_outside_and_inside_the_encryption() {
    let (router, disk) = world().await;
    let wecom = Wecom::kf();
    let laughs = "<!DOCTYPE xml [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    let external = "<!DOCTYPE xml [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>";
    let member = "<FromUserName>user01</FromUserName><MsgType>text</MsgType><MsgId>1</MsgId>";
    let broken = [
        ("empty", String::new()),
        ("a DTD", format!("<!DOCTYPE xml><xml>{member}<Content>甲号</Content></xml>")),
        ("an external entity", format!("{external}<xml>{member}<Content>&a;</Content></xml>")),
        ("an entity bomb", format!("{laughs}<xml>{member}<Content>&c;</Content></xml>")),
        ("an unknown entity", format!("<xml>{member}<Content>&nbsp;</Content></xml>")),
        ("not closed", format!("<xml>{member}<Content>甲号")),
        ("crossed", format!("<xml>{member}<Content>甲号</xml></Content>")),
        ("another root", format!("<html>{member}<Content>甲号</Content></html>")),
        ("two roots", format!("<xml>{member}</xml><xml/>")),
        ("too deep", format!("<xml>{}{}{member}</xml>", "<a>".repeat(5000), "</a>".repeat(5000))),
        ("no xml", "甲号".to_owned()),
    ];
    let (uri, body) = wecom.sealed(&wecom.text("user01", 1, "甲号"));
    for (what, document) in &broken {
        wecom.deliver(&router, document).await.assert_refused(what);
        // Outside, with the sound ciphertext within: the way in that needs no key.
        let sealed = tag(&body, "Encrypt").unwrap();
        let outer = document.replace(member, &format!("<Encrypt>{sealed}</Encrypt>"));
        send(&router, post(&uri, outer)).await.assert_refused(what);
    }
    send(&router, post(&uri, &b"<xml>\xff\xfe</xml>"[..])).await.assert_refused("no utf-8");
    assert_eq!(disk.store.callbacks_unanswered("kf").await.unwrap(), []);
    let answered = wecom.opened(&send(&router, post(&uri, body)).await);
    assert_eq!(words(&answered, "user01"), answer_to("甲号"), "the same id is still free");
}

#[tokio::test]
async fn control_characters_and_markup_in_a_text_lose_nothing() {
    let (router, disk) = world().await;
    let wecom = Wecom::kf();
    let xml = wecom.ask(&router, &wecom.text("user01", 1, "\u{2}甲\u{10}号\u{1d} <a>&amp;\u{b}")).await;
    assert_eq!(words(&xml, "user01"), answer_to("甲号"));
    assert_eq!(history(disk.store.as_ref(), "shop", "user01").await[0]["text"], "甲号 <a>&amp;");
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_read_and_one_byte_more_is_not() {
    let (router, disk) = world().await;
    let wecom = Wecom::kf();
    let (uri, body) = wecom.sealed(&wecom.text("user01", 1, "甲号"));
    let padded = |bytes: usize| body.replace("</xml>", &format!("{}</xml>", " ".repeat(bytes - body.len())));
    let refused = send(&router, post(&uri, padded((1 << 20) + 1))).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(disk.store.callbacks_unanswered("kf").await.unwrap(), []);
    let answered = wecom.opened(&send(&router, post(&uri, padded(1 << 20))).await);
    assert_eq!(words(&answered, "user01"), answer_to("甲号"));
}

#[tokio::test]
async fn an_unknown_app_is_not_found() {
    let (router, _disk) = world().await;
    let wecom = Wecom { app: "other", ..Wecom::kf() };
    let (uri, body) = wecom.sealed(&wecom.text("user01", 1, "甲号"));
    for response in [send(&router, post(&uri, body)).await, send(&router, get(&uri)).await] {
        assert_eq!(response.status, StatusCode::NOT_FOUND);
        assert!(response.body.contains("unknown-app"), "{}", response.body);
        assert!(!response.body.contains("other"), "{}", response.body);
    }
}

#[tokio::test]
async fn two_apps_of_one_process_do_not_mix() {
    let (router, disk) = world().await;
    let (kf, farm) = (Wecom::kf(), Wecom::farm());
    // The same member, the same words, the same message id: only the app differs.
    let shop = kf.ask(&router, &kf.text("user01", 1, "甲号")).await;
    let orchard = farm.ask(&router, &farm.text("user01", 1, "甲号")).await;
    assert_eq!(words(&shop, "user01"), answer_to("甲号"));
    assert_eq!(tag(&orchard, "Content").unwrap(), farm_answer_to("甲号"));
    assert_eq!(tag(&orchard, "FromUserName").unwrap(), farm.corp);
    for bot in ["shop", "farm"] {
        assert_eq!(history(disk.store.as_ref(), bot, "user01").await.len(), 2, "{bot}");
    }
    // Sealed for one app, sent to the other's address.
    for (sender, app) in [(&kf, "farm"), (&farm, "kf")] {
        let astray = Wecom { app, ..sender.clone() };
        astray.deliver(&router, &sender.text("user01", 2, "甲号")).await.assert_refused(app);
    }
}
