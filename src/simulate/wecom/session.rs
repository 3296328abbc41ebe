//! Talks of 微信客服: who speaks, what may follow, and how many messages a customer may still get.
//!
//! Sources: WeCom developer centre, 会话状态 (path 94669), 发送消息 (94677). The edges that the table leaves open are taken as
//! allowed: an end from anywhere before it.

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::simulate::wecom::refusal::Refusal;

/// For so long after their last message a customer may be written to.
const WINDOW: SignedDuration = SignedDuration::from_hours(48);

/// Messages for each message of the customer.
const MESSAGES_MAX: u32 = 5;

/// Who has a talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The customer has just written.
    New,
    /// The company's own assistant.
    Assistant,
    /// Nobody yet; it waits for a servicer.
    Queued,
    /// A servicer in the client.
    Servicer,
    /// Nobody.
    Ended,
}

impl Phase {
    pub(super) const ALL: [Self; 5] = [Self::New, Self::Assistant, Self::Queued, Self::Servicer, Self::Ended];

    /// `service_state`.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::New => 0,
            Self::Assistant => 1,
            Self::Queued => 2,
            Self::Servicer => 3,
            Self::Ended => 4,
        }
    }

    /// Whether the interface may lead from here to there.
    fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::New, Self::Assistant | Self::Queued | Self::Servicer | Self::Ended)
            | (Self::Assistant, Self::Queued | Self::Servicer | Self::Ended)
            | (Self::Queued | Self::Servicer, Self::Servicer | Self::Ended) => true,
            (Self::New | Self::Assistant | Self::Queued | Self::Servicer | Self::Ended, _) => false,
        }
    }
}

/// One customer's talk with one account.
pub(super) struct Session {
    pub(super) phase: Phase,
    pub(super) servicer: Option<String>,
    /// When the customer last wrote.
    pub(super) wrote_at: Option<Timestamp>,
    /// Messages that they got since.
    pub(super) n_sent: u32,
    /// When they last got a welcome.
    pub(super) welcomed_at: Option<Timestamp>,
    /// When they last came in or wrote.
    pub(super) seen_at: Timestamp,
    /// `fail_type` of what becomes of messages that are taken for them; `None` where they arrive.
    pub(super) fails: Option<i64>,
}

impl Session {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            phase: Phase::Ended,
            servicer: None,
            wrote_at: None,
            n_sent: 0,
            welcomed_at: None,
            seen_at: now,
            fails: None,
        }
    }

    /// The customer writes.
    pub(super) fn hears(&mut self, now: Timestamp) {
        if self.phase == Phase::Ended || self.is_over(now) {
            (self.phase, self.servicer) = (Phase::New, None);
        }
        (self.wrote_at, self.seen_at, self.n_sent) = (Some(now), now, 0);
    }

    /// Takes a message to the customer, or says why not.
    pub(super) fn takes(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if !matches!(self.phase, Phase::New | Phase::Assistant) {
            return Err(Refusal::new(95_018, "send msg session status invalid"));
        }
        if self.is_over(now) {
            return Err(Refusal::new(95_002, "send msg time limit"));
        }
        if self.n_sent == MESSAGES_MAX {
            return Err(Refusal::new(95_001, "send msg count limit"));
        }
        self.n_sent += 1;
        self.phase = Phase::Assistant;
        Ok(())
    }

    /// Moves on, as the interface asks.
    pub(super) fn moves(&mut self, next: Phase, servicer: Option<&str>) -> Result<(), Refusal> {
        if self.phase == Phase::Ended {
            return Err(Refusal::new(95_013, "session is ended"));
        }
        if !self.phase.may_become(next) {
            return Err(Refusal::new(95_016, "service state transition not allowed"));
        }
        (self.phase, self.servicer) = (next, servicer.map(str::to_owned));
        Ok(())
    }

    /// Whether entering earns a welcome.
    pub(super) fn earns_welcome(&self, now: Timestamp) -> bool {
        let recent = |at: Option<Timestamp>| at.is_some_and(|at| now.duration_since(at) < WINDOW);
        !recent(self.wrote_at) && !recent(self.welcomed_at)
    }

    /// Whether the customer was heard of within two days.
    pub(super) fn is_recent(&self, now: Timestamp) -> bool {
        now.duration_since(self.seen_at) < WINDOW
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.wrote_at.is_none_or(|at| now.duration_since(at) >= WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_795_485_600 + 3_600 * hours).unwrap()
    }

    fn code(result: Result<(), Refusal>) -> i64 {
        result.map_or_else(|refusal| refusal.code, |()| 0)
    }

    #[test]
    fn five_messages_for_each_of_the_customers_within_two_days() {
        let mut session = Session::new(at(0));
        assert_eq!(code(session.takes(at(0))), 95_018, "nobody has written");
        session.hears(at(0));
        assert_eq!([(); 6].map(|()| code(session.takes(at(0)))), [0, 0, 0, 0, 0, 95_001]);
        session.hears(at(1));
        assert_eq!(session.phase, Phase::Assistant);
        assert_eq!([code(session.takes(at(48))), code(session.takes(at(49)))], [0, 95_002]);
    }

    #[test]
    fn only_these_edges_lead_on() {
        let edge = |from: Phase, to: Phase| {
            let mut session = Session::new(at(0));
            session.phase = from;
            code(session.moves(to, None)) == 0
        };
        let allowed = |from: Phase| Phase::ALL.map(|to| edge(from, to));
        assert_eq!(allowed(Phase::New), [false, true, true, true, true]);
        assert_eq!(allowed(Phase::Assistant), [false, false, true, true, true]);
        assert_eq!(allowed(Phase::Queued), [false, false, false, true, true]);
        assert_eq!(allowed(Phase::Servicer), [false, false, false, true, true]);
        assert_eq!(allowed(Phase::Ended), [false; 5]);
    }

    #[test]
    fn a_welcome_is_for_who_was_not_here_for_two_days() {
        let mut session = Session::new(at(0));
        assert!(session.earns_welcome(at(0)));
        session.welcomed_at = Some(at(0));
        assert_eq!([session.earns_welcome(at(47)), session.earns_welcome(at(48))], [false, true]);
        session.hears(at(50));
        assert!(!session.earns_welcome(at(60)));
    }
}
