//! Everything that was said, for those who look something up.

use jiff::Timestamp;

use crate::message::Channel;
use crate::store::AgentId;
use crate::store::CustomerKey;
use crate::store::Direction;
use crate::store::MessageId;
use crate::store::MessageRow;
use crate::store::StoreError;
use crate::store::limit;

/// A message with whose talk it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveRow {
    /// Whose talk.
    pub customer: CustomerKey,
    /// The message.
    pub message: MessageRow,
}

/// Who said what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchivedBy {
    /// Customers.
    Customer,
    /// The bot.
    Bot,
    /// Humans, whoever it was.
    Agents,
    /// One human.
    Agent(AgentId),
    /// The program itself, and servicers in the WeCom client.
    System,
}

/// Which end of the archive is read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveOrder {
    /// From the first message on.
    OldestFirst,
    /// From the latest message back.
    NewestFirst,
}

/// Which messages are wanted: those that pass all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveFilter {
    /// Of this bot.
    pub bot: String,
    /// That came or went this way.
    pub channel: Option<Channel>,
    /// Of this customer's talks, by the channel's id of the person.
    pub customer_id: Option<String>,
    /// That went this way.
    pub direction: Option<Direction>,
    /// That these said.
    pub by: Option<ArchivedBy>,
    /// From here on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// That hold each of these words somewhere in what people read; Latin letters in either case. 1 to 256 bytes each.
    pub words: Vec<String>,
    /// Which come first.
    pub order: ArchiveOrder,
    /// Behind this message, in that order: the last of the page before. It may be gone by now.
    pub after: Option<MessageId>,
    /// Most rows, cut to [`ROWS_MAX`](crate::store::ROWS_MAX).
    pub limit: u32,
}

impl ArchiveFilter {
    /// Refuses what no back end may look for.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.words.iter().try_for_each(|word| limit::name("word to be found", word))
    }
}
