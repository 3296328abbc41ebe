//! Choosing numbers from labelled rows instead of feeling for them: thresholds, and the weights of the network.

pub mod adam;
pub mod calibration;
pub mod checkpoint;
pub mod compare;
pub mod curve;
pub mod distil;
pub mod example;
pub mod fit;
pub mod linear;
pub mod lint;
pub mod logistic;
pub mod metrics;
pub mod prediction;
pub mod question;
pub mod repeat;
pub mod report;
pub mod retrieval;
pub mod row;
pub mod shards;
pub mod standing;
pub mod suspect;
pub mod teach;
pub mod train;
