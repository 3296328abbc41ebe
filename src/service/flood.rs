//! How many messages one customer may send in a minute.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use jiff::Timestamp;

use crate::store::CustomerKey;

/// Customers remembered at most; beyond it those whose minute is over are forgotten, and
/// newcomers are not counted.
const CUSTOMERS_MAX: usize = 20_000;

const WINDOW_SECONDS: i64 = 60;

/// Counts by customer and minute.
#[derive(Debug, Default)]
pub struct Flood {
    windows: Mutex<HashMap<CustomerKey, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    since: Timestamp,
    messages: u32,
}

impl Flood {
    /// Counts a message and says whether it is within the limit.
    ///
    /// * `messages_max`: in one minute from the first; 0 for no limit.
    #[must_use]
    pub fn admits(&self, key: &CustomerKey, messages_max: u32, now: Timestamp) -> bool {
        if messages_max == 0 {
            return true;
        }
        let over = |window: &Window| {
            let age = now.as_second() - window.since.as_second();
            // A clock that stepped back starts a new minute too.
            !(0..WINDOW_SECONDS).contains(&age)
        };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= CUSTOMERS_MAX {
            windows.retain(|_, window| !over(window));
            if windows.len() >= CUSTOMERS_MAX && !windows.contains_key(key) {
                // More customers in one minute than are counted: newcomers are let through uncounted.
                return true;
            }
        }
        let window = windows.entry(key.clone()).or_insert(Window { since: now, messages: 0 });
        if over(window) {
            *window = Window { since: now, messages: 0 };
        }
        window.messages = window.messages.saturating_add(1);
        window.messages <= messages_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Channel;

    #[test]
    fn the_limit_is_by_customer_and_minute() {
        let flood = Flood::default();
        let key = |id| CustomerKey::new("shop", Channel::Web, id).unwrap();
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).unwrap();
        assert!(flood.admits(&key("a"), 2, at(0)));
        assert!(flood.admits(&key("a"), 2, at(1)));
        assert!(!flood.admits(&key("a"), 2, at(59)));
        assert!(flood.admits(&key("b"), 2, at(59)));
        assert!(flood.admits(&key("a"), 2, at(60)));
        assert!(flood.admits(&key("a"), 2, at(-500)));
        assert!((0..100).all(|_| flood.admits(&key("c"), 0, at(0))));
    }
}
