//! Which rows a list for staff shows, and the one that is done.

use crate::service::personal::Personal;

/// What such a command is told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only those of one bot.
    #[arg(long)]
    pub(super) bot: Option<String>,
    /// Closed ones as well.
    #[arg(long)]
    pub(super) all: bool,
    /// At most this many, newest first.
    #[arg(long, default_value_t = 50)]
    pub(super) limit: u32,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
    /// Show telephone numbers, order numbers and addresses too.
    #[arg(long)]
    pub(super) personal: bool,
    /// Close the one with this number.
    #[arg(long, value_name = "ID")]
    pub(super) close: Option<i64>,
}

impl Args {
    /// What of a customer is shown.
    pub(super) fn personal(&self) -> Personal {
        if self.personal { Personal::Shown } else { Personal::Hidden }
    }
}

/// What a stranger typed must not steer the terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
