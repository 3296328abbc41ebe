//! From what was typed to what can be compared: decoding, normalisation, segmentation, spans.
//!
//! Pure: no files are opened here, no clock is read.

pub mod decode;
pub mod hex;
pub mod normalise;
pub mod percent;
pub mod pick;
pub mod segment;
pub(crate) mod sound;
pub mod span;
pub mod utterance;
