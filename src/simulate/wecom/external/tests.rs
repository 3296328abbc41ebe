//! 客户联系 as the developer centre has it; read from there, not from our client.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::channel::wecom::crypto::CallbackKey;
use crate::simulate::wecom::Plan;
use crate::simulate::wecom::tests::Server;

const SECRET: &str = "simulator-secret-of-shop";

/// The company's server, as far as it listens.
struct Ear(UnboundedReceiver<String>);

impl Ear {
    async fn at(server: &Server) -> Self {
        // What was told before finds no address: those tasks run now.
        tokio::task::yield_now().await;
        let plan = Plan::demo("http://127.0.0.1:1");
        let key = CallbackKey::new(&plan.apps[0].token, &plan.apps[0].aes_key, &plan.corp_id).unwrap();
        let (told, events) = mpsc::unbounded_channel();
        let hear = move |Query(query): Query<BTreeMap<String, String>>, body: String| {
            let encrypt = between(&body, "<Encrypt><![CDATA[", "]]>");
            let opened = key.open(&query["msg_signature"], &query["timestamp"], &query["nonce"], &encrypt);
            told.send(opened.unwrap()).unwrap();
            async { "" }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(hear))).await });
        server.control("callbacks", json!({ "app": "shop", "address": address })).await;
        Self(events)
    }

    async fn next(&mut self) -> String {
        let waited = tokio::time::timeout(Duration::from_secs(30), self.0.recv()).await;
        waited.expect("an event comes").unwrap()
    }
}

fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0.to_owned()
}

fn field(xml: &str, name: &str) -> Option<String> {
    xml.contains(&format!("<{name}>")).then(|| between(xml, &format!("<{name}><![CDATA["), "]]>"))
}

