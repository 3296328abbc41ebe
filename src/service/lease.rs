//! What this process may do alone among those over one store: work on a conversation, look after what all share.
//!
//! A lease spares work and keeps order. That nothing happens twice does not hang on it: every transaction has a condition
//! of its own, and holds when a process that was taken for dead comes back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use sha2::Digest;
use sha2::Sha256;

use crate::service::Clock;
use crate::service::callback::chain;
use crate::store::CustomerKey;
use crate::store::Lease;
use crate::store::Store;
use crate::store::StoreError;
use crate::text::hex::lower_hex;

/// How long a process that dies keeps what it held.
pub const LIFE: SignedDuration = SignedDuration::from_secs(8);

/// How often what is held is held on to.
const RENEW: SignedDuration = SignedDuration::from_secs(2);
const RENEW_EVERY: Duration = Duration::from_secs(2);

/// How often somebody looks whether a lease is free again.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The leases of this process.
pub struct Leases {
    store: Arc<dyn Store>,
    clock: Clock,
    /// Tells this process from all others.
    process: String,
    n_taken: AtomicU64,
    held: Arc<Mutex<HashMap<Lease, Timestamp>>>,
}

/// Something that only this process does; given back when dropped.
pub struct Held {
    store: Arc<dyn Store>,
    lease: Lease,
    held: Arc<Mutex<HashMap<Lease, Timestamp>>>,
}

impl Leases {
    /// * `process`: tells this process from all others, at most 200 bytes.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Clock, process: String) -> Self {
        Self { store, clock, process, n_taken: AtomicU64::new(0), held: Arc::default() }
    }

    /// Waits until no other process works on a customer's conversation, where others can.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn talk(&self, key: &CustomerKey) -> Result<Option<Held>, StoreError> {
        self.take(talk_name(key)).await
    }

    /// Waits until no other process does something, where others can.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn take(&self, name: String) -> Result<Option<Held>, StoreError> {
        if !self.store.is_shared() {
            return Ok(None);
        }
        // A number of its own each time: giving one back late does not take the next one away.
        let number = self.n_taken.fetch_add(1, Ordering::Relaxed);
        let lease = Lease { name, holder: format!("{}/{number}", self.process) };
        loop {
            let until = self.until();
            if self.store.lease_take(&lease, (self.clock)(), until).await? {
                self.lock().insert(lease.clone(), until);
                return Ok(Some(Held {
                    store: Arc::clone(&self.store),
                    lease,
                    held: Arc::clone(&self.held),
                }));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether this process looks after something that one is enough for. It is asked again before every look, and at least
    /// once in [`LIFE`] by a process that means to go on.
    pub async fn leads(&self, what: &str) -> bool {
        if !self.store.is_shared() {
            return true;
        }
        let lease = Lease { name: format!("lead:{what}"), holder: self.process.clone() };
        match self.store.lease_take(&lease, (self.clock)(), self.until()).await {
            Ok(leads) => leads,
            Err(error) => {
                tracing::warn!(what, error = %chain(&error), "nobody can tell who looks after it");
                false
            }
        }
    }

    /// Holds on to what takes longer than a lease lives, for as long as it is polled.
    pub async fn run(&self) {
        let mut tick = tokio::time::interval(RENEW_EVERY);
        loop {
            tick.tick().await;
            let (now, until) = ((self.clock)(), self.until());
            let old: Vec<Lease> = {
                let held = self.lock();
                // What was taken since the last look has time until the next.
                let is_old = |end: &Timestamp| end.duration_since(now) < LIFE - RENEW;
                held.iter().filter(|(_, end)| is_old(end)).map(|(lease, _)| lease.clone()).collect()
            };
            for lease in old {
                match self.store.lease_take(&lease, now, until).await {
                    Ok(true) => {
                        if let Some(end) = self.lock().get_mut(&lease) {
                            *end = until;
                        }
                    }
                    // What is decided with it is refused by its transaction, if the other was faster.
                    Ok(false) => tracing::warn!("another process took this one for dead"),
                    Err(error) => tracing::warn!(error = %chain(&error), "a lease could not be held on to"),
                }
            }
        }
    }

    fn until(&self) -> Timestamp {
        (self.clock)().saturating_add(LIFE).unwrap_or(Timestamp::MAX)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Lease, Timestamp>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.lease);
        // Without a runtime the process is about to end, and the lease with it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (store, lease) = (Arc::clone(&self.store), self.lease.clone());
        runtime.spawn(async move {
            if let Err(error) = store.lease_drop(&lease).await {
                tracing::warn!(error = %chain(&error), "a lease was not given back; it runs out");
            }
        });
    }
}

/// A name that tells nobody who the customer is.
fn talk_name(key: &CustomerKey) -> String {
    let mut all = Sha256::new();
    for part in [key.bot(), key.channel(), key.customer_id()] {
        all.update((part.len() as u64).to_le_bytes());
        all.update(part.as_bytes());
    }
    format!("talk:{}", lower_hex(&all.finalize()))
}
