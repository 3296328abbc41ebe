//! Deliveries to the company's server: sealed, up to three times, five seconds each.
//!
//! Sources: WeCom developer centre, 回调配置 (path 90930), 接收消息 (90239), 微信客服回调 (94670).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use quick_xml::Reader;
use quick_xml::events::Event;
use reqwest::Url;
use serde_json::json;

use crate::channel::wecom::crypto::CallbackKey;
use crate::channel::wecom::crypto::Sealed;
use crate::simulate::wecom::card;
use crate::simulate::wecom::card::Change;
use crate::simulate::wecom::card::Tap;
use crate::simulate::wecom::fault::Effect;
use crate::simulate::wecom::passive;
use crate::simulate::wecom::world::World;
use crate::text::hex::lower_hex;

/// So long the company's server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Deliveries of one message.
const DELIVERIES_MAX: u32 = 3;

/// Something to deliver.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    /// An account has something to list.
    Wake { app: String, token: String, account: String },
    /// A member has written to an app.
    Text { app: String, member: String, words: String, msg_id: u64 },
    /// A member has tapped on a template card of an app.
    Tap { app: String, member: String, tap: Tap },
    /// Something happened among members and customers; what it was, as XML, and when.
    Contact { app: String, at: i64, inner: String },
}

/// Carries parcels to the company's server.
#[derive(Clone)]
pub(super) struct Courier {
    world: Arc<Mutex<World>>,
    keys: Arc<BTreeMap<String, CallbackKey>>,
    pub(super) http: reqwest::Client,
}

impl Courier {
    pub(super) fn new(world: Arc<Mutex<World>>) -> anyhow::Result<Self> {
        let plan = world.lock().unwrap_or_else(PoisonError::into_inner).plan.clone();
        let keys = plan
            .apps
            .iter()
            .map(|app| Ok((app.name.clone(), CallbackKey::new(&app.token, &app.aes_key, &plan.corp_id)?)));
        // Chosen once for the process, whoever is first.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        Ok(Self { world, keys: Arc::new(keys.collect::<anyhow::Result<_>>()?), http })
    }

    /// Sends off what waits. Must be called inside of a runtime.
    pub(super) fn wake(&self) {
        let parcels: Vec<Parcel> = self.with(|world| world.parcels.drain(..).collect());
        for parcel in parcels {
            let effect = self.with(|world| world.faults.take("callback"));
            let copies = match effect {
                Some(Effect::Lose) => {
                    self.note(&parcel, 0, "lost");
                    continue;
                }
                Some(Effect::Twice { copies }) => copies,
                _ => 1,
            };
            for _ in 0..copies {
                let (courier, parcel) = (self.clone(), parcel.clone());
                tokio::spawn(async move { courier.deliver(&parcel).await });
            }
        }
    }

    async fn deliver(&self, parcel: &Parcel) {
        let app = parcel.app();
        let (Some(key), Some(address)) = (self.keys.get(app), self.address(app)) else { return };
        for number in 1..=DELIVERIES_MAX {
            let (sealed, body) = self.sealed(key, parcel);
            let Sealed { msg_signature, timestamp, nonce, .. } = &sealed;
            let mut url = address.clone();
            url.query_pairs_mut()
                .append_pair("msg_signature", msg_signature)
                .append_pair("timestamp", timestamp)
                .append_pair("nonce", nonce);
            let request = self.http.post(url).header("content-type", "text/xml").body(body);
            let answer = match request.send().await {
                Ok(response) if response.status() == 200 => response.text().await,
                Ok(response) => {
                    self.note(parcel, number, &format!("status {}", response.status().as_u16()));
                    continue;
                }
                Err(error) => Err(error),
            };
            match answer {
                Ok(answer) => {
                    let outcome = self.receive(key, parcel, &answer);
                    return self.note(parcel, number, outcome);
                }
                Err(error) if error.is_timeout() => self.note(parcel, number, "no answer in time"),
                Err(_gone) => self.note(parcel, number, "no connection"),
            }
        }
    }

