//! Logging. Ids, lengths and timings; never message texts, names, keys or tokens.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

/// Form of the log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is wrong.
    #[error("log filter {filter:?} is not valid")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Somebody else started it.
    #[error("logging has been started already")]
    Twice(#[from] TryInitError),
}

/// Starts logging to stderr; stdout belongs to the data.
///
/// # Errors
/// When the filter is not valid, or logging runs already.
pub fn start(filter: &str, format: Format) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let filter = EnvFilter::try_new(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => builder.with_target(false).finish().try_init()?,
        Format::Json => builder.json().finish().try_init()?,
    }
    Ok(())
}
