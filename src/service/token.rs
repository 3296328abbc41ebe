//! Tokens of WeCom in the store, for all processes over it.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::channel::wecom::token::ShelfFuture;
use crate::channel::wecom::token::TokenShelf;
use crate::secret::Secret;
use crate::service::Service;
use crate::service::callback::chain;
use crate::store::TokenRow;

/// The store of a service as a shelf.
pub struct Tokens(pub Arc<Service>);

impl TokenShelf for Tokens {
    fn find<'s>(&'s self, name: &'s str) -> ShelfFuture<'s, Option<(Secret, Duration)>> {
        Box::pin(async move {
            let row = match self.0.store().token(name).await {
                Ok(row) => row?,
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "tokens cannot be looked up");
                    return None;
                }
            };
            let left = Duration::try_from(row.good_until.duration_since(self.0.now())).ok()?;
            Some((row.value, left))
        })
    }

    fn keep<'s>(&'s self, name: &'s str, token: &'s Secret, life: Duration) -> ShelfFuture<'s, ()> {
        Box::pin(async move {
            let life = SignedDuration::try_from(life).unwrap_or_default();
            let now = self.0.now();
            let good_until = now.saturating_add(life).unwrap_or(now);
            let row = TokenRow { value: token.clone(), good_until };
            if let Err(error) = self.0.store().token_keep(name, &row).await {
                tracing::warn!(error = %chain(&error), "a token could not be kept for others");
            }
        })
    }

    fn alone<'s>(&'s self, name: &'s str) -> ShelfFuture<'s, Box<dyn Any + Send>> {
        Box::pin(async move {
            let held = self.0.leases().take(format!("token:{name}")).await;
            if let Err(error) = &held {
                tracing::warn!(error = %chain(error), "nobody can tell whether others fetch a token too");
            }
            Box::new(held.ok()) as Box<dyn Any + Send>
        })
    }
}
