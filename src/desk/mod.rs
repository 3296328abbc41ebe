//! What moves without a message: telling the outside of handoffs, handing files to WeCom, throwing out what has had its time, taking in what
//! maintainers change.

pub mod feed;
pub mod interrupted;
pub mod media;
pub mod notify;
pub mod outbox;
pub mod sweep;
pub mod timers;
pub mod watch;
pub mod webhook;
