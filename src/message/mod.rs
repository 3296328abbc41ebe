//! What comes in and what goes out, as the whole crate speaks of it.
//!
//! No wire format lives here: `http`, `channel` and `store` translate to and from these types.

mod customer;
mod inbound;
mod media;
mod rating;
mod reply;

pub use customer::{Customer, CustomerKind};
pub use inbound::{Channel, Content, Inbound, MessageKind};
pub use media::Media;
pub use rating::Rating;
pub use reply::{Asset, Card, Part, Reply};

/// Name of a bot: its folder below `knowledge/`, such as `shop`.
pub type BotId = String;
