//! What happens to a talk of 微信客服 beside the words of customer and bot: a servicer takes it in the WeCom client, a
//! message turns out not to have arrived.
//!
//! Source: WeCom developer centre, 会话状态 (path 94669), 接收消息和事件 (94670).

use serde_json::json;

use crate::channel::wecom::client::Client;
use crate::channel::wecom::client::ClientError;
use crate::channel::wecom::kf::Servicing;
use crate::message::Channel;
use crate::service::Service;
use crate::service::handover;
use crate::service::outgoing::Outgoing;
use crate::store::CallbackAnswer;
use crate::store::CallbackKey;
use crate::store::Change;
use crate::store::CustomerKey;
use crate::store::NewOutbox;
use crate::store::Speaker;
use crate::store::StoreError;

/// Rounds of reading and changing before a conversation that others keep changing is left for the next look.
const ROUNDS_MAX: usize = 3;

/// WeCom's numbers for a talk that waits in the pool of the client, and for one that a servicer has.
const IN_CLIENT: [i64; 2] = [POOL, 3];
const POOL: i64 = 2;

/// What moves a talk from one to another.
pub const TRANSFER: &str = "kf/service_state/trans";

/// The call that lets a customer wait in the pool of the WeCom client.
///
/// * `key`: what tells it from all others, see [`NewOutbox::key`].
#[must_use]
pub fn to_pool(app: &str, talk: Talk<'_>, key: String) -> NewOutbox {
    let body = json!({
        "open_kfid": talk.open_kfid, "external_userid": talk.external_userid, "service_state": POOL,
    });
    NewOutbox {
        sender: app.to_owned(),
        recipient: talk.external_userid.to_owned(),
        body: Outgoing::new(TRANSFER, body).to_json(),
        key,
        to_customer: true,
        latest_only: false,
        expires_at: None,
    }
}

/// Why nobody knows who has a talk.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// WeCom does not say.
    #[error("WeCom does not say who has the talk")]
    Client(#[from] ClientError),
    /// It could not be noted.
    #[error("who has the talk could not be noted")]
    Store(#[from] StoreError),
}

/// A talk of 微信客服.
#[derive(Clone, Copy, Debug)]
pub struct Talk<'t> {
    /// The bot.
    pub bot: &'t str,
    /// The account.
    pub open_kfid: &'t str,
    /// The customer.
    pub external_userid: &'t str,
}

/// Notes what a servicer does in the WeCom client: the bot is silent until they are done.
///
/// * `told_by`: the delivery that says so, which is answered with it.
///
/// # Errors
/// When the store fails.
pub async fn follow(
    service: &Service,
    talk: Talk<'_>,
    servicing: &Servicing,
    told_by: Option<&CallbackKey>,
) -> Result<(), StoreError> {
    let (store, now) = (service.store(), service.now());
    let key = CustomerKey::new(talk.bot, Channel::WecomKf, talk.external_userid)?;
    let answers: Vec<CallbackAnswer> = told_by.map(silent).into_iter().collect();
    let mut round = 1;
    loop {
        let row = store.conversation(&key, now).await?;
        let is_there = row.speaker == Speaker::Human && row.holder.is_none();
        if told_by.is_none() && *servicing == Servicing::Took && is_there {
            return Ok(());
        }
        let change = Change { answers: answers.clone(), ..handover::in_client(&row, servicing, now) };
        match store.change(&change).await {
            Ok(_) | Err(StoreError::CallbackAnswered { .. }) => return Ok(()),
            Err(StoreError::Conflict { .. }) if round < ROUNDS_MAX => round += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Asks WeCom who has a talk, after it refused a message of ours, and follows what it says.
///
/// # Errors
/// See [`StateError`].
pub async fn follow_state(service: &Service, client: &Client, talk: Talk<'_>) -> Result<(), StateError> {
    let body = json!({ "open_kfid": talk.open_kfid, "external_userid": talk.external_userid });
    let answer = client.call("kf/service_state/get", &body).await?;
    if answer["service_state"].as_i64().is_some_and(|state| IN_CLIENT.contains(&state)) {
        follow(service, talk, &Servicing::Took, None).await?;
    }
    Ok(())
}

/// Notes that a message did not arrive after all: staff are told, and it stands on the list of what was not sent.
///
/// * `msgid`: what we called it. `told_by`: the delivery that says so.
///
/// # Errors
/// When the store fails.
pub(super) async fn undelivered(
    service: &Service,
    msgid: &str,
    fail_type: i64,
    told_by: &CallbackKey,
) -> Result<(), StoreError> {
    let (store, now) = (service.store(), service.now());
    store.outbox_undelivered(msgid, &format!("fail_type {fail_type}"), now).await?;
    match store.callback_answer(&silent(told_by), now).await {
        Ok(()) | Err(StoreError::CallbackAnswered { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn silent(key: &CallbackKey) -> CallbackAnswer {
    CallbackAnswer { key: key.clone(), reply: String::new(), late: false }
}

/// What a reason of the list of what was not sent means, and what can be done; empty for one that says it itself.
///
/// Sources: WeCom developer centre, msg_send_fail (path 94670), 微信客服 error codes (94677), global ones (90313).
#[must_use]
pub fn explained(reason: &str) -> &'static str {
    match reason {
        "expired" => "过了时效才轮到，没有再发。",
        "overtaken" => "客户已经有了新的回答，或者人工已接手，没有再发。",
        "no answer" => "企业微信一直没有回应。检查网络和 `yingda wecom doctor`。",
        "invaliduser" => "成员不在应用的可见范围里。到管理后台调整可见范围。",
        "no app of that name can send" => "这个应用已经停用，或者没有设置 secret。",
        "errcode 95001" | "fail_type 6" => "客户发一条消息后最多回五条，已经用完。等客户再发消息。",
        "errcode 95002" | "fail_type 4" => {
            "客户已有 48 小时没有发消息，会话过期。等客户再发消息，或改用电话联系。"
        }
        "errcode 95018" => "会话在企业微信客户端里由人接待，或者已经结束。请在客户端里回复。",
        "errcode 95013" | "fail_type 5" => "会话已经结束。等客户再发消息。",
        "errcode 95003" | "errcode 95027" | "fail_type 8" => "企业还没有认证，接待人数到了上限。",
        "errcode 95000" | "errcode 95004" | "errcode 48007" | "fail_type 1" => {
            "客服账号已经删除，或者没有授权给这个应用。"
        }
        "fail_type 2" => "应用已经停用。",
        "fail_type 10" => "客户拒收消息。",
        "fail_type 11" => "应用可见范围里没有成员登录过企业微信。",
        "fail_type 12" => "这种消息在客户进来的入口里不能发。",
        "fail_type 13" => "触发了企业微信的安全限制。",
        "fail_type 0" => "企业微信没有说明原因。",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_in_which_a_message_fails_is_explained() {
        for fail_type in [0, 1, 2, 4, 5, 6, 8, 10, 11, 12, 13] {
            assert!(!explained(&format!("fail_type {fail_type}")).is_empty(), "{fail_type}");
        }
        assert_eq!(explained("errcode 1"), "");
    }
}
