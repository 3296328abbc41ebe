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

/// Starts logging to stderr; stdout belongs to the data. From then on a panic is told by its place alone.
///
/// # Errors
/// When the filter is not valid, or logging runs already.
pub fn start(filter: &str, format: Format) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let filter = EnvFilter::try_new(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    match format {
        Format::Text => builder.with_target(false).with_ansi(ansi).finish().try_init()?,
        Format::Json => builder.json().finish().try_init()?,
    }
    std::panic::set_hook(Box::new(|panic| {
        // Never the payload: it may quote a message.
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "a thread panicked");
    }));
    Ok(())
}
