//! Who is speaking.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// The person on the other side, as far as the channel and earlier talks tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The channel's id of the person; unique within one channel of one bot, never empty.
    pub id: String,
    /// A name to address the person by, where one is known.
    pub name: Option<String>,
    /// Outside customer or the company's own employee.
    pub kind: CustomerKind,
    /// Tags that rules and staff have put on the person.
    pub tags: BTreeSet<String>,
    /// What is kept of the person: telephone, need, source and what else tasks have asked, by field.
    pub record: BTreeMap<String, String>,
    /// Province or city, as the channel tells it.
    pub region: Option<String>,
    /// True while the first message of this person to this bot is being answered.
    pub first_visit: bool,
}

impl Customer {
    /// A customer of whom nothing but the id is known, on the first visit.
    #[must_use]
    pub fn new(id: &str, kind: CustomerKind) -> Self {
        Self {
            id: id.to_owned(),
            name: None,
            kind,
            tags: BTreeSet::new(),
            record: BTreeMap::new(),
            region: None,
            first_visit: true,
        }
    }
}

/// Whether the person buys from the company or works for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CustomerKind {
    /// Somebody from outside.
    Customer,
    /// A member of the company, as on a WeCom app.
    Employee,
}
