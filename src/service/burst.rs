//! Short messages sent in a row are read as one: each waits a quiet moment, and the last of them speaks for all.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::message::Content;
use crate::message::MessageKind;
use crate::store::CallbackKey;
use crate::store::CustomerKey;

/// Customers who are still typing, with how many messages of each have come.
#[derive(Debug, Default)]
pub(super) struct Bursts(Mutex<HashMap<CustomerKey, u64>>);

impl Bursts {
    /// A message has come; its number in the customer's burst.
    pub(super) fn join(&self, customer: &CustomerKey) -> u64 {
        let mut bursts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = bursts.entry(customer.clone()).or_default();
        *number += 1;
        *number
    }

    /// Whether the message of that number is the last of the burst; that ends it.
    pub(super) fn ends(&self, customer: &CustomerKey, number: u64) -> bool {
        let mut bursts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = bursts.get(customer) == Some(&number);
        if is_last {
            bursts.remove(customer);
        }
        is_last
    }
}

/// Whether a message may be read together with others: words, and what was sent to go with them.
pub(super) fn joins(content: &Content) -> bool {
    match content.kind() {
        MessageKind::Text
        | MessageKind::Image
        | MessageKind::Voice
        | MessageKind::Video
        | MessageKind::File => true,
        MessageKind::Location | MessageKind::Link | MessageKind::Entered => false,
    }
}

/// Messages as one: the words line by line, and the kinds of what is no words. Without words the last message speaks.
///
/// * `messages`: at least one, in order.
pub(super) fn merged(messages: &[(CallbackKey, Content)]) -> (Content, Vec<MessageKind>) {
    let words: Vec<&str> = messages
        .iter()
        .filter_map(|(_, content)| match content {
            Content::Text(text) if !text.trim().is_empty() => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let kinds = messages.iter().map(|(_, content)| content.kind());
    if words.is_empty() {
        let last = messages.last().map_or(Content::Text(String::new()), |(_, content)| content.clone());
        return (last, kinds.take(messages.len().saturating_sub(1)).collect());
    }
    (Content::Text(words.join("\n")), kinds.filter(|kind| *kind != MessageKind::Text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Channel;

    #[test]
    fn the_last_of_a_burst_speaks_for_it() {
        let bursts = Bursts::default();
        let customer = |id: &str| CustomerKey::new("shop", Channel::WecomApp, id).unwrap();
        let (first, other) = (bursts.join(&customer("a")), bursts.join(&customer("b")));
        let second = bursts.join(&customer("a"));
        assert!(!bursts.ends(&customer("a"), first));
        assert!(bursts.ends(&customer("a"), second) && bursts.ends(&customer("b"), other));
        // The next message begins a burst of its own.
        let next = bursts.join(&customer("a"));
        assert!(bursts.ends(&customer("a"), next));
    }

    #[test]
    fn words_are_lines_of_one_message_and_pictures_are_kept_with_them() {
        let key = || CallbackKey::new("app", "k").unwrap();
        let text = |words: &str| (key(), Content::Text(words.to_owned()));
        let all = [text("我想退货"), (key(), Content::Image), text("黑色那件")];
        let expected = (Content::Text("我想退货\n黑色那件".to_owned()), vec![MessageKind::Image]);
        assert_eq!(merged(&all), expected);
        let pictures = [(key(), Content::Image), (key(), Content::Video)];
        assert_eq!(merged(&pictures), (Content::Video, vec![MessageKind::Image]));
        assert_eq!(merged(&[text("好")]), (Content::Text("好".to_owned()), Vec::new()));
    }
}
