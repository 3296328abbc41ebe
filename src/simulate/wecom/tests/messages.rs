//! Every type of message: what it needs, what is cut, and what is refused.

use super::media::MP4;
use super::media::PNG;
use super::*;

fn to_member(kind: &str, object: Value) -> Value {
    json!({ "touser": "lilei", "msgtype": kind, "agentid": 1_000_001, kind: object })
}

fn to_customer(kind: &str, object: Value) -> Value {
    json!({ "touser": "wm", "open_kfid": KF, "msgtype": kind, kind: object })
}

impl Server {
    async fn member_code(&self, kind: &str, object: Value) -> i64 {
        self.code("message/send", to_member(kind, object)).await
    }

    /// Sends to a customer who has just written, so that no quota stands in the way.
    async fn customer_code(&self, kind: &str, object: Value) -> i64 {
        self.says("wm", "嗯").await;
        self.code("kf/send_msg", to_customer(kind, object)).await
    }

    /// The last message on a phone.
    async fn shown(&self, whom: &str) -> Value {
        let phones = self.send(Request::get("/_sim/phones").body(Body::empty()).unwrap()).await;
        phones["phones"][whom].as_array().unwrap().last().unwrap()["message"].clone()
    }
}

#[tokio::test]
async fn media_are_sent_to_members_by_ids_of_their_kind() {
    let server = Server::open().await;
    let [picture, film] =
        [server.medium("image", "a.png", PNG).await, server.medium("video", "a.mp4", MP4).await];
    let file = server.medium("file", "a.exe", b"something").await;
    let voice = server.medium("voice", "a.amr", b"#!AMR\n\x3c").await;
    for (kind, id) in [("image", &picture), ("video", &film), ("file", &file), ("voice", &voice)] {
        assert_eq!(server.member_code(kind, json!({ "media_id": id })).await, 0, "{kind}");
    }
    assert_eq!(server.shown("lilei").await["media_id"], voice.as_str());
    assert_eq!(server.member_code("voice", json!({ "media_id": picture })).await, 40_004);
    assert_eq!(server.member_code("image", json!({ "media_id": "other" })).await, 40_007);
    assert_eq!(server.member_code("image", json!({})).await, 41_006);
    assert!(server.broken().await.is_empty());
    let titled = json!({ "media_id": film, "title": "长".repeat(43), "description": "短" });
    assert_eq!(server.member_code("video", titled).await, 0);
    assert_eq!(server.shown("lilei").await["title"], "长".repeat(42));
    assert_eq!(server.broken().await, ["title: 129 bytes are cut to 128"]);
    let safe = async |kind: &str, id: &str, safe: i64| {
        let mut message = to_member(kind, json!({ "media_id": id }));
        message["safe"] = json!(safe);
        server.code("message/send", message).await
    };
    assert_eq!([safe("image", &picture, 1).await, safe("image", &picture, 2).await], [0, 40_058]);
    assert_eq!(safe("file", &file, 1).await, 40_058, "an exe cannot be kept from being forwarded");
    assert_eq!(safe("voice", &voice, 1).await, 0);
    assert_eq!(server.broken().await[1], "safe is not for voice");
    server.control("clock", json!({ "advance_seconds": 3 * 86_400 + 1 })).await;
    let server = server.renewed().await;
    assert_eq!(server.member_code("image", json!({ "media_id": picture })).await, 40_145);
}

