//! How fast somebody may be gone who does not say when it is too fast: what went lately, and until when nothing may.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;

use jiff::SignedDuration;
use jiff::Timestamp;

/// Those whose pace is kept at most; beyond it those that rest are forgotten.
const PACES_MAX: usize = 10_000;

/// So many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) count: usize,
    pub(super) window: SignedDuration,
}

impl Limit {
    /// So many a minute, and some seconds more, so that a slow way brings no two minutes into one.
    pub(super) const fn per_minute(count: usize) -> Self {
        Self { count, window: SignedDuration::from_secs(65) }
    }

    /// The same for an hour.
    pub(super) const fn per_hour(count: usize) -> Self {
        Self { count, window: SignedDuration::from_secs(3_605) }
    }
}

/// The pace of everybody, by name.
#[derive(Debug, Default)]
pub(super) struct Paces(Mutex<HashMap<String, Pace>>);

impl Paces {
    /// Counts one that goes now, or says when it may.
    pub(super) fn admit(&self, key: &str, limits: &[Limit], now: Timestamp) -> Result<(), Timestamp> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if paces.len() >= PACES_MAX {
            paces.retain(|_, pace| !pace.rests(limits, now));
        }
        paces.entry(key.to_owned()).or_default().admit(limits, now)
    }

    /// Nothing goes to somebody until then.
    pub(super) fn close(&self, key: String, until: Timestamp) {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paces.entry(key).or_default().closed_until = Some(until);
    }
}

#[derive(Debug, Default)]
struct Pace {
    /// Oldest first.
    recent: VecDeque<Timestamp>,
    closed_until: Option<Timestamp>,
}

impl Pace {
    fn admit(&mut self, limits: &[Limit], now: Timestamp) -> Result<(), Timestamp> {
        if let Some(until) = self.closed_until.filter(|until| now < *until) {
            return Err(until);
        }
        self.closed_until = None;
        let Some(longest) = limits.iter().map(|limit| limit.window).max() else { return Ok(()) };
        self.recent.retain(|at| is_within(*at, longest, now));
        let full = |limit: &Limit| {
            let n_within = self.recent.iter().filter(|at| is_within(**at, limit.window, now)).count();
            // Room is there when the oldest of the last `count` has left.
            let oldest = self.recent.len().checked_sub(limit.count).filter(|_| n_within >= limit.count)?;
            self.recent.get(oldest)?.checked_add(limit.window).ok()
        };
        match limits.iter().filter_map(full).max() {
            Some(until) => Err(until),
            None => {
                self.recent.push_back(now);
                Ok(())
            }
        }
    }

    /// Whether nothing would be lost by forgetting it.
    fn rests(&self, limits: &[Limit], now: Timestamp) -> bool {
        let longest = limits.iter().map(|limit| limit.window).max().unwrap_or_default();
        self.closed_until.is_none_or(|until| until <= now)
            && !self.recent.iter().any(|at| is_within(*at, longest, now))
    }
}

/// A clock that stepped back begins anew.
fn is_within(at: Timestamp, window: SignedDuration, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    SignedDuration::ZERO <= age && age < window
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWENTY: &[Limit] = &[Limit::per_minute(20)];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_robot_is_given_its_messages_of_a_minute_and_no_more() {
        let mut pace = Pace::default();
        for second in 0..20 {
            assert_eq!(pace.admit(TWENTY, at(second)), Ok(()));
        }
        assert_eq!(pace.admit(TWENTY, at(20)), Err(at(65)));
        assert_eq!(pace.admit(TWENTY, at(64)), Err(at(65)));
        assert_eq!(pace.admit(TWENTY, at(65)), Ok(()));
        assert_eq!(pace.admit(TWENTY, at(65)), Err(at(66)), "one has left the minute, and one has come");
        assert_eq!(pace.admit(TWENTY, at(-9)), Ok(()), "a clock that stepped back begins anew");
        assert!((0..99).all(|_| pace.admit(&[], at(0)).is_ok()));
    }

    #[test]
    fn of_two_limits_the_one_that_lasts_counts() {
        let limits = &[Limit::per_minute(2), Limit::per_hour(3)];
        let mut pace = Pace::default();
        assert_eq!(pace.admit(limits, at(0)), Ok(()));
        assert_eq!(pace.admit(limits, at(1)), Ok(()));
        assert_eq!(pace.admit(limits, at(2)), Err(at(65)));
        assert_eq!(pace.admit(limits, at(100)), Ok(()));
        assert_eq!(pace.admit(limits, at(101)), Err(at(3_605)), "the minute has room, the hour has none");
        assert_eq!(pace.admit(limits, at(3_605)), Ok(()));
    }

    #[test]
    fn who_said_that_it_is_too_fast_is_let_alone() {
        let mut pace = Pace { closed_until: Some(at(600)), ..Pace::default() };
        assert_eq!(pace.admit(&[], at(599)), Err(at(600)));
        assert!(!pace.rests(&[], at(599)) && pace.rests(&[], at(600)));
        assert_eq!(pace.admit(TWENTY, at(600)), Ok(()));
        assert!(!pace.rests(TWENTY, at(601)) && pace.rests(TWENTY, at(665)));
    }
}
