//! What moves without a message: telling the outside of handoffs, throwing out what has had its time.

pub mod sweep;
pub mod webhook;
