//! All that is known of one customer: to be handed out, or to be forgotten.

use crate::store::ConversationRow;
use crate::store::CustomerRow;
use crate::store::HandoffRow;
use crate::store::MessageRow;
use crate::store::NoteRow;
use crate::store::TicketRow;

/// All that is kept of one customer.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerFile {
    /// Who it is.
    pub customer: CustomerRow,
    /// Their talk, where there is one.
    pub conversation: Option<ConversationRow>,
    /// Every message of it, oldest first.
    pub messages: Vec<MessageRow>,
    /// What staff have noted about it, oldest first.
    pub notes: Vec<NoteRow>,
    /// Tickets that came of it, oldest first.
    pub tickets: Vec<TicketRow>,
    /// When people were asked for, oldest first.
    pub handoffs: Vec<HandoffRow>,
}

/// What was forgotten, by the number of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Messages, in and out.
    pub n_messages: u64,
    /// Handoffs, deliveries and messages to be sent that belonged to them.
    pub n_others: u64,
}