    /// What a member gets as the answer to the delivery.
    fn receive(&self, key: &CallbackKey, parcel: &Parcel, answer: &str) -> &'static str {
        if answer.is_empty() || answer == "success" {
            return "acknowledged";
        }
        let (Parcel::Text { app, member, .. } | Parcel::Tap { app, member, .. }) = parcel else {
            self.breaks("an event was answered with words");
            return "acknowledged";
        };
        let of =
            |fields: &BTreeMap<String, String>, name: &str| fields.get(name).cloned().unwrap_or_default();
        let opened = leaves(answer).and_then(|outer| {
            let opened = key.open(
                &of(&outer, "MsgSignature"),
                &of(&outer, "TimeStamp"),
                &of(&outer, "Nonce"),
                &of(&outer, "Encrypt"),
            );
            let opened = opened.ok()?;
            Some((leaves(&opened)?, opened))
        });
        let Some((inner, document)) = opened else {
            self.breaks("the answer is not sealed, or by another key");
            return "answered with what nobody can read";
        };
        if of(&inner, "ToUserName") != *member || of(&inner, "FromUserName") != self.corp_id() {
            self.breaks("the answer is addressed to somebody else");
        }
        let kind = of(&inner, "MsgType");
        if let Parcel::Tap { tap, .. } = parcel
            && (!tap.is_menu || kind.starts_with("update_"))
        {
            return self.replace((app, &tap.task_id), member, &kind, &document);
        }
        let words = of(&inner, "Content");
        if kind == "text" && words.len() > 2_048 {
            self.breaks("a passive text has more than 2048 bytes");
        }
        let message = json!({ "msgtype": kind, "content": words, "fields": inner });
        self.with(|world| {
            let now = world.now();
            world.arrives(member, app, &message, now);
        });
        "answered"
    }

    /// Replaces a card, or its button, as the answer to a tap says.
    fn replace(&self, card: (&str, &str), member: &str, kind: &str, document: &str) -> &'static str {
        let answer = passive::object(document).unwrap_or_default();
        let change = match kind {
            "update_button" => {
                answer["button"]["replace_name"].as_str().map(|words| Change::Button(words.to_owned()))
            }
            "update_template_card" => Some(Change::Card(answer["template_card"].clone())),
            _ => None,
        };
        let Some(change) = change else {
            self.breaks("a tap was answered with neither update_button nor update_template_card");
            return "acknowledged";
        };
        self.with(|world| {
            let now = world.now();
            if let Change::Card(new) = &change
                && let Err(refusal) = card::accept_answer(world, new, now)
            {
                world.ledger.breaks("callback", format!("{}: {}", refusal.code, refusal.words));
                return "acknowledged";
            }
            if world.replace(card, member, &change, now) { "answered" } else { "acknowledged" }
        })
    }

    /// A parcel with fresh noise, as each delivery has it.
    fn sealed(&self, key: &CallbackKey, parcel: &Parcel) -> (Sealed, String) {
        let (now, noise, corp) = self.with(|world| {
            (world.now().as_second(), [world.number(), world.number()], world.plan.corp_id.clone())
        });
        let mut random = [0; 16];
        random[..8].copy_from_slice(&noise[0].to_le_bytes());
        random[8..].copy_from_slice(&noise[1].to_le_bytes());
        let agent_id = self.with(|world| world.plan.app(parcel.app()).map_or(0, |app| app.agent_id));
        let plain = parcel.xml(&corp, agent_id, now);
        let sealed = key.seal(&plain, random, &now.to_string(), &lower_hex(&random[..4]));
        let body = format!(
            "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><AgentID><![CDATA[{agent_id}]]></AgentID>\
             <Encrypt><![CDATA[{}]]></Encrypt></xml>",
            sealed.encrypt
        );
        (sealed, body)
    }

    fn address(&self, app: &str) -> Option<Url> {
        let written = self.with(|world| world.plan.app(app)?.callback.clone())?;
        Url::parse(&written).ok()
    }

    fn corp_id(&self) -> String {
        self.with(|world| world.plan.corp_id.clone())
    }

    fn note(&self, parcel: &Parcel, number: u32, outcome: &str) {
        self.with(|world| {
            let now = world.now();
            world.ledger.delivery(now, parcel.app(), number, outcome);
        });
    }

    fn breaks(&self, rule: &str) {
        self.with(|world| world.ledger.breaks("callback", rule));
    }

    fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Parcel {
    fn app(&self) -> &str {
        match self {
            Self::Wake { app, .. }
            | Self::Text { app, .. }
            | Self::Tap { app, .. }
            | Self::Contact { app, .. } => app,
        }
    }

    /// The inner XML of a delivery.
    fn xml(&self, corp: &str, agent_id: i64, now: i64) -> String {
        match self {
            Self::Wake { token, account, .. } => format!(
                "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><CreateTime>{now}</CreateTime>\
                 <MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event>\
                 <Token><![CDATA[{token}]]></Token><OpenKfId><![CDATA[{account}]]></OpenKfId></xml>"
            ),
            Self::Text { member, words, msg_id, .. } => format!(
                "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><FromUserName><![CDATA[{member}]]></FromUserName>\
                 <CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{}]]></Content>\
                 <MsgId>{msg_id}</MsgId><AgentID>{agent_id}</AgentID></xml>",
                sealed_off(words)
            ),
            Self::Tap { member, tap, .. } => format!(
                "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><FromUserName><![CDATA[{member}]]></FromUserName>\
                 <CreateTime>{now}</CreateTime><MsgType><![CDATA[event]]></MsgType>{}\
                 <AgentID>{agent_id}</AgentID>{}</xml>",
                tap.event(),
                tap.choice()
            ),
            Self::Contact { at, inner, .. } => format!(
                "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
                 <CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType>{inner}</xml>"
            ),
        }
    }
}

