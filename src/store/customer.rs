//! The person on the other side, as rows.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::message::Channel;
use crate::message::CustomerKind;
use crate::store::StoreError;
use crate::store::limit;

/// Who a customer is to the store: one person, in one channel, of one bot.
///
/// None of the three parts is empty or longer than [`NAME_BYTES_MAX`](crate::store::NAME_BYTES_MAX): strangers
/// without an id would otherwise share a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CustomerKey {
    pub(super) bot: String,
    pub(super) channel: String,
    pub(super) customer_id: String,
}

impl CustomerKey {
    /// The key of a person.
    ///
    /// * `bot`: the bot's name, 1 to 256 bytes.
    /// * `customer_id`: the channel's id of the person, 1 to 256 bytes.
    ///
    /// # Errors
    /// [`StoreError::Empty`] or [`StoreError::TooLong`] for either.
    pub fn new(bot: &str, channel: Channel, customer_id: &str) -> Result<Self, StoreError> {
        limit::name("bot", bot)?;
        limit::name("customer id", customer_id)?;
        Ok(Self {
            bot: bot.to_owned(),
            channel: channel.as_str().to_owned(),
            customer_id: customer_id.to_owned(),
        })
    }

    /// The bot's name.
    #[must_use]
    pub fn bot(&self) -> &str {
        &self.bot
    }

    /// The channel's stable name, as [`Channel::as_str`] gives it.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// The channel's id of the person.
    #[must_use]
    pub fn customer_id(&self) -> &str {
        &self.customer_id
    }
}

/// What the channel tells of a customer with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerSeen {
    /// Who it is.
    pub key: CustomerKey,
    /// Outside customer or employee; replaces what was stored.
    pub kind: CustomerKind,
    /// Name to address the person by, at most 256 bytes; `None` keeps what was stored.
    pub name: Option<String>,
    /// Province or city, at most 256 bytes; `None` keeps what was stored.
    pub region: Option<String>,
}

impl CustomerSeen {
    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if let Some(name) = &self.name {
            limit::name("customer name", name)?;
        }
        if let Some(region) = &self.region {
            limit::name("customer region", region)?;
        }
        Ok(())
    }
}

/// What a channel tells of a customer beside their messages. Whatever it does not name stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerTold {
    /// Who it is; noted as one from outside where nobody has told of them yet.
    pub key: CustomerKey,
    /// Name to address the person by, 1 to 256 bytes.
    pub name: Option<String>,
    /// Tags to put on, each of 1 to 256 bytes.
    pub tags_added: BTreeSet<String>,
    /// Tags to take off; one that is put on as well stays on.
    pub tags_removed: BTreeSet<String>,
    /// Fields of the record, each name of 1 to 256 bytes; `None` takes the field out.
    pub record: BTreeMap<String, Option<String>>,
    /// See [`CustomerRow::contact`].
    pub contact: Option<String>,
}

impl CustomerTold {
    /// Nothing new of a customer.
    #[must_use]
    pub fn nothing(key: CustomerKey) -> Self {
        Self {
            key,
            name: None,
            tags_added: BTreeSet::new(),
            tags_removed: BTreeSet::new(),
            record: BTreeMap::new(),
            contact: None,
        }
    }

    /// Refuses what no back end may store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if let Some(name) = &self.name {
            limit::name("customer name", name)?;
        }
        for tag in &self.tags_added {
            limit::name("customer tag", tag)?;
        }
        for (field, value) in &self.record {
            limit::name("field of a customer's record", field)?;
            limit::payload("value of a customer's record", value.as_deref().unwrap_or_default())?;
        }
        limit::payload("contact of a customer", self.contact.as_deref().unwrap_or_default())
    }

    /// The customer with what is told.
    pub(super) fn applied_to(&self, before: &CustomerRow) -> CustomerRow {
        let mut after = before.clone();
        after.name = self.name.clone().or(after.name);
        after.contact = self.contact.clone().or(after.contact);
        after.tags.retain(|tag| !self.tags_removed.contains(tag));
        after.tags.extend(self.tags_added.iter().cloned());
        for (field, value) in &self.record {
            match value {
                Some(value) => after.record.insert(field.clone(), value.clone()),
                None => after.record.remove(field),
            };
        }
        after
    }
}

/// A stored customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRow {
    /// Who it is.
    pub key: CustomerKey,
    /// Name to address the person by, where one was told.
    pub name: Option<String>,
    /// Outside customer or employee; outside until the channel says otherwise.
    pub kind: CustomerKind,
    /// Tags put on the person so far.
    pub tags: BTreeSet<String>,
    /// What tasks have asked of the person, by field.
    pub record: BTreeMap<String, String>,
    /// Province or city, where one was told.
    pub region: Option<String>,
    /// What the channel's side of the program keeps of the person for itself, JSON.
    pub contact: Option<String>,
    /// When the store first heard of the person.
    pub first_seen_at: Timestamp,
    /// Latest recorded turn, or latest change of what is known.
    pub last_seen_at: Timestamp,
}
