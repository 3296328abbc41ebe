//! Template cards: what each type needs, and what becomes of one that is tapped.

use super::media::PNG;
use super::*;

const URL: &str = "https://shop.example/1";

fn sending(card: &Value) -> Value {
    json!({ "touser": "lilei|wangfang", "msgtype": "template_card", "agentid": 1_000_001, "template_card": card })
}

fn buttons(task_id: &str) -> Value {
    json!({ "card_type": "button_interaction", "main_title": { "title": "新工单" }, "task_id": task_id,
            "button_list": [{ "text": "接单", "style": 1, "key": "accept" }, { "text": "转派", "key": "reassign" }] })
}

fn options(count: usize) -> Vec<Value> {
    (0..count).map(|number| json!({ "id": format!("o{number}"), "text": "甲" })).collect()
}

fn vote(task_id: &str, count: usize) -> Value {
    json!({ "card_type": "vote_interaction", "main_title": { "title": "排班" }, "task_id": task_id,
            "checkbox": { "question_key": "q1", "mode": 1, "option_list": options(count) },
            "submit_button": { "text": "提交", "key": "submit" } })
}

fn selects(task_id: &str, count: usize) -> Value {
    let select = json!({ "question_key": "q1", "title": "时间", "option_list": options(10) });
    json!({ "card_type": "multiple_interaction", "main_title": { "title": "预约" }, "task_id": task_id,
            "select_list": vec![select; count], "submit_button": { "text": "提交", "key": "submit" } })
}

fn notice() -> Value {
    json!({ "card_type": "text_notice", "sub_title_text": "到货了", "card_action": { "type": 1, "url": URL } })
}

fn news() -> Value {
    json!({ "card_type": "news_notice", "main_title": { "title": "到货了" }, "card_action": { "type": 1, "url": URL },
            "card_image": { "url": URL, "aspect_ratio": 1.3 } })
}

/// A card with one field changed; null takes it away.
fn with(mut card: Value, name: &str, value: Value) -> Value {
    card[name] = value;
    card
}

impl Server {
    async fn card_code(&self, card: Value) -> i64 {
        self.code("message/send", sending(&card)).await
    }

    async fn taps(&self, member: &str, key: &str, selected: Value) -> Value {
        let body = json!({ "app": "shop", "task_id": "t-1", "key": key, "selected": selected });
        self.control(&format!("members/{member}/tap"), body).await
    }

    /// What stands on the button of a member's card, once it was replaced.
    async fn replaced(&self, member: &str) -> Value {
        let phones = self.send(Request::get("/_sim/phones").body(Body::empty()).unwrap()).await;
        phones["phones"][member][0]["message"]["replaced"].clone()
    }
}

fn updating(code: &Value, userids: Value) -> Value {
    json!({ "userids": userids, "agentid": 1_000_001, "response_code": code, "button": { "replace_name": "已接单" } })
}

#[tokio::test]
async fn each_card_needs_what_its_page_says() {
    let server = Server::open().await;
    for card in [notice(), news(), buttons("t-1"), vote("t-2", 20), selects("t-3", 3)] {
        assert_eq!(server.card_code(card.clone()).await, 0, "{card}");
    }
    assert!(server.broken().await.is_empty());
    let fresh = || buttons("t-9");
    let menu =
        |keys: [&str; 2]| json!({ "action_list": keys.map(|key| json!({ "text": "静音", "key": key })) });
    for (card, code) in [
        (with(notice(), "card_type", json!("poem")), 42_031),
        (with(notice(), "sub_title_text", Value::Null), 41_016),
        (with(notice(), "card_action", Value::Null), 42_045),
        (with(notice(), "card_action", json!({ "type": 3 })), 42_045),
        (with(notice(), "card_action", json!({ "type": 1 })), 42_028),
        (with(notice(), "jump_list", json!(vec![json!({ "title": "看" }); 4])), 40_058),
        (with(notice(), "horizontal_content_list", json!(vec![json!({ "keyname": "货" }); 7])), 40_058),
        (
            with(
                notice(),
                "horizontal_content_list",
                json!([{ "keyname": "货", "type": 2, "media_id": "x" }]),
            ),
            40_007,
        ),
        (with(notice(), "action_menu", menu(["a", "b"])), 42_014),
        (with(with(notice(), "action_menu", menu(["a", "a"])), "task_id", json!("t-9")), 42_051),
        (with(news(), "card_image", Value::Null), 40_058),
        (with(news(), "card_image", json!({ "url": URL, "aspect_ratio": 2.3 })), 40_058),
        (buttons("t-1"), 42_014),
        (buttons("没有"), 42_014),
        (with(fresh(), "task_id", Value::Null), 42_014),
        (with(fresh(), "main_title", Value::Null), 41_016),
        (with(fresh(), "button_list", json!([])), 40_058),
        (with(fresh(), "button_list", json!([{ "key": "a" }])), 42_038),
        (with(fresh(), "button_list", json!([{ "text": "接单" }])), 42_039),
        (with(fresh(), "button_list", json!([{ "text": "接单", "key": "a".repeat(1_025) }])), 42_039),
        (with(fresh(), "button_list", json!([{ "text": "看", "type": 1 }])), 42_028),
        (vote("t-9", 21), 40_058),
        (with(vote("t-9", 2), "submit_button", Value::Null), 42_046),
        (with(vote("t-9", 2), "submit_button", json!({ "text": "提交" })), 42_049),
        (selects("t-9", 4), 42_047),
    ] {
        assert_eq!(server.card_code(card.clone()).await, code, "{card}");
    }
    assert_eq!(server.card_code(with(fresh(), "butons", json!([]))).await, 0);
    assert!(server.broken().await[0].contains("butons"));
}