impl Tap {
    fn event(&self) -> String {
        let name = if self.is_menu { "template_card_menu_event" } else { "template_card_event" };
        format!(
            "<Event><![CDATA[{name}]]></Event><EventKey><![CDATA[{}]]></EventKey><TaskId><![CDATA[{}]]></TaskId>\
             <CardType><![CDATA[{}]]></CardType><ResponseCode><![CDATA[{}]]></ResponseCode>",
            sealed_off(&self.key),
            self.task_id,
            self.card_type,
            self.response_code
        )
    }

    fn choice(&self) -> String {
        let items = self.selected.iter().map(|(question, chosen)| {
            let ids = chosen.iter().map(|id| format!("<OptionId><![CDATA[{}]]></OptionId>", sealed_off(id)));
            format!(
                "<SelectedItem><QuestionKey><![CDATA[{}]]></QuestionKey><OptionIds>{}</OptionIds></SelectedItem>",
                sealed_off(question),
                ids.collect::<String>()
            )
        });
        let items = items.collect::<String>();
        if items.is_empty() { items } else { format!("<SelectedItems>{items}</SelectedItems>") }
    }
}

/// Words that cannot end the CDATA that they stand in.
fn sealed_off(words: &str) -> String {
    words.replace("]]>", "]]]]><![CDATA[>")
}

