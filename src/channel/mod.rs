//! The ways in and out of the bot that are not our own HTTP interface.
//!
//! Wire formats stay below this folder: what leaves it speaks in `message` types.

pub mod notify;
pub mod wecom;

use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(10);

/// A client for calls to one known address. No redirects: what is signed, or carries a token, goes to the address that was
/// configured and to no other.
///
/// # Errors
/// When the system's HTTP cannot be set up.
pub fn http_client() -> reqwest::Result<reqwest::Client> {
    // The provider is chosen once for the process; that it is there already is no mistake.
    let _already = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(TOTAL)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("yingda/", env!("CARGO_PKG_VERSION")))
        .build()
}
