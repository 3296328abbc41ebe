//! A clock that can be set and run fast.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::simulate::wecom::Clock;

/// The world's time over the real one.
pub(super) struct Dial {
    clock: Clock,
    real: Timestamp,
    shown: Timestamp,
    rate: f64,
}

impl Dial {
    pub(super) fn new(clock: Clock) -> Self {
        let now = clock();
        Self { clock, real: now, shown: now, rate: 1.0 }
    }

    pub(super) fn now(&self) -> Timestamp {
        let passed = (self.clock)().duration_since(self.real).as_secs_f64() * self.rate;
        let passed = SignedDuration::try_from_secs_f64(passed).unwrap_or_default();
        self.shown.checked_add(passed).unwrap_or(self.shown)
    }

    /// How long so much of the world's time takes; where it stands, as long as anywhere.
    pub(super) fn real(&self, of: Duration) -> Duration {
        let seconds = of.as_secs_f64() / self.rate;
        Duration::try_from_secs_f64(seconds).unwrap_or(of)
    }

    /// Moves the world's time on.
    pub(super) fn advance(&mut self, by: SignedDuration) {
        let now = self.now();
        (self.real, self.shown) = ((self.clock)(), now.checked_add(by).unwrap_or(now));
    }

    /// * `rate`: seconds of the world a real second.
    pub(super) fn run(&mut self, rate: f64) {
        self.advance(SignedDuration::ZERO);
        self.rate = rate;
    }
}
