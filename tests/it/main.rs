//! The one integration binary: a file an edge, and beside them the folder and the documents they share.

mod cli;
mod contract;
mod fixture;
mod http;
mod layers;
mod wecom;
