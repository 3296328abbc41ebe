//! What a channel delivered, and what goes back: committed with the turn that answers it.

use sha2::Digest;
use sha2::Sha256;

use crate::message::Reply;
use crate::service::handover::Route;
use crate::store::CallbackAnswer;
use crate::store::CallbackKey;
use crate::store::ConversationId;
use crate::store::NewOutbox;
use crate::store::Revision;
use crate::text::hex::lower_hex;

/// Deliveries that one turn answers.
pub struct Delivery {
    /// How the customer is reached from now on.
    pub route: Option<Route>,
    /// Their keys, in order; at least one. What goes back goes to the last.
    pub keys: Vec<CallbackKey>,
    /// The channel's ids of the pictures, voices and files in them, in order.
    pub media: Vec<String>,
    /// Makes of a reply what goes back.
    pub back: Box<dyn Fn(&Reply) -> Back + Send + Sync>,
}

/// What goes back to a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Back {
    /// What the response to the delivery says, now and whenever it is repeated; empty acknowledges it.
    pub response: String,
    /// Whether the channel had stopped waiting for that response.
    pub late: bool,
    /// What is sent by calls of our own.
    pub calls: Vec<NewOutbox>,
}

/// What is committed with the turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Composed {
    pub(super) answers: Vec<CallbackAnswer>,
    pub(super) route: Option<String>,
    pub(super) media: Vec<String>,
    pub(super) outbox: Vec<NewOutbox>,
}

impl Delivery {
    /// What is committed with a turn that says this.
    pub(super) fn compose(&self, reply: &Reply) -> Composed {
        let back = (self.back)(reply);
        let last = self.keys.len().saturating_sub(1);
        let answers = self.keys.iter().enumerate().map(|(at, key)| CallbackAnswer {
            key: key.clone(),
            // Earlier ones are covered by what the last one gets.
            reply: if at == last { back.response.clone() } else { String::new() },
            late: back.late && at == last,
        });
        let route = self.route.as_ref().map(Route::to_json);
        Composed { answers: answers.collect(), route, media: self.media.clone(), outbox: back.calls }
    }
}

/// An id of a message to be sent: the same for the same part of the answer to the same delivery, whoever answers it and
/// however often, and never the same for another. It has 32 letters and digits, which is what 微信客服 takes.
#[must_use]
pub fn message_key(delivery: &CallbackKey, part: usize) -> String {
    let named = format!("{}\n{}\n{part}", delivery.app(), delivery.key());
    format!("y{}", &lower_hex(&Sha256::digest(named))[..31])
}

/// An id of a message that no delivery brought about: of a human, or of the clock.
#[must_use]
pub fn own_key(conversation: ConversationId, revision: Revision, part: usize) -> String {
    let named = format!("own\n{conversation}\n{revision}\n{part}");
    format!("y{}", &lower_hex(&Sha256::digest(named))[..31])
}

impl Delivery {
    /// The deliveries, answered without a word.
    pub(super) fn silent(&self) -> Vec<CallbackAnswer> {
        let answer =
            |key: &CallbackKey| CallbackAnswer { key: key.clone(), reply: String::new(), late: false };
        self.keys.iter().map(answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_back_goes_to_the_last_delivery() {
        let key = |key: &str| CallbackKey::new("app", key).unwrap();
        let back = |reply: &Reply| Back {
            response: format!("{} 段", reply.parts.len()),
            late: true,
            calls: Vec::new(),
        };
        let delivery =
            Delivery { route: None, keys: vec![key("1"), key("2")], media: Vec::new(), back: Box::new(back) };
        let composed = delivery.compose(&Reply::text("好"));
        let answers: Vec<_> =
            composed.answers.iter().map(|one| (one.key.key(), one.reply.as_str(), one.late)).collect();
        assert_eq!(answers, [("1", "", false), ("2", "1 段", true)]);
    }

    #[test]
    fn ids_of_messages_are_repeatable_and_fit() {
        let key = |app: &str, key: &str| CallbackKey::new(app, key).unwrap();
        let first = message_key(&key("kf:a", "m1"), 0);
        assert_eq!(first, message_key(&key("kf:a", "m1"), 0));
        assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{first}");
        for other in [message_key(&key("kf:a", "m1"), 1), message_key(&key("kf:a", "m2"), 0)] {
            assert_ne!(first, other);
        }
    }
}
