//! Short messages sent in a row are read as one: each waits a quiet moment, and the last of them speaks for all.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use crate::message::Content;
use crate::message::MessageKind;
use crate::store::CallbackKey;
use crate::store::CustomerKey;

/// Customers who are still typing.
#[derive(Debug, Default)]
pub(super) struct Bursts(Mutex<HashMap<CustomerKey, Burst>>);

#[derive(Debug)]
struct Burst {
    /// Messages so far.
    n_messages: u64,
    began: Instant,
}

impl Bursts {
    /// A message has come; its number in the customer's burst.
    pub(super) fn join(&self, customer: &CustomerKey) -> u64 {
        let mut bursts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let burst =
            bursts.entry(customer.clone()).or_insert_with(|| Burst { n_messages: 0, began: Instant::now() });
        burst.n_messages += 1;
        burst.n_messages
    }

    /// Whether the message of that number speaks for the burst, which ends it: the last one, and, of a customer who never
    /// stops, the first whose time is over. What came behind it then speaks for itself, if it is not answered already.
    ///
    /// * `longest`: how long a burst may last.
    pub(super) fn ends(&self, customer: &CustomerKey, number: u64, longest: Duration) -> bool {
        let mut bursts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = bursts
            .get(customer)
            .is_none_or(|burst| burst.n_messages == number || burst.began.elapsed() >= longest);
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
        let long = Duration::from_secs(60);
        assert!(!bursts.ends(&customer("a"), first, long));
        assert!(bursts.ends(&customer("a"), second, long) && bursts.ends(&customer("b"), other, long));
        // The next message begins a burst of its own; one whose time is over does not wait for the next.
        let next = bursts.join(&customer("a"));
        bursts.join(&customer("a"));
        assert!(bursts.ends(&customer("a"), next, Duration::ZERO));
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