#[tokio::test]
async fn cards_and_articles_for_members_keep_their_limits() {
    let server = Server::open().await;
    let url = "https://shop.example/1";
    let card = |title: &str, url: &str| json!({ "title": title, "description": "详细", "url": url, "btntxt": "看一看吧" });
    assert_eq!(server.member_code("textcard", card(&"长".repeat(128), url)).await, 0);
    assert!(server.broken().await.is_empty(), "characters are counted, not bytes");
    assert_eq!(server.member_code("textcard", card(&"长".repeat(129), url)).await, 0);
    assert_eq!(server.broken().await, ["title: 129 characters are cut to 128"]);
    assert_eq!(server.member_code("textcard", card("短", "shop.example")).await, 45_034);
    assert_eq!(server.member_code("textcard", card("", url)).await, 41_016);
    let news = |count: usize, article: Value| json!({ "articles": vec![article; count] });
    let article = json!({ "title": "新品", "url": url });
    assert_eq!(server.member_code("news", news(8, article.clone())).await, 0);
    assert_eq!(server.member_code("news", news(9, article)).await, 45_008);
    assert_eq!(server.member_code("news", news(1, json!({ "title": "新品" }))).await, 42_028);
    let picture = server.medium("image", "a.png", PNG).await;
    let own =
        |bytes: usize| json!({ "title": "公告", "thumb_media_id": picture, "content": "a".repeat(bytes) });
    assert_eq!(server.member_code("mpnews", news(1, own(666 << 10))).await, 0);
    assert_eq!(server.member_code("mpnews", news(1, own((666 << 10) + 1))).await, 45_002);
    let notice = |lines: usize| json!({ "appid": "wx1", "title": "到货", "content_item": vec![json!({ "key": "货", "value": "雨衣" }); lines] });
    assert_eq!(server.member_code("miniprogram_notice", notice(10)).await, 0);
    assert_eq!(server.member_code("miniprogram_notice", notice(11)).await, 40_058);
    let mut to_all = to_member("miniprogram_notice", notice(1));
    to_all["touser"] = json!("@all");
    assert_eq!(server.code("message/send", to_all).await, 40_058);
    assert_eq!(server.member_code("hologram", json!({})).await, 40_008);
    assert_eq!(server.broken().await.len(), 1);
}

#[tokio::test]
async fn customers_get_every_type_of_the_page() {
    let server = Server::open().await;
    let picture = server.medium("image", "a.png", PNG).await;
    let film = server.medium("video", "a.mp4", MP4).await;
    let url = "https://shop.example/1";
    for (kind, object) in [
        ("image", json!({ "media_id": picture })),
        ("video", json!({ "media_id": film })),
        ("link", json!({ "title": "雨衣", "desc": "黄色", "url": url, "thumb_media_id": picture })),
        ("miniprogram", json!({ "appid": "wx1", "thumb_media_id": picture, "pagepath": "pages/1.html" })),
        ("location", json!({ "name": "店", "latitude": 23.1, "longitude": 113.3 })),
        ("business_card", json!({ "userid": "lilei" })),
        ("ca_link", json!({ "link_url": url })),
    ] {
        assert_eq!(server.customer_code(kind, object).await, 0, "{kind}");
    }
    let link = |title: &str, url: &str| json!({ "title": title, "url": url, "thumb_media_id": picture });
    assert_eq!(server.customer_code("link", json!({ "title": "雨衣", "url": url })).await, 41_006);
    assert_eq!(server.customer_code("link", link(&"a".repeat(129), url)).await, 40_058);
    assert_eq!(server.customer_code("link", link("雨衣", "shop.example")).await, 45_034);
    let page = json!({ "appid": "wx1", "thumb_media_id": picture, "pagepath": "pages/1" });
    assert_eq!(server.customer_code("miniprogram", page).await, 40_058);
    let pole = json!({ "latitude": 90.5, "longitude": 0 });
    assert_eq!(server.customer_code("location", pole).await, 40_058);
    assert_eq!(server.customer_code("business_card", json!({ "userid": "nobody" })).await, 40_003);
    assert_eq!(server.customer_code("file", json!({ "media_id": picture })).await, 40_004);
    assert_eq!(server.customer_code("image", json!({ "media_id": "other" })).await, 40_007);
    assert!(server.broken().await.is_empty());
}

