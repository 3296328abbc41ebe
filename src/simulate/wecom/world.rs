//! All that the server remembers.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::simulate::wecom::Clock;
use crate::simulate::wecom::aibot::Aibots;
use crate::simulate::wecom::callback::Parcel;
use crate::simulate::wecom::card::ResponseCode;
use crate::simulate::wecom::dial::Dial;
use crate::simulate::wecom::external::External;
use crate::simulate::wecom::fault::Faults;
use crate::simulate::wecom::ledger::Ledger;
use crate::simulate::wecom::media::Medium;
use crate::simulate::wecom::plan::Plan;
use crate::simulate::wecom::robot::Robot;
use crate::simulate::wecom::session::Session;
use crate::simulate::wecom::token::Issued;

/// For so long the token of a wake-up is good.
const WAKE_TOKEN: SignedDuration = SignedDuration::from_mins(10);

/// An account of 微信客服.
pub(super) struct Account {
    pub(super) name: String,
    /// Who takes customers, and whether they do now.
    pub(super) servicers: BTreeMap<String, bool>,
    /// Departments whose people take customers.
    pub(super) departments: BTreeSet<i64>,
    /// Where its picture is; empty where it has none.
    pub(super) avatar: String,
    /// What happened, with its time, as `sync_msg` lists it.
    pub(super) log: Vec<(Timestamp, Value)>,
    /// Talks by customer.
    pub(super) sessions: BTreeMap<String, Session>,
    /// Ids of messages that were sent.
    pub(super) sent_ids: BTreeSet<String>,
    /// Tokens of wake-ups, until when each is good.
    pub(super) wake_tokens: BTreeMap<String, Timestamp>,
    /// When it was read without such a token.
    pub(super) bare_reads: Vec<Timestamp>,
}

impl Account {
    /// An account at which nobody serves and nothing has happened.
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            servicers: BTreeMap::new(),
            departments: BTreeSet::new(),
            avatar: String::new(),
            log: Vec::new(),
            sessions: BTreeMap::new(),
            sent_ids: BTreeSet::new(),
            wake_tokens: BTreeMap::new(),
            bare_reads: Vec::new(),
        }
    }
}

/// What a code lets be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    Welcome,
    Queued,
    Taken,
    Ended,
}

/// A code for one message.
pub(super) struct Code {
    pub(super) occasion: Occasion,
    pub(super) account: String,
    pub(super) customer: String,
    pub(super) until: Timestamp,
    pub(super) is_used: bool,
}

pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) dial: Dial,
    pub(super) ledger: Ledger,
    pub(super) faults: Faults,
    pub(super) tokens: BTreeMap<String, Issued>,
    pub(super) accounts: BTreeMap<String, Account>,
    /// Accounts that were deleted.
    pub(super) closed: BTreeSet<String>,
    /// Messages of one page at most, whatever was asked for.
    pub(super) page_max: usize,
    pub(super) codes: BTreeMap<String, Code>,
    /// What is to be delivered to the company's server.
    pub(super) parcels: VecDeque<Parcel>,
    /// What people see on their phones: customers by id, members by UserID.
    pub(super) phones: BTreeMap<String, Vec<Value>>,
    /// Requests of `message/send` whose repetition is not delivered, until when.
    pub(super) repeats: BTreeMap<String, Timestamp>,
    /// When app messages to a member were delivered.
    pub(super) pace: BTreeMap<(i64, String), Vec<Timestamp>>,
    /// App messages that may be taken back, with their time.
    pub(super) recallable: BTreeMap<String, Timestamp>,
    /// Tasks of template cards, each with its app.
    pub(super) cards: BTreeSet<(String, String)>,
    /// What lets cards be replaced.
    pub(super) response_codes: BTreeMap<String, ResponseCode>,
    /// What was brought, by media_id.
    pub(super) media: BTreeMap<String, Medium>,
    /// Permanent pictures, by the last part of their addresses.
    pub(super) pictures: BTreeMap<String, Medium>,
    /// Members, customers, and what is between them.
    pub(super) external: External,
    /// What the robots of groups have done, by group.
    pub(super) robots: BTreeMap<String, Robot>,
    /// What the bots have done with which members talk.
    pub(super) aibots: Aibots,
    random: u64,
}

impl World {
    pub(super) fn new(plan: Plan, seed: u64, clock: Clock) -> Self {
        let servicers: BTreeMap<String, bool> = plan.members.iter().map(|id| (id.clone(), true)).collect();
        let accounts = plan
            .accounts
            .iter()
            .map(|(id, name)| (id.clone(), Account { servicers: servicers.clone(), ..Account::new(name) }));
        Self {
            accounts: accounts.collect(),
            closed: BTreeSet::new(),
            page_max: plan.page_max,
            plan,
            dial: Dial::new(clock),
            ledger: Ledger::default(),
            faults: Faults::default(),
            tokens: BTreeMap::new(),
            codes: BTreeMap::new(),
            parcels: VecDeque::new(),
            phones: BTreeMap::new(),
            repeats: BTreeMap::new(),
            pace: BTreeMap::new(),
            recallable: BTreeMap::new(),
            cards: BTreeSet::new(),
            response_codes: BTreeMap::new(),
            media: BTreeMap::new(),
            pictures: BTreeMap::new(),
            external: External::default(),
            robots: BTreeMap::new(),
            aibots: Aibots::default(),
            random: seed | 1,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.dial.now()
    }

    /// The next number of xorshift.
    pub(super) fn number(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    /// A new id.
    pub(super) fn id(&mut self, kind: &str) -> String {
        let (a, b) = (self.number(), self.number());
        format!("{kind}{a:016x}{:08x}", b >> 32)
    }

    /// Something happened on an account: it is listed, and the company's server is woken.
    pub(super) fn happens(&mut self, account: &str, item: Value, now: Timestamp) {
        let wake = self.id("wake");
        let Some(own) = self.accounts.get_mut(account) else { return };
        own.log.push((now, item));
        own.wake_tokens.insert(wake.clone(), now + WAKE_TOKEN);
        let apps = self.plan.apps.iter().filter(|app| app.accounts.iter().any(|own| own == account));
        for app in apps.map(|app| app.name.clone()).collect::<Vec<_>>() {
            self.parcels.push_back(Parcel::Wake { app, token: wake.clone(), account: account.to_owned() });
        }
    }

    /// A message appears on somebody's phone.
    pub(super) fn arrives(&mut self, whom: &str, from: &str, message: &Value, now: Timestamp) {
        self.shows(whom, from, message, now);
        self.ledger.arrival(now, whom, message);
    }

    /// A phone shows a message, its owner's own (`self`) included.
    pub(super) fn shows(&mut self, whom: &str, from: &str, message: &Value, now: Timestamp) {
        let shown = json!({ "at": now.to_string(), "from": from, "message": message });
        self.phones.entry(whom.to_owned()).or_default().push(shown);
    }
}
