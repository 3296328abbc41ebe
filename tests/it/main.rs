//! The one integration binary: a file an edge, and beside them the folder and the documents they share.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be set up fails its test")]

mod backup;
mod bench;
mod cli;
mod contract;
mod encoder;
mod eval;
mod feed;
mod fixture;
mod handover;
mod http;
mod import;
mod layers;
mod notify;
mod tasks;
mod train;
mod versions;
mod webhook;
mod wecom;
