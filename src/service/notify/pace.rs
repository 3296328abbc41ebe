//! How fast a robot may be gone: what went in the last minute, and until when it wants nothing.

use std::collections::VecDeque;

use jiff::SignedDuration;
use jiff::Timestamp;

/// In which a robot is given its messages of a minute: some seconds more, so that a slow way brings no two minutes into one.
const WINDOW: SignedDuration = SignedDuration::from_secs(65);

/// What went lately, and until when nothing may.
#[derive(Debug, Default)]
pub(super) struct Pace {
    recent: VecDeque<Timestamp>,
    pub(super) closed_until: Option<Timestamp>,
}

impl Pace {
    /// Counts one that goes now, or says when it may.
    pub(super) fn admit(&mut self, per_minute: Option<usize>, now: Timestamp) -> Result<(), Timestamp> {
        if let Some(until) = self.closed_until.filter(|until| now < *until) {
            return Err(until);
        }
        self.closed_until = None;
        let Some(limit) = per_minute else { return Ok(()) };
        self.recent.retain(|at| is_recent(*at, now));
        match self.recent.front() {
            Some(first) if self.recent.len() >= limit => Err(first.checked_add(WINDOW).unwrap_or(now)),
            _ => {
                self.recent.push_back(now);
                Ok(())
            }
        }
    }

    /// Whether nothing would be lost by forgetting it.
    pub(super) fn rests(&self, now: Timestamp) -> bool {
        self.closed_until.is_none_or(|until| until <= now)
            && !self.recent.iter().any(|at| is_recent(*at, now))
    }
}

/// A clock that stepped back begins anew.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    SignedDuration::ZERO <= age && age < WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_robot_is_given_its_messages_of_a_minute_and_no_more() {
        let mut pace = Pace::default();
        for second in 0..20 {
            assert_eq!(pace.admit(Some(20), at(second)), Ok(()));
        }
        assert_eq!(pace.admit(Some(20), at(20)), Err(at(65)));
        assert_eq!(pace.admit(Some(20), at(64)), Err(at(65)));
        assert_eq!(pace.admit(Some(20), at(65)), Ok(()));
        assert_eq!(pace.admit(Some(20), at(65)), Err(at(66)), "one has left the minute, and one has come");
        assert_eq!(pace.admit(Some(20), at(-9)), Ok(()), "a clock that stepped back begins anew");
        assert!((0..99).all(|_| pace.admit(None, at(0)).is_ok()));
    }

    #[test]
    fn who_said_that_it_is_too_fast_is_let_alone() {
        let mut pace = Pace { closed_until: Some(at(600)), ..Pace::default() };
        assert_eq!(pace.admit(None, at(599)), Err(at(600)));
        assert!(!pace.rests(at(599)) && pace.rests(at(600)));
        assert_eq!(pace.admit(Some(20), at(600)), Ok(()));
        assert!(!pace.rests(at(601)) && pace.rests(at(665)));
    }
}
