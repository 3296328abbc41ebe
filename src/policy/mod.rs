//! What to do with a message, from the evidence alone. Every threshold is compared here and nowhere else.
//!
//! Pure: the same evidence, state and settings give the same decision.

mod attend;
pub mod choice;
pub mod decide;
pub mod decision;
pub mod evidence;
pub mod follow;
pub mod state;
mod survey;
pub mod undertake;
pub mod weigh;
