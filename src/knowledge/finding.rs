//! What `yingda check` reports.

use std::fmt;

use crate::knowledge::Source;

/// Something that a maintainer should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the bot may be served all the same.
    pub severity: Severity,
    /// Stable name of the check, such as `duplicate-question`.
    pub code: &'static str,
    /// Where.
    pub source: Source,
    /// What is wrong, in Chinese, with the value and the limit.
    pub message: String,
    /// What to do about it, in Chinese.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The bot must not be served.
    Error,
    /// The bot works; a customer may notice.
    Warning,
}

impl Finding {
    /// A finding that keeps the bot from being served.
    #[must_use]
    pub fn error(code: &'static str, source: Source, message: String, remedy: &str) -> Self {
        Self { severity: Severity::Error, code, source, message, remedy: remedy.to_owned() }
    }

    /// A finding that the bot can live with.
    #[must_use]
    pub fn warning(code: &'static str, source: Source, message: String, remedy: &str) -> Self {
        Self { severity: Severity::Warning, code, source, message, remedy: remedy.to_owned() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.severity {
            Severity::Error => "错误",
            Severity::Warning => "提醒",
        };
        write!(
            f,
            "{level} {}:{} [{}] {}\n     建议：{}",
            self.source.file, self.source.line, self.code, self.message, self.remedy
        )
    }
}
