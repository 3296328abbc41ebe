//! From a decision to words: templates, attachments, and the length that a channel takes. Pure.

pub mod fit;
pub mod lint;
pub mod notice;
pub mod quote;
pub mod render;
pub mod standard;
pub mod template;