/// The texts of a document's leaves by their names; the last of a name stands. `None` where it is no XML.
fn leaves(xml: &str) -> Option<BTreeMap<String, String>> {
    let mut reader = Reader::from_str(xml);
    let (mut found, mut words) = (BTreeMap::new(), String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) => words.clear(),
            Event::Text(text) => words.push_str(&text.xml10_content()),
            Event::CData(text) => words.push_str(&text.xml10_content()),
            Event::End(end) => {
                let name = end.name().0.to_owned();
                found.insert(name, std::mem::take(&mut words));
            }
            Event::Eof => return Some(found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;
    use crate::simulate::wecom::Plan;

    /// A courier in whose world a member has a card of two buttons, and has tapped on one.
    fn tapped() -> (Courier, Parcel) {
        let at = Timestamp::from_second(1_795_485_600).unwrap();
        let mut world = World::new(Plan::demo("http://127.0.0.1:1"), 7, Arc::new(move || at));
        let buttons = json!([{ "text": "接单", "key": "accept" }, { "text": "转派", "key": "reassign" }]);
        let card = json!({ "card_type": "button_interaction", "button_list": buttons,
                           "button_selection": { "question_key": "q1", "option_list": [{ "id": "o1", "text": "甲" }] } });
        let message = json!({ "msgtype": "template_card", "app": "staff", "task_id": "t-1", "card": card });
        world.arrives("lilei", "app", &message, at);
        let selected = BTreeMap::from([("q1".to_owned(), vec!["o1".to_owned()])]);
        let tap = world.tap(("staff", "t-1"), "lilei", ("accept", selected), at).unwrap();
        let courier = Courier::new(Arc::new(Mutex::new(world))).unwrap();
        (courier, Parcel::Tap { app: "staff".to_owned(), member: "lilei".to_owned(), tap })
    }

    /// What the company's server answers, sealed, and what the member then has on their phone and was broken.
    fn after(kind: &str, body: &str) -> (Value, usize) {
        let (courier, parcel) = tapped();
        let plain = format!(
            "<xml><ToUserName><![CDATA[lilei]]></ToUserName><FromUserName><![CDATA[wwsimulator00001]]></FromUserName>\
             <CreateTime>1795485600</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{body}</xml>"
        );
        let key = &courier.keys["staff"];
        let sealed = key.seal(&plain, [7; 16], "1795485600", "n");
        let answer = format!(
            "<xml><Encrypt><![CDATA[{}]]></Encrypt><MsgSignature><![CDATA[{}]]></MsgSignature>\
             <TimeStamp>{}</TimeStamp><Nonce><![CDATA[{}]]></Nonce></xml>",
            sealed.encrypt, sealed.msg_signature, sealed.timestamp, sealed.nonce
        );
        courier.receive(key, &parcel, &answer);
        courier.with(|world| {
            let n_broken = world.ledger.view()["broken"].as_array().unwrap().len();
            (world.phones["lilei"][0]["message"].clone(), n_broken)
        })
    }

    #[test]
    fn a_tap_is_told_as_the_page_shows_it() {
        let (_, parcel) = tapped();
        let Parcel::Tap { tap, .. } = &parcel else { panic!("{parcel:?}") };
        let expected = format!(
            "<xml><ToUserName><![CDATA[ww1]]></ToUserName><FromUserName><![CDATA[lilei]]></FromUserName>\
             <CreateTime>1</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[template_card_event]]></Event>\
             <EventKey><![CDATA[accept]]></EventKey><TaskId><![CDATA[t-1]]></TaskId>\
             <CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[{}]]></ResponseCode>\
             <AgentID>2</AgentID><SelectedItems><SelectedItem><QuestionKey><![CDATA[q1]]></QuestionKey>\
             <OptionIds><OptionId><![CDATA[o1]]></OptionId></OptionIds></SelectedItem></SelectedItems></xml>",
            tap.response_code
        );
        assert_eq!(parcel.xml("ww1", 2, 1), expected);
    }

    #[test]
    fn a_tap_is_answered_by_a_button_or_a_card() {
        let (message, n_broken) =
            after("update_button", "<Button><ReplaceName><![CDATA[已受理]]></ReplaceName></Button>");
        assert_eq!((&message["replaced"], n_broken), (&json!("已受理"), 0));
        let card = "<TemplateCard><CardType>text_notice</CardType><MainTitle><Title>已受理</Title></MainTitle>\
                    <CardAction><Type>1</Type><Url>https://shop.example/1</Url></CardAction></TemplateCard>";
        let (message, n_broken) = after("update_template_card", card);
        assert_eq!((&message["card"]["main_title"]["title"], n_broken), (&json!("已受理"), 0));
        let unfinished = "<TemplateCard><CardType>text_notice</CardType></TemplateCard>";
        let (message, n_broken) = after("update_template_card", unfinished);
        assert_eq!((&message["card"]["card_type"], n_broken), (&json!("button_interaction"), 1));
        let (message, n_broken) = after("text", "<Content>好的</Content>");
        assert_eq!((&message["replaced"], n_broken), (&Value::Null, 1), "an event takes no words");
    }
}
