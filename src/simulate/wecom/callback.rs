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
use crate::simulate::wecom::fault::Effect;
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
        let Parcel::Text { app, member, .. } = parcel else {
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
            leaves(&opened.ok()?)
        });
        let Some(inner) = opened else {
            self.breaks("the answer is not sealed, or by another key");
            return "answered with what nobody can read";
        };
        if of(&inner, "ToUserName") != *member || of(&inner, "FromUserName") != self.corp_id() {
            self.breaks("the answer is addressed to somebody else");
        }
        let kind = of(&inner, "MsgType");
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
            Self::Wake { app, .. } | Self::Text { app, .. } | Self::Contact { app, .. } => app,
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
                words.replace("]]>", "]]]]><![CDATA[>")
            ),
            Self::Contact { at, inner, .. } => format!(
                "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
                 <CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType>{inner}</xml>"
            ),
        }
    }
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