#[tokio::test]
async fn a_card_is_replaced_once_and_within_three_days() {
    let server = Server::open().await;
    let sent = server.call("message/send", sending(&buttons("t-1"))).await;
    let code = &sent["response_code"];
    let update = "message/update_template_card";
    let answer = server.call(update, updating(code, json!(["LiLei", "nobody"]))).await;
    assert_eq!((&answer["errcode"], &answer["invaliduser"]), (&json!(0), &json!(["nobody"])));
    assert_eq!(
        [server.replaced("lilei").await, server.replaced("wangfang").await],
        [json!("已接单"), Value::Null]
    );
    assert_eq!(server.code(update, updating(code, json!(["wangfang"]))).await, 60_140);
    assert_eq!(server.code(update, updating(&json!("other"), json!(["wangfang"]))).await, 60_140);
    let tapped = server.taps("wangfang", "reassign", json!({})).await["response_code"].clone();
    assert_eq!(server.code(update, updating(&tapped, json!([]))).await, 82_001);
    let mut both = updating(&tapped, json!(["wangfang"]));
    both["template_card"] = notice();
    assert_eq!(server.code(update, both.clone()).await, 40_035);
    both["button"] = Value::Null;
    both["template_card"]["replace_text"] = json!("已转派");
    assert_eq!(server.code(update, both).await, 0);
    assert_eq!(server.replaced("wangfang").await, "已转派");
    let late = server.call("message/send", sending(&buttons("t-2"))).await["response_code"].clone();
    server.control("clock", json!({ "advance_seconds": 3 * 86_400 + 1 })).await;
    let server = server.renewed().await;
    assert_eq!(server.code(update, updating(&late, json!(["lilei"]))).await, 60_140);
    assert!(server.call("message/send", sending(&notice())).await["response_code"].is_null());
}

#[tokio::test]
async fn only_what_is_on_a_card_can_be_tapped() {
    let server = Server::open().await;
    server.call("message/send", sending(&vote("t-1", 2))).await;
    let chosen = |ids: Value| json!({ "q1": ids });
    let refused = async |member: &str, key: &str, selected: Value| {
        server.taps(member, key, selected).await.as_str().unwrap_or("taken").to_owned()
    };
    assert!(refused("zhaomin", "submit", chosen(json!(["o0"]))).await.contains("zhaomin has no card"));
    assert!(refused("lilei", "other", chosen(json!(["o0"]))).await.contains("the key other"));
    assert!(refused("lilei", "submit", chosen(json!(["o2"]))).await.contains("o2 is no option"));
    assert!(refused("lilei", "submit", json!({ "q2": ["o0"] })).await.contains("no question q2"));
    let code = server.taps("lilei", "submit", chosen(json!(["o0", "o1"]))).await["response_code"].clone();
    server.call("message/update_template_card", updating(&code, json!(["lilei"]))).await;
    assert!(refused("lilei", "submit", chosen(json!(["o0"]))).await.contains("no longer"));
    assert_eq!(refused("wangfang", "submit", chosen(json!(["o0"]))).await, "taken");
}

#[tokio::test]
async fn the_page_gets_what_it_shows_of_media() {
    let server = Server::open().await;
    let id = server.medium("image", "雨衣.png", PNG).await;
    let sending = json!({ "account": KF, "msgtype": "image", "object": { "media_id": id } });
    server.control("customers/wm/send", sending).await;
    let phones = server.send(Request::get("/_sim/phones").body(Body::empty()).unwrap()).await;
    let shown = &phones["phones"]["wm"][0]["message"];
    assert_eq!((&shown["media_id"], &shown["filename"]), (&json!(id), &json!("雨衣.png")));
    let (status, headers, bytes) =
        server.raw(Request::get(format!("/_sim/media/{id}")).body(Body::empty()).unwrap()).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::OK, PNG));
    assert_eq!(headers["content-type"], "image/png");
    let page = server.send(Request::get("/").body(Body::empty()).unwrap()).await;
    let page = page.as_str().unwrap();
    assert!(page.contains("/_sim/media/") && page.contains("/tap`"));
}