fn with(base: &Value, changes: &Value) -> Value {
    let mut body = base.clone();
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

fn crowded(n_members: usize) -> Plan {
    let members = (0..n_members).map(|number| format!("member{number:04}")).collect();
    Plan { members, ..Plan::demo("http://127.0.0.1:1") }
}

/// A server at which `wm` has come to `lilei`.
async fn acquainted() -> Server {
    let server = Server::open().await;
    server.control("customers/wm/scan", json!({ "userid": "lilei" })).await;
    server
}

async fn renewed(server: Server) -> Server {
    let path = format!("gettoken?corpid=wwsimulator00001&corpsecret={SECRET}");
    let token = server.get(&path).await["access_token"].as_str().unwrap().to_owned();
    Server { token, ..server }
}

async fn asked(server: &Server, path: &str) -> Value {
    let mark = if path.contains('?') { '&' } else { '?' };
    server.get(&format!("externalcontact/{path}{mark}access_token={}", server.token)).await
}

/// `errcode` of each change to a sound body.
async fn check(server: &Server, path: &str, base: &Value, cases: &[(Value, i64)]) {
    for (changes, code) in cases {
        let answer = server.call(&format!("externalcontact/{path}"), with(base, changes)).await;
        assert_eq!(answer["errcode"], *code, "{path} {changes}: {answer}");
    }
}

#[tokio::test]
async fn only_a_listed_app_may_call() {
    let server = Server::open().await;
    let path = "gettoken?corpid=wwsimulator00001&corpsecret=simulator-secret-of-staff";
    let token = server.get(path).await["access_token"].as_str().unwrap().to_owned();
    let staff = Server { token, ..server };
    assert_eq!(asked(&staff, "get_follow_user_list").await["errcode"], 48_002);
    let shop = renewed(staff).await;
    assert_eq!(
        asked(&shop, "get_follow_user_list").await["follow_user"],
        json!(["wangfang", "lilei", "zhaomin"])
    );
}

#[tokio::test]
async fn a_way_of_contact_keeps_the_rules_of_the_page() {
    let server = Server::open().await;
    let base = json!({ "type": 1, "scene": 2, "user": ["LiLei"], "state": "poster_07" });
    let temp = |changes: Value| with(&json!({ "is_temp": true }), &changes);
    let conclusions = |object: Value| temp(json!({ "conclusions": object }));
    let cases = [
        (json!({ "type": null }), 41_037),
        (json!({ "scene": null }), 41_038),
        (json!({ "type": 3 }), 41_039),
        (json!({ "scene": 0 }), 41_040),
        (json!({ "scene": 1, "style": 3 }), 0),
        (json!({ "scene": 1, "style": 4 }), 41_042),
        (json!({ "type": 2, "scene": 1, "style": 3 }), 41_042),
        (json!({ "user": [] }), 41_009),
        (json!({ "user": ["nobody"] }), 40_003),
        (json!({ "user": ["lilei", "wangfang"] }), 40_058),
        (json!({ "user": ["lilei", "wangfang"], "type": 2 }), 0),
        (json!({ "party": [1] }), 40_058),
        (json!({ "party": [9], "type": 2 }), 40_058),
        (json!({ "remark": "长".repeat(30) }), 0),
        (json!({ "remark": "长".repeat(31) }), 40_058),
        (json!({ "state": "s".repeat(31) }), 40_058),
        (json!({ "skip_verify": "yes" }), 40_058),
        (json!({ "is_temp": true, "type": 2 }), 40_058),
        (temp(json!({ "expires_in": 1_209_601 })), 40_058),
        (temp(json!({ "chat_expires_in": 1_209_600 })), 0),
        (conclusions(json!({ "text": { "content": "x".repeat(4_001) } })), 45_002),
        (conclusions(json!({ "image": {} })), 41_006),
        (conclusions(json!({ "link": { "url": "https://a" } })), 41_016),
        (conclusions(json!({ "link": { "title": "t", "url": "a" } })), 45_034),
        (conclusions(json!({ "link": { "title": "t".repeat(129), "url": "https://a" } })), 40_058),
        (conclusions(json!({ "miniprogram": { "title": "t", "pic_media_id": "m", "appid": "a" } })), 40_058),
    ];
    check(&server, "add_contact_way", &base, &cases).await;
    assert_eq!(server.broken().await, Vec::<String>::new());
    assert_eq!(
        server.code("externalcontact/add_contact_way", with(&base, &json!({ "expires_in": 60 }))).await,
        0
    );
    assert_eq!(server.broken().await, ["expires_in says nothing of a way that is not temporary"]);

    let crowd = Server::over(crowded(101)).await;
    let everybody = json!({ "type": 2, "scene": 2, "party": [1] });
    assert_eq!(crowd.code("externalcontact/add_contact_way", everybody).await, 41_041);
    crowd.control("contact_ways/quota", json!({ "max": 0 })).await;
    let one = json!({ "type": 1, "scene": 2, "user": ["member0000"] });
    assert_eq!(crowd.code("externalcontact/add_contact_way", one).await, 41_045);
}

#[tokio::test]
async fn ways_of_contact_are_shown_listed_changed_and_deleted() {
    let server = Server::open().await;
    let add = async |changes: Value| {
        let base = json!({ "type": 2, "scene": 2, "user": ["lilei"], "state": "poster_07" });
        let way = server.call("externalcontact/add_contact_way", with(&base, &changes)).await;
        assert_eq!(way["errcode"], 0, "{way}");
        way
    };
    let (first, second) = (add(json!({})).await, add(json!({ "scene": 1 })).await);
    assert!(first["qr_code"].as_str().unwrap().starts_with("https://"));
    assert_eq!(second.get("qr_code"), None);
    let conclusions = json!({ "image": { "media_id": "m1" } });
    let temp = add(json!({ "type": 1, "is_temp": true, "conclusions": conclusions })).await;
    let third = add(json!({})).await;
    let get =
        async |id: &Value| server.call("externalcontact/get_contact_way", json!({ "config_id": id })).await;
    let shown = get(&temp["config_id"]).await["contact_way"].clone();
    assert_eq!(shown["conclusions"]["image"], json!({ "pic_url": "https://wework.qpic.cn/m1" }));
    assert_eq!(shown["expires_in"], 604_800);

    let list = async |body: Value| server.call("externalcontact/list_contact_way", body).await;
    let page = list(json!({ "limit": 2 })).await;
    let ids = |page: &Value| -> Vec<Value> {
        page["contact_way"].as_array().unwrap().iter().map(|way| way["config_id"].clone()).collect()
    };
    assert_eq!(ids(&page), [first["config_id"].clone(), second["config_id"].clone()]);
    let rest = list(json!({ "limit": 2, "cursor": page["next_cursor"] })).await;
    assert_eq!((ids(&rest), &rest["next_cursor"]), (vec![third["config_id"].clone()], &json!("")));
    assert_eq!(ids(&list(json!({ "end_time": 1 })).await), Vec::<Value>::new());
    for wrong in
        [json!({ "limit": 1_001 }), json!({ "cursor": "x" }), json!({ "start_time": 2, "end_time": 1 })]
    {
        assert_eq!(list(wrong).await["errcode"], 40_058);
    }

    let id = &first["config_id"];
    let base = json!({ "config_id": id });
    let cases = [
        (json!({ "config_id": null }), 41_043),
        (json!({ "config_id": "other" }), 41_044),
        (json!({ "remark": "长".repeat(31) }), 40_058),
        (json!({ "user": ["wangfang", "zhaomin"] }), 0),
        (json!({ "state": "poster_08" }), 0),
    ];
    check(&server, "update_contact_way", &base, &cases).await;
    let shown = get(id).await["contact_way"].clone();
    assert_eq!((&shown["user"], &shown["state"]), (&json!(["wangfang", "zhaomin"]), &json!("poster_08")));
    assert_eq!(server.code("externalcontact/del_contact_way", json!({ "config_id": id })).await, 0);
    assert_eq!(get(id).await["errcode"], 41_044);
    server.control("clock", json!({ "advance_seconds": 604_800 })).await;
    let server = renewed(server).await;
    let gone =
        server.call("externalcontact/get_contact_way", json!({ "config_id": temp["config_id"] })).await;
    assert_eq!(gone["errcode"], 41_044, "after its seven days");
}

#[tokio::test]
async fn a_scan_is_told_with_the_channel_and_a_code_for_one_welcome() {
    let server = Server::open().await;
    let mut ear = Ear::at(&server).await;
    let body = json!({ "type": 1, "scene": 2, "user": ["lilei"], "state": "poster_07" });
    let way = server.call("externalcontact/add_contact_way", body).await["config_id"].clone();
    server.control("customers/wm1/scan", json!({ "config_id": way })).await;
    let event = ear.next().await;
    let code = field(&event, "WelcomeCode").unwrap();
    let (corp, at) = ("<![CDATA[wwsimulator00001]]>", "<CreateTime>1795485600</CreateTime>");
    assert_eq!(
        event,
        format!(
            "<xml><ToUserName>{corp}</ToUserName><FromUserName><![CDATA[sys]]></FromUserName>{at}\
             <MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_external_contact]]></Event>\
             <ChangeType><![CDATA[add_external_contact]]></ChangeType><UserID><![CDATA[lilei]]></UserID>\
             <ExternalUserID><![CDATA[wm1]]></ExternalUserID><State><![CDATA[poster_07]]></State>\
             <WelcomeCode><![CDATA[{code}]]></WelcomeCode></xml>"
        )
    );
    assert_eq!(server.control("customers/wm1/scan", json!({ "config_id": way })).await["event"], false);

    let base = json!({ "welcome_code": code, "text": { "content": "欢迎" } });
    let attach = |n: usize, one: Value| json!({ "attachments": vec![one; n] });
    let image = json!({ "msgtype": "image", "image": { "pic_url": "https://a/b.png" } });
    let cases = [
        (json!({ "welcome_code": null }), 41_049),
        (json!({ "welcome_code": "other" }), 41_050),
        (json!({ "text": null }), 41_088),
        (json!({ "text": { "content": "x".repeat(4_001) } }), 45_002),
        (attach(10, image.clone()), 41_064),
        (attach(1, json!({ "msgtype": "voice", "voice": {} })), 41_065),
        (attach(1, json!({ "msgtype": "image", "file": { "media_id": "m" } })), 40_035),
        (attach(1, json!({ "msgtype": "video", "video": {} })), 41_006),
        (attach(9, image), 0),
        (json!({}), 41_050),
    ];
    check(&server, "send_welcome_msg", &base, &cases).await;
    let phones = server.control_view("phones").await;
    let phone = phones["phones"]["wm1"].as_array().unwrap();
    assert_eq!(phone.len(), 10);
    assert_eq!((&phone[0]["from"], &phone[0]["message"]["content"]), (&json!("lilei"), &json!("欢迎")));

    for (customer, seconds, code) in [("wm2", 20, 0), ("wm3", 21, 41_050)] {
        server.control(&format!("customers/{customer}/scan"), json!({ "userid": "lilei" })).await;
        let event = ear.next().await;
        assert_eq!(field(&event, "State"), None);
        server.control("clock", json!({ "advance_seconds": seconds })).await;
        let body = with(&base, &json!({ "welcome_code": field(&event, "WelcomeCode") }));
        assert_eq!(server.code("externalcontact/send_welcome_msg", body).await, code, "{customer}");
    }
    server.control("customers/wm4/scan", json!({ "userid": "lilei" })).await;
    let body = with(&base, &json!({ "welcome_code": field(&ear.next().await, "WelcomeCode") }));
    server.control("members/lilei/contacts/chat", json!({ "customer": "wm4" })).await;
    assert_eq!(server.code("externalcontact/send_welcome_msg", body.clone()).await, 41_051);
    let fault = json!({ "path": "externalcontact/send_welcome_msg", "effect": "code", "code": 41_096 });
    server.control("faults", fault).await;
    assert_eq!(server.code("externalcontact/send_welcome_msg", body).await, 41_096);
}

#[tokio::test]
async fn of_two_apps_the_first_sends_the_welcome() {
    let plan = Plan::demo("http://127.0.0.1:1");
    let server = Server::over(Plan { contacts: vec!["shop".into(), "staff".into()], ..plan }).await;
    let scanned = server.control("customers/wm/scan", json!({ "userid": "lilei" })).await;
    let body = json!({ "welcome_code": scanned["welcome_code"], "text": { "content": "欢迎" } });
    assert_eq!(server.code("externalcontact/send_welcome_msg", body.clone()).await, 0);
    let path = "gettoken?corpid=wwsimulator00001&corpsecret=simulator-secret-of-staff";
    let token = server.get(path).await["access_token"].as_str().unwrap().to_owned();
    let staff = Server { token, ..server };
    assert_eq!(staff.code("externalcontact/send_welcome_msg", body).await, 41_051);
}

#[tokio::test]
async fn no_welcome_is_earned_where_the_page_says_so() {
    let server = Server::open().await;
    let mut ear = Ear::at(&server).await;
    let body = json!({ "type": 1, "scene": 2, "user": ["lilei"], "skip_verify": false });
    let way = server.call("externalcontact/add_contact_way", body).await["config_id"].clone();
    assert_eq!(server.control("customers/wm/scan", json!({ "config_id": way })).await["waits"], true);
    server.control("members/lilei/contacts/confirm", json!({ "customer": "wm" })).await;
    let event = ear.next().await;
    assert!(event.contains("[add_external_contact]") && event.contains("WelcomeCode"), "{event}");

    server.control("customers/half/scan", json!({ "userid": "lilei", "half": true, "state": "link" })).await;
    let half = ear.next().await;
    assert!(half.contains("[add_half_external_contact]") && half.contains("[link]"), "{half}");
    let body = json!({ "welcome_code": field(&half, "WelcomeCode"), "text": { "content": "欢迎" } });
    assert_eq!(server.code("externalcontact/send_welcome_msg", body).await, 0);
    server.control("members/lilei/contacts/confirm", json!({ "customer": "half" })).await;
    let whole = ear.next().await;
    assert!(whole.contains("[add_external_contact]") && !whole.contains("WelcomeCode"), "{whole}");

    server.control("customers/wo/scan", json!({ "userid": "lilei", "type": 2 })).await;
    assert_eq!(field(&ear.next().await, "WelcomeCode"), None, "of another company");
    server.control("members/lilei/greets", json!({ "greets": true })).await;
    server.control("customers/late/scan", json!({ "userid": "lilei" })).await;
    assert_eq!(field(&ear.next().await, "WelcomeCode"), None, "the console greets");
}

#[tokio::test]
async fn what_people_do_calls_back_and_what_the_interface_does_not() {
    let server = acquainted().await;
    let mut ear = Ear::at(&server).await;
    let group = json!({ "group_name": "等级", "tag": [{ "name": "重要" }] });
    let added = server.call("externalcontact/add_corp_tag", group).await;
    let tag = added["tag_group"]["tag"][0]["id"].clone();
    let pair = json!({ "userid": "lilei", "external_userid": "wm" });
    let remark = with(&pair, &json!({ "remark": "老客户" }));
    assert_eq!(server.code("externalcontact/remark", remark).await, 0);
    let mark = with(&pair, &json!({ "add_tag": [tag] }));
    assert_eq!(server.code("externalcontact/mark_tag", mark).await, 0);

    let edit = json!({ "customer": "wm", "remark": "新备注", "remove_tag": [tag] });
    server.control("members/lilei/contacts/edit", edit).await;
    assert!(ear.next().await.contains("[edit_external_contact]"), "the first thing that is told");
    let shown = asked(&server, "get?external_userid=wm").await["follow_user"][0].clone();
    assert_eq!((&shown["remark"], &shown["tags"]), (&json!("新备注"), &json!([])));
    server.control("customers/wm/unfollow", json!({ "userid": "lilei" })).await;
    assert!(ear.next().await.contains("[del_follow_user]"));
    server.control("customers/wm/scan", json!({ "userid": "lilei" })).await;
    assert!(ear.next().await.contains("[add_external_contact]"), "they come back");
    server.control("members/lilei/contacts/delete", json!({ "customer": "wm" })).await;
    let event = ear.next().await;
    assert!(event.contains("[del_external_contact]") && !event.contains("Source"), "{event}");
    server.control("tags", json!({ "group": "来源", "name": "展会" })).await;
    let mut told = [ear.next().await, ear.next().await].map(|event| field(&event, "TagType").unwrap());
    told.sort_unstable();
    assert_eq!(told, ["tag", "tag_group"]);
}

#[tokio::test]
async fn customers_are_listed_and_remarked_by_the_rules() {
    let server = acquainted().await;
    let scanning = json!({ "userid": "lilei", "type": 2, "name": "外部" });
    server.control("customers/wo/scan", scanning).await;
    assert_eq!(asked(&server, "list?userid=LiLei").await["external_userid"], json!(["wm", "wo"]));
    for (path, code) in [
        ("list", 41_009),
        ("list?userid=nobody", 40_003),
        ("list?userid=wangfang", 84_061),
        ("get", 40_096),
        ("get?external_userid=other", 40_096),
    ] {
        assert_eq!(asked(&server, path).await["errcode"], code, "{path}");
    }
    let got = asked(&server, "get?external_userid=wo").await;
    assert_eq!((&got["external_contact"]["type"], &got["next_cursor"]), (&json!(2), &json!("")));
    assert!(got["external_contact"].get("external_profile").is_some());

    let base = json!({ "userid_list": ["lilei"], "limit": 1 });
    let cases = [
        (json!({ "userid_list": [] }), 40_032),
        (json!({ "userid_list": vec!["lilei"; 101] }), 40_032),
        (json!({ "userid_list": ["nobody"] }), 40_003),
        (json!({ "limit": 101 }), 40_058),
    ];
    check(&server, "batch/get_by_user", &base, &cases).await;
    let page = server.call("externalcontact/batch/get_by_user", base.clone()).await;
    let next = json!({ "cursor": page["next_cursor"] });
    let rest = server.call("externalcontact/batch/get_by_user", with(&base, &next)).await;
    assert_eq!(rest["external_contact_list"][0]["external_contact"]["external_userid"], "wo");
    assert_eq!(rest["external_contact_list"][0]["follow_info"]["tag_id"], json!([]));
    assert_eq!(rest["next_cursor"], "");

    let base = json!({ "userid": "lilei", "external_userid": "wm" });
    let cases = [
        (json!({}), 40_063),
        (json!({ "userid": null }), 41_009),
        (json!({ "userid": "wangfang", "remark": "x" }), 84_061),
        (json!({ "external_userid": "other", "remark": "x" }), 40_096),
        (json!({ "remark": "长".repeat(21) }), 40_058),
        (json!({ "description": "长".repeat(151) }), 40_058),
        (json!({ "external_userid": "wo", "remark_company": "某公司" }), 40_058),
        (json!({ "remark_mobiles": ["", "138"] }), 40_058),
        (json!({ "remark_mobiles": ["13800000001"], "remark_company": "某公司", "description": "长" }), 0),
    ];
    check(&server, "remark", &base, &cases).await;
    let follower = asked(&server, "get?external_userid=wm").await["follow_user"][0].clone();
    assert_eq!(follower["remark_mobiles"], json!(["13800000001"]));
    assert_eq!(follower["remark_corp_name"], "某公司");
    check(&server, "remark", &base, &[(json!({ "remark_mobiles": [""] }), 0)]).await;
    let follower = asked(&server, "get?external_userid=wm").await["follow_user"][0].clone();
    assert_eq!(follower.get("remark_mobiles"), None);
}

#[tokio::test]
async fn a_customer_of_many_members_comes_on_pages() {
    let server = Server::over(crowded(501)).await;
    for number in 0..501 {
        let scanning = json!({ "userid": format!("member{number:04}") });
        server.control("customers/wm/scan", scanning).await;
    }
    let page = asked(&server, "get?external_userid=wm").await;
    assert_eq!(page["follow_user"].as_array().unwrap().len(), 500);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = asked(&server, &format!("get?external_userid=wm&cursor={cursor}")).await;
    assert_eq!(rest["follow_user"][0]["userid"], "member0500");
    assert_eq!(asked(&server, "get?external_userid=wm&cursor=x").await["errcode"], 40_058);
}

#[tokio::test]
async fn tags_keep_the_rules_of_the_page() {
    let server = acquainted().await;
    let base = json!({ "group_name": "等级", "tag": [{ "name": "普通" }, { "name": "重要", "order": 9 }, { "name": "普通" }] });
    let cases = [
        (json!({ "tag": [] }), 40_063),
        (json!({ "group_name": null }), 40_063),
        (json!({ "group_id": "other" }), 40_068),
        (json!({ "group_name": "长".repeat(31) }), 40_072),
        (json!({ "tag": [{ "name": "长".repeat(31) }] }), 40_072),
        (json!({ "order": -1 }), 40_058),
    ];
    check(&server, "add_corp_tag", &base, &cases).await;
    let group = server.call("externalcontact/add_corp_tag", base.clone()).await["tag_group"].clone();
    let names: Vec<&str> =
        group["tag"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["重要", "普通"], "larger first, and each once");
    check(&server, "add_corp_tag", &base, &[(json!({}), 40_071)]).await;
    let more = json!({ "group_name": "等级", "tag": [{ "name": "流失" }] });
    let again = server.call("externalcontact/add_corp_tag", more).await["tag_group"].clone();
    assert_eq!(again["group_id"], group["group_id"], "the group that has the name");

    let important = &group["tag"][0]["id"];
    let cases = [
        (json!({ "id": null }), 40_063),
        (json!({ "id": "other" }), 40_068),
        (json!({ "id": important, "name": "普通" }), 40_071),
        (json!({ "id": important, "name": "长".repeat(31) }), 40_072),
        (json!({ "id": important, "name": "重点" }), 0),
        (json!({ "id": group["group_id"], "name": "级别", "order": 1 }), 0),
    ];
    check(&server, "edit_corp_tag", &json!({}), &cases).await;
    let list =
        async |body: Value| server.call("externalcontact/get_corp_tag_list", body).await["tag_group"].clone();
    assert_eq!(list(json!({})).await[0]["group_name"], "级别");
    assert_eq!(list(json!({ "tag_id": [important] })).await[0]["tag"].as_array().unwrap().len(), 1);

    let pair = json!({ "userid": "lilei", "external_userid": "wm" });
    let cases = [
        (json!({}), 40_063),
        (json!({ "userid": "wangfang", "add_tag": [important] }), 84_061),
        (json!({ "add_tag": ["other"] }), 40_068),
        (json!({ "add_tag": [important] }), 0),
    ];
    check(&server, "mark_tag", &pair, &cases).await;
    let tags = asked(&server, "get?external_userid=wm").await["follow_user"][0]["tags"].clone();
    let expected = json!({ "group_name": "级别", "tag_name": "重点", "tag_id": important, "type": 1 });
    assert_eq!(tags, json!([expected]));

    let made = server.control("tags", json!({ "group": "来源", "name": "展会" })).await;
    check(&server, "edit_corp_tag", &json!({ "id": made["id"] }), &[(json!({ "name": "会展" }), 60_011)])
        .await;
    let cases = [
        (json!({}), 40_063),
        (json!({ "tag_id": ["other"] }), 40_068),
        (json!({ "group_id": [made["group_id"]] }), 60_011),
        (json!({ "tag_id": [again["tag"][0]["id"], important, group["tag"][1]["id"]] }), 0),
    ];
    check(&server, "del_corp_tag", &json!({}), &cases).await;
    let left = list(json!({})).await;
    assert_eq!(left.as_array().unwrap().len(), 1, "the empty group is gone: {left}");
    assert_eq!(list(json!({ "group_id": [group["group_id"]] })).await[0]["deleted"], true);
}

#[tokio::test]
async fn a_company_has_ten_thousand_tags_and_a_customer_three_thousand() {
    let server = acquainted().await;
    let tags = |range: std::ops::Range<usize>| {
        range.map(|number| json!({ "name": format!("t{number}") })).collect::<Vec<_>>()
    };
    let add = async |range: std::ops::Range<usize>| {
        let body = json!({ "group_name": "g", "tag": tags(range) });
        server.call("externalcontact/add_corp_tag", body).await
    };
    assert_eq!(add(0..10_001).await["errcode"], 40_126);
    let added = add(0..3_001).await;
    let ids: Vec<&Value> =
        added["tag_group"]["tag"].as_array().unwrap().iter().map(|tag| &tag["id"]).collect();
    let mark = async |ids: &[&Value]| {
        let body = json!({ "userid": "lilei", "external_userid": "wm", "add_tag": ids });
        server.code("externalcontact/mark_tag", body).await
    };
    assert_eq!((mark(&ids[..3_000]).await, mark(&ids[3_000..]).await), (0, 40_144));
}

#[tokio::test]
async fn groups_are_joined_by_their_ways_and_tell_of_it() {
    let server = Server::open().await;
    let mut ear = Ear::at(&server).await;
    let chat =
        server.control("chats", json!({ "name": "福利群", "owner": "lilei" })).await["chat_id"].clone();
    let event = ear.next().await;
    assert_eq!(field(&event, "ChangeType").as_deref(), Some("create"));
    let base = json!({ "scene": 2, "chat_id_list": [chat], "state": "door", "room_base_name": "福利", "room_base_id": 7 });
    let cases = [
        (json!({ "scene": null }), 41_038),
        (json!({ "scene": 3 }), 41_040),
        (json!({ "chat_id_list": [] }), 40_063),
        (json!({ "chat_id_list": vec![chat.clone(); 6] }), 41_091),
        (json!({ "chat_id_list": ["other"] }), 90_501),
        (json!({ "state": "s".repeat(31) }), 40_058),
        (json!({ "room_base_name": "长".repeat(41) }), 40_058),
        (json!({ "auto_create_room": 2 }), 40_058),
    ];
    check(&server, "groupchat/add_join_way", &base, &cases).await;
    let long = with(&base, &json!({ "remark": "长".repeat(31) }));
    let added = server.call("externalcontact/groupchat/add_join_way", long).await;
    assert_eq!(added.get("qr_code"), None);
    let id = &added["config_id"];
    let get = async |id: &Value| {
        server.call("externalcontact/groupchat/get_join_way", json!({ "config_id": id })).await
    };
    let way = get(id).await["join_way"].clone();
    assert_eq!(way["remark"], "长".repeat(30));
    assert!(way["qr_code"].as_str().unwrap().starts_with("https://"));

    let seen = async |chat: &Value| {
        let body = json!({ "chat_id": chat, "need_name": 1 });
        server.call("externalcontact/groupchat/get", body).await["group_chat"].clone()
    };
    let before = seen(&chat).await["member_version"].as_str().unwrap().to_owned();
    server.control("customers/wm/join", json!({ "config_id": id })).await;
    let event = ear.next().await;
    assert_eq!(field(&event, "UpdateDetail").as_deref(), Some("add_member"));
    assert!(event.contains("<JoinScene>3</JoinScene><MemChangeCnt>1</MemChangeCnt>"), "{event}");
    assert!(event.contains("<MemChangeList><Item><![CDATA[wm]]></Item></MemChangeList>"), "{event}");
    let after = seen(&chat).await;
    assert_eq!(field(&event, "LastMemVer"), Some(before));
    assert_eq!(field(&event, "CurMemVer").as_deref(), after["member_version"].as_str());
    assert_eq!(after["member_list"][1]["state"], "door");
    assert_eq!(
        (&after["member_list"][1]["type"], &after["member_list"][1]["join_scene"]),
        (&json!(2), &json!(3))
    );

    server.control("customers/wm/leave", json!({ "chat_id": chat, "removed": true })).await;
    assert!(ear.next().await.contains("<QuitScene>1</QuitScene>"));
    server.control(&format!("chats/{}/edit", chat.as_str().unwrap()), json!({ "notice": "新公告" })).await;
    assert_eq!(field(&ear.next().await, "UpdateDetail").as_deref(), Some("change_notice"));

    // The owner and 199 customers fill it; the next opens another.
    for number in 0..199 {
        server.control(&format!("customers/c{number}/join"), json!({ "config_id": id })).await;
        ear.next().await;
    }
    let next = server.control("customers/c199/join", json!({ "config_id": id })).await["chat_id"].clone();
    assert_ne!(next, chat);
    let mut told = [ear.next().await, ear.next().await].map(|event| field(&event, "ChangeType").unwrap());
    told.sort_unstable();
    assert_eq!(told, ["create", "update"]);
    assert_eq!(seen(&next).await["name"], "福利7");
    assert_eq!(get(id).await["join_way"]["chat_id_list"], json!([chat, next]));

    let base = json!({ "config_id": id, "scene": 1, "chat_id_list": [chat] });
    let cases =
        [(json!({ "config_id": null }), 41_043), (json!({ "config_id": "x" }), 41_044), (json!({}), 0)];
    check(&server, "groupchat/update_join_way", &base, &cases).await;
    assert_eq!(get(id).await["join_way"]["state"], "", "overwritten whole");
    server.control(&format!("chats/{}/dismiss", next.as_str().unwrap()), json!({})).await;
    assert_eq!(field(&ear.next().await, "ChangeType").as_deref(), Some("dismiss"));
    assert_eq!(server.code("externalcontact/groupchat/get", json!({ "chat_id": next })).await, 90_501);
    assert_eq!(server.code("externalcontact/groupchat/get", json!({})).await, 40_063);
    assert_eq!(server.code("externalcontact/groupchat/del_join_way", json!({ "config_id": id })).await, 0);
    assert_eq!(get(id).await["errcode"], 41_044);
    server.control("contact_ways/quota", json!({ "max": 0 })).await;
    let body = json!({ "scene": 1, "chat_id_list": [chat] });
    assert_eq!(server.code("externalcontact/groupchat/add_join_way", body).await, 41_045);
}

#[tokio::test]
async fn groups_are_listed_by_owner_and_standing() {
    let server = Server::open().await;
    for (name, owner) in [("甲", "lilei"), ("乙", "wangfang"), ("丙", "wangfang")] {
        server.control("chats", json!({ "name": name, "owner": owner })).await;
    }
    server.control("members/wangfang/resign", json!({})).await;
    let base = json!({ "limit": 1_000 });
    let cases = [
        (json!({ "limit": null }), 40_058),
        (json!({ "limit": 1_001 }), 40_058),
        (json!({ "status_filter": 4 }), 40_058),
        (json!({ "owner_filter": { "userid_list": ["nobody"] } }), 40_003),
        (json!({ "owner_filter": { "userid_list": vec!["lilei"; 101] } }), 40_032),
    ];
    check(&server, "groupchat/list", &base, &cases).await;
    let count = async |changes: Value| {
        let page = server.call("externalcontact/groupchat/list", with(&base, &changes)).await;
        (page["group_chat_list"].as_array().unwrap().len(), page["next_cursor"].as_str().unwrap() != "")
    };
    assert_eq!(count(json!({})).await, (3, false));
    assert_eq!(count(json!({ "limit": 2 })).await, (2, true));
    assert_eq!(count(json!({ "limit": 2, "cursor": "page2" })).await, (1, false));
    assert_eq!(count(json!({ "status_filter": 1 })).await, (2, false));
    assert_eq!(count(json!({ "owner_filter": { "userid_list": ["LiLei"] } })).await, (1, false));
    let crowd = Server::over(crowded(1_001)).await;
    assert_eq!(crowd.code("externalcontact/groupchat/list", json!({ "limit": 1 })).await, 81_017);
}

#[tokio::test]
async fn a_transfer_takes_a_day_and_can_be_refused() {
    let server = acquainted().await;
    for customer in ["wm2", "wm3"] {
        server.control(&format!("customers/{customer}/scan"), json!({ "userid": "lilei" })).await;
    }
    let base = json!({ "handover_userid": "lilei", "takeover_userid": "wangfang", "external_userid": ["wm"],
                       "transfer_success_msg": "以后由王芳为您服务" });
    let cases = [
        (json!({ "handover_userid": null }), 41_009),
        (json!({ "takeover_userid": "nobody" }), 40_003),
        (json!({ "takeover_userid": "lilei" }), 40_130),
        (json!({ "external_userid": [] }), 40_058),
        (json!({ "external_userid": vec!["wm"; 101] }), 40_058),
        (json!({ "transfer_success_msg": "长".repeat(201) }), 40_058),
    ];
    check(&server, "transfer_customer", &base, &cases).await;
    server.control("customers/elsewhere/scan", json!({ "userid": "zhaomin" })).await;
    let all = json!({ "external_userid": ["wm", "wm2", "wm3", "wm", "elsewhere", "nobody"] });
    let begun = server.call("externalcontact/transfer_customer", with(&base, &all)).await;
    let codes: Vec<i64> =
        begun["customer"].as_array().unwrap().iter().map(|one| one["errcode"].as_i64().unwrap()).collect();
    assert_eq!(codes, [0, 0, 0, 40_129, 40_131, 40_096]);

    let mut ear = Ear::at(&server).await;
    for (customer, reason, told) in
        [("wm2", "refused", "customer_refused"), ("wm3", "limit", "customer_limit_exceed")]
    {
        server.control(&format!("customers/{customer}/transfer"), json!({ "reason": reason })).await;
        let event = ear.next().await;
        assert_eq!(field(&event, "FailReason").as_deref(), Some(told));
        assert_eq!(field(&event, "UserID").as_deref(), Some("wangfang"));
    }
    server.control("clock", json!({ "advance_seconds": 86_399 })).await;
    let server = renewed(server).await;
    let pair = json!({ "handover_userid": "lilei", "takeover_userid": "wangfang" });
    let results = async |server: &Server| -> Vec<i64> {
        let page = server.call("externalcontact/transfer_result", pair.clone()).await;
        page["customer"].as_array().unwrap().iter().map(|one| one["status"].as_i64().unwrap()).collect()
    };
    assert_eq!(results(&server).await, [2, 3, 4]);
    server.control("clock", json!({ "advance_seconds": 1 })).await;
    assert_eq!(field(&ear.next().await, "Source").as_deref(), Some("DELETE_BY_TRANSFER"));
    assert_eq!(results(&server).await, [1, 3, 4]);
    let follower = asked(&server, "get?external_userid=wm").await["follow_user"].clone();
    assert_eq!((&follower[0]["userid"], &follower[0]["add_way"]), (&json!("wangfang"), &json!(202)));
    let phones = server.control_view("phones").await;
    assert_eq!(phones["phones"]["wm"][0]["message"]["content"], "以后由王芳为您服务");
    for (name, code) in [("handover_userid", 41_009), ("takeover_userid", 41_009)] {
        let body = with(&pair, &json!({ name: null }));
        assert_eq!(server.code("externalcontact/transfer_result", body).await, code);
    }

    // To and fro: the third time within ninety days is one too many.
    let back =
        json!({ "handover_userid": "wangfang", "takeover_userid": "lilei", "external_userid": ["wm"] });
    let code = async |server: &Server, body: &Value| {
        server.call("externalcontact/transfer_customer", body.clone()).await["customer"][0]["errcode"].clone()
    };
    assert_eq!(code(&server, &back).await, 0);
    server.control("clock", json!({ "advance_seconds": 86_400 })).await;
    let server = renewed(server).await;
    assert_eq!(code(&server, &base).await, 40_128);
}

#[tokio::test]
async fn customers_of_one_who_has_left_go_to_another() {
    let server = acquainted().await;
    let base =
        json!({ "handover_userid": "lilei", "takeover_userid": "wangfang", "external_userid": ["wm"] });
    check(&server, "resigned/transfer_customer", &base, &[(json!({}), 40_097)]).await;
    server.control("members/lilei/resign", json!({})).await;
    let begin = async || {
        server.call("externalcontact/resigned/transfer_customer", base.clone()).await["customer"][0]["errcode"].clone()
    };
    assert_eq!([begin().await, begin().await], [json!(0), json!(40_100)]);
    let pair = json!({ "handover_userid": "lilei", "takeover_userid": "wangfang" });
    let results = server.call("externalcontact/resigned/transfer_result", pair.clone()).await;
    assert_eq!(results["customer"][0]["status"], 2);
    let other = server.call("externalcontact/transfer_result", pair).await;
    assert_eq!(other["customer"], json!([]), "of those in service");
}

#[tokio::test]
async fn a_temporary_talk_ends_with_its_words() {
    let server = Server::open().await;
    let link = json!({ "title": "评价", "url": "https://a.example/rate" });
    let body = json!({ "type": 1, "scene": 2, "user": ["lilei"], "is_temp": true,
                       "conclusions": { "text": { "content": "再见" }, "link": link } });
    let way = server.call("externalcontact/add_contact_way", body).await["config_id"].clone();
    server.control("customers/wm/scan", json!({ "config_id": way })).await;
    let again = server.control("customers/other/scan", json!({ "config_id": way })).await;
    assert!(again.as_str().unwrap().contains("over"), "once only: {again}");
    let pair = json!({ "userid": "lilei", "external_userid": "wm" });
    let cases = [(json!({ "userid": "wangfang" }), 84_061), (json!({}), 0), (json!({}), 40_058)];
    check(&server, "close_temp_chat", &pair, &cases).await;
    let phones = server.control_view("phones").await;
    let shown: Vec<&Value> =
        phones["phones"]["wm"].as_array().unwrap().iter().map(|one| &one["message"]["msgtype"]).collect();
    assert_eq!(shown, ["text", "link"]);
}