#[tokio::test]
async fn a_message_that_was_taken_can_fail_afterwards() {
    let server = Server::open().await;
    server.says("wm", "在吗").await;
    server.control("customers/wm/fail", json!({ "account": KF, "fail_type": 13 })).await;
    let taken = server.call("kf/send_msg", text("wm", "您好")).await;
    assert_eq!(taken["errcode"], 0);
    let event = server.listed().await.0.last().unwrap()["event"].clone();
    assert_eq!((&event["event_type"], &event["fail_type"]), (&json!("msg_send_fail"), &json!(13)));
    assert_eq!(event["fail_msgid"], taken["msgid"]);
    assert_eq!(server.shown("wm").await["content"], "在吗", "it is not on the phone");
    let wrong = server.control("customers/wm/fail", json!({ "account": KF, "fail_type": 3 })).await;
    assert!(wrong.as_str().unwrap().contains("fail_type 3"), "{wrong}");
    server.control("customers/wm/fail", json!({ "account": KF })).await;
    assert_eq!(server.code("kf/send_msg", text("wm", "您好")).await, 0);
    assert_eq!(server.shown("wm").await["content"], "您好");
}

#[tokio::test]
async fn accounts_and_servicers_come_and_go() {
    let server = Server::open().await;
    let picture = server.medium("image", "a.png", PNG).await;
    let account = |name: &str| json!({ "name": name, "media_id": picture });
    assert_eq!(server.code("kf/account/add", account(&"客".repeat(17))).await, 95_006);
    assert_eq!(server.code("kf/account/add", json!({ "name": "售后", "media_id": "other" })).await, 40_007);
    let added = server.call("kf/account/add", account(&"客".repeat(16))).await;
    let id = added["open_kfid"].as_str().unwrap();
    assert_eq!(server.code("kf/account/update", json!({ "open_kfid": id, "name": "售后" })).await, 0);
    let listed = server.call("kf/account/list", json!({})).await;
    let own = listed["account_list"].as_array().unwrap().iter().find(|one| one["open_kfid"] == id).unwrap();
    assert_eq!((&own["name"], &own["manage_privilege"]), (&json!("售后"), &json!(true)));
    let serving =
        |people: Value| json!({ "open_kfid": id, "userid_list": people, "department_id_list": [4] });
    let codes = async |path: &str, people: Value| {
        let answer = server.call(path, serving(people)).await;
        let results = answer["result_list"].as_array().unwrap().clone();
        results
            .iter()
            .map(|one| (one["errcode"].as_i64().unwrap(), one["errmsg"] == "ignored"))
            .collect::<Vec<_>>()
    };
    let added = codes("kf/servicer/add", json!(["lilei", "LiLei", "nobody"])).await;
    assert_eq!(added, [(0, false), (0, true), (60_030, false), (0, false)]);
    assert_eq!(codes("kf/servicer/add", json!([])).await, [(0, true)], "the department is there already");
    let path = format!("kf/servicer/list?open_kfid={id}&access_token={}", server.token);
    let list = server.get(&path).await["servicer_list"].clone();
    assert_eq!(list, json!([{ "userid": "lilei", "status": 0, "stop_type": 0 }, { "department_id": 4 }]));
    assert_eq!(
        codes("kf/servicer/del", json!(["lilei", "zhaomin"])).await,
        [(0, false), (60_253, false), (0, false)]
    );
    assert_eq!(server.code("kf/servicer/add", json!({ "open_kfid": id })).await, 40_058);
    let many = json!({ "open_kfid": id, "userid_list": vec!["lilei"; 101] });
    assert_eq!(server.code("kf/servicer/add", many).await, 40_058);
    assert_eq!(server.code("kf/account/del", json!({ "open_kfid": id })).await, 0);
    assert_eq!(server.code("kf/account/del", json!({ "open_kfid": id })).await, 95_004);
    let path = format!("kf/get_corp_qualification?access_token={}", server.token);
    assert_eq!(server.get(&path).await["wechat_channels_binding"], false);
}
