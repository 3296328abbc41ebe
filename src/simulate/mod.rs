//! Stand-ins for systems of others, so that a newcomer can try everything without an account anywhere.
//!
//! A stand-in shares no code with the part of this crate that talks to it: a mistake made twice would agree
//! with itself. It keeps its state in memory, draws no random numbers, and reads only the clock it is given.

pub mod sender;
pub mod shop;
pub mod wecom;
