//! A shop's own order system (云朵小铺): orders, parcels, returns, under that system's field names.
//!
//! Everybody who asks gets seeded orders of their own, so that every visitor of a demo plays alone. Nothing
//! outlives the process, and nothing here leaves it.

mod action;
mod api;
mod filter;
mod order;
mod page;
mod refusal;
mod seed;
mod signature;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use axum::Router;
use jiff::Timestamp;
use serde_json::Value;

use crate::simulate::shop::action::Action;
use crate::simulate::shop::api::Posted;
use crate::simulate::shop::order::Order;
use crate::simulate::shop::refusal::Refusal;

/// Where the shop reads the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Buyers whose orders are kept; the least recently seen goes first.
const BUYERS_MAX: usize = 10_000;

/// Keyed requests whose answers are kept; the oldest goes first.
const ENTRIES_MAX: usize = 10_000;

/// The order system: cheap to clone, all clones share one state.
#[derive(Clone)]
pub struct Shop {
    state: Arc<Mutex<State>>,
    clock: Clock,
    secret: Option<Arc<[u8]>>,
}

/// Something the shop did because it was asked to.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// `return`, `address`, `cancel`, `urge`, `invoice`, `repair` or `lead`.
    pub kind: &'static str,
    /// The order it was done to; empty where there is none.
    pub order_no: String,
    /// The `webhook-id` it was asked under.
    pub key: String,
    /// What was asked, as it came.
    pub body: Value,
}

impl Shop {
    /// A shop that nobody has asked anything yet.
    ///
    /// * `secret`: key bytes of Standard Webhooks; when set, every POST must be signed with it.
    #[must_use]
    pub fn new(clock: Clock, secret: Option<Vec<u8>>) -> Self {
        Self { state: Arc::default(), clock, secret: secret.map(Arc::from) }
    }

    /// The shop's HTTP interface and its page at `/`.
    pub fn router(self) -> Router {
        api::router(self)
    }

    /// Everything that was done, oldest first: the last 10,000 requests, without those refused.
    #[must_use]
    pub fn done(&self) -> Vec<Done> {
        self.lock()
            .entries
            .iter()
            .filter(|entry| entry.answer.is_ok())
            .map(|entry| entry.done.clone())
            .collect()
    }

    /// The time, in whole seconds as the shop writes it.
    fn now(&self) -> Timestamp {
        let now = (self.clock)();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// Reads a buyer's orders; a buyer who was never seen gets the seeded ones first.
    fn read<T>(&self, buyer: &str, look: impl FnOnce(&[Order]) -> T) -> T {
        let now = self.now();
        look(self.lock().orders(buyer, now))
    }

    /// What was done for one buyer and when, newest first.
    fn done_for(&self, buyer: &str) -> Vec<(Timestamp, Done)> {
        let state = self.lock();
        let theirs = state.entries.iter().rev().filter(|entry| entry.buyer == buyer && entry.answer.is_ok());
        theirs.map(|entry| (entry.at, entry.done.clone())).collect()
    }

    /// Carries an action out, once for each key.
    ///
    /// # Errors
    /// Whatever the action refuses, and [`Refusal::KeyReused`] for a key that was used for something else.
    fn act(&self, posted: Posted, action: &Action) -> Result<Value, Refusal> {
        let now = self.now();
        let mut state = self.lock();
        // A walk over at most 10,000 short keys; an index would be one more thing to keep in step.
        if let Some(before) = state.entries.iter().find(|entry| entry.done.key == posted.key) {
            let same = before.path == posted.path && before.done.body == posted.body;
            return if same { before.answer.clone() } else { Err(Refusal::KeyReused) };
        }
        state.serial += 1;
        let serial = state.serial;
        let answer = action.carry_out(state.orders(&posted.buyer, now), serial, now);
        if state.entries.len() >= ENTRIES_MAX {
            state.entries.pop_front();
        }
        state.entries.push_back(Entry {
            buyer: posted.buyer,
            path: posted.path,
            at: now,
            answer: answer.clone(),
            done: Done {
                kind: action.kind(),
                order_no: action.order_no().to_owned(),
                key: posted.key,
                body: posted.body,
            },
        });
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct State {
    buyers: HashMap<String, Buyer>,
    /// Counts the looks at buyers, to tell who was seen last.
    looks: u64,
    /// Counts the keyed requests; numbers of returns and the like are made of it.
    serial: u64,
    entries: VecDeque<Entry>,
}

struct Buyer {
    orders: Vec<Order>,
    seen: u64,
}

/// One keyed request and what it was answered; refusals are kept too, as they must repeat as well.
struct Entry {
    buyer: String,
    path: String,
    at: Timestamp,
    answer: Result<Value, Refusal>,
    done: Done,
}

impl State {
    fn orders(&mut self, buyer: &str, now: Timestamp) -> &mut [Order] {
        if self.buyers.len() >= BUYERS_MAX && !self.buyers.contains_key(buyer) {
            self.forget_one();
        }
        self.looks += 1;
        let buyer = self
            .buyers
            .entry(buyer.to_owned())
            .or_insert_with(|| Buyer { orders: seed::orders(now), seen: 0 });
        buyer.seen = self.looks;
        &mut buyer.orders
    }

    fn forget_one(&mut self) {
        let oldest = self.buyers.iter().min_by_key(|(_, buyer)| buyer.seen).map(|(name, _)| name.clone());
        if let Some(oldest) = oldest {
            self.buyers.remove(&oldest);
        }
    }
}
