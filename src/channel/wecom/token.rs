//! Where tokens are kept, so that all processes of a company use one.

use std::any::Any;
use std::pin::Pin;
use std::time::Duration;

use crate::secret::Secret;

/// A future behind a pointer, so that `dyn TokenShelf` can return it.
pub type ShelfFuture<'s, T> = Pin<Box<dyn Future<Output = T> + Send + 's>>;

/// Tokens that processes share. A shelf that fails has nothing and takes nothing: a token can always be fetched.
pub trait TokenShelf: Send + Sync {
    /// The token of that name and how long it is good.
    fn find<'s>(&'s self, name: &'s str) -> ShelfFuture<'s, Option<(Secret, Duration)>>;

    /// Puts one in the place of the one before.
    fn keep<'s>(&'s self, name: &'s str, token: &'s Secret, life: Duration) -> ShelfFuture<'s, ()>;

    /// Waits until nobody else fetches it; others wait until what comes back is dropped.
    fn alone<'s>(&'s self, name: &'s str) -> ShelfFuture<'s, Box<dyn Any + Send>>;
}
