//! The ways in and out of the bot that are not our own HTTP interface.
//!
//! Wire formats stay below this folder: what leaves it speaks in `message` types.

pub mod wecom;
