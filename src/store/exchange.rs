//! Messages with their answers, for those who look back.

use jiff::Timestamp;

use crate::store::ConversationId;
use crate::store::CustomerKey;
use crate::store::MessageId;

/// A message and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeRow {
    /// Id of the answer.
    pub answer_id: MessageId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Whose it is.
    pub customer: CustomerKey,
    /// The message, JSON as it was recorded.
    pub inbound: String,
    /// The answer, JSON as it was recorded.
    pub outbound: String,
    /// Whether the customer found it helpful; `None` where nothing was said.
    pub helpful: Option<bool>,
    /// When.
    pub at: Timestamp,
}

/// Which exchanges are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeFilter {
    /// Of this bot.
    pub bot: String,
    /// From here on.
    pub since: Timestamp,
    /// Behind the answer of this id: the last of the page before; 0 for the first page.
    pub after: MessageId,
    /// Most rows, cut to [`ROWS_MAX`](crate::store::ROWS_MAX).
    pub limit: u32,
}
