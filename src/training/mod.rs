//! Choosing numbers from labelled questions instead of feeling for them.

pub mod curve;
pub mod logistic;
pub mod question;
