//! One customer's messages one after another; customers never wait for each other.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::sync::Mutex as Turnstile;
use tokio::sync::OwnedMutexGuard;

use crate::store::CustomerKey;

/// The customers whose messages are being worked on.
#[derive(Debug, Default)]
pub struct Order {
    turnstiles: Arc<Mutex<HashMap<CustomerKey, Arc<Turnstile<()>>>>>,
}

/// A customer's place at the front; given up when dropped.
#[derive(Debug)]
pub struct Place {
    key: CustomerKey,
    turnstiles: Arc<Mutex<HashMap<CustomerKey, Arc<Turnstile<()>>>>>,
    held: Option<OwnedMutexGuard<()>>,
}

impl Order {
    /// Waits until the customer's earlier messages are done.
    pub async fn wait(&self, key: &CustomerKey) -> Place {
        let turnstile = {
            let mut turnstiles = self.turnstiles.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turnstiles.entry(key.clone()).or_default())
        };
        let held = turnstile.lock_owned().await;
        Place { key: key.clone(), turnstiles: Arc::clone(&self.turnstiles), held: Some(held) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut turnstiles = self.turnstiles.lock().unwrap_or_else(PoisonError::into_inner);
        self.held = None;
        // Nobody but the map knows the turnstile any more: nobody waits.
        if turnstiles.get(&self.key).is_some_and(|turnstile| Arc::strong_count(turnstile) == 1) {
            turnstiles.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Channel;

    #[tokio::test]
    async fn the_second_message_waits_for_the_first_and_nobody_is_kept() {
        let order = Order::default();
        let key = |id| CustomerKey::new("shop", Channel::Web, id).unwrap();
        let first = order.wait(&key("a")).await;
        let other = order.wait(&key("b")).await;
        let again = key("a");
        let mut second = std::pin::pin!(order.wait(&again));
        let waits =
            std::future::poll_fn(|cx| std::task::Poll::Ready(second.as_mut().poll(cx).is_pending())).await;
        assert!(waits);
        drop(first);
        drop(second.await);
        drop(other);
        assert!(order.turnstiles.lock().unwrap().is_empty());
    }
}
