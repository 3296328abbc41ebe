//! 应答 Yingda: a customer-service bot engine for WeCom, without a cloud model.
//!
//! Text in, decision, reply out. A message comes by a `channel` or by `http`; `service` loads the talk's state
//! and runs the `engine`, whose one function [`engine::Engine::respond`] shows the whole flow; what came of it
//! is committed to the `store` before the customer sees it.
//!
//! # Rows
//!
//! Each row imports only from the rows above it; modules on one row do not know each other. The test
//! `tests/it/layers.rs` holds this to be true.
//!
//! | row | modules |
//! |---|---|
//! | values | [`message`], [`text`], [`probability`], [`secret`], [`telemetry`] |
//! | what is known | [`knowledge`], [`encoder`] |
//! | what is found | [`rules`], [`nlu`], [`retrieval`] |
//! | what is carried through | [`task`] |
//! | what is decided | [`policy`] |
//! | what is said | [`reply`] |
//! | edges | [`engine`], [`store`], [`channel`] |
//! | around the engine | [`service`], [`training`] |
//! | without a message | [`desk`] |
//! | systems of others | [`simulate`] |
//! | HTTP | [`http`] |
//! | settings | [`config`] |
//! | commands | [`cli`] |
//!
//! # What does not happen
//!
//! Between text and reply no file is opened, no clock is read, no random number drawn and nothing is `async`;
//! time comes in as a value. No message is acknowledged before it is committed. No threshold is compared
//! outside of [`policy`]. No secret has a `Display`. No query is ever parsed as syntax.

pub mod channel;
pub mod cli;
pub mod config;
pub mod desk;
pub mod encoder;
pub mod engine;
pub mod http;
pub mod knowledge;
pub mod message;
pub mod nlu;
pub mod policy;
pub mod probability;
pub mod reply;
pub mod retrieval;
pub mod rules;
pub mod secret;
pub mod service;
pub mod simulate;
pub mod store;
pub mod task;
pub mod telemetry;
pub mod text;
pub mod training;
