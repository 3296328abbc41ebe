//! What a maintainer decided by hand: rules in firing order, sensitive words, and a lint of both.
//!
//! Pure: a message, a customer and a moment go in, hits with their reasons come out. What becomes of a hit
//! is for `policy` to say.

mod cases;
mod condition;
mod index;
mod lint;
mod pattern;
pub mod sensitive;

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::knowledge::calendar::Calendar;
use crate::knowledge::calendar::Minute;
use crate::knowledge::calendar::minute_of;
use crate::knowledge::rule::ActionSpec;
use crate::knowledge::rule::RuleSpec;
use crate::knowledge::rule::Stage;
use crate::knowledge::rule::Weekday;
use crate::message::Channel;
use crate::message::Customer;
use crate::message::MessageKind;
use crate::rules::condition::Condition;
use crate::rules::condition::Situation;
use crate::rules::index::Index;
use crate::rules::index::Needles;
use crate::text::normalise::Normalised;

pub use crate::rules::lint::lint;
pub use crate::rules::pattern::PatternError;

/// All rules of one bot, compiled.
#[derive(Debug)]
pub struct RuleSet {
    /// In firing order.
    rules: Vec<Rule>,
    /// Items are positions in `rules`.
    index: Index,
}

#[derive(Debug)]
struct Rule {
    /// Position in the file.
    spec_idx: usize,
    id: String,
    stage: Stage,
    priority: i32,
    condition: Condition,
    actions: Vec<ActionSpec>,
    stops: bool,
}

/// What a rule may ask about besides the text.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Who is speaking.
    pub customer: &'a Customer,
    /// How the message came.
    pub channel: Channel,
    /// What it consists of.
    pub kind: MessageKind,
    /// When it came.
    pub now: Moment,
}

/// A moment as rules see it, in the bot's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Minutes since midnight, `0..1440`.
    pub minute_of_day: Minute,
    /// Day of the week; a swapped work day keeps its own name.
    pub weekday: Weekday,
    /// Whether it is a holiday of `bot.toml`.
    pub holiday: bool,
    /// Whether somebody is there.
    pub open: bool,
}

impl Moment {
    /// Looks a moment up in the calendar, once for all rules.
    #[must_use]
    pub fn at(calendar: &Calendar, now: Timestamp) -> Self {
        let local = calendar.zoned(now);
        Self {
            minute_of_day: minute_of(&local),
            weekday: weekday(local.weekday()),
            holiday: calendar.holiday(now).is_some(),
            open: calendar.is_open(now),
        }
    }
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleHit {
    /// Position of the rule in `rules.toml`, from 0.
    pub rule: usize,
    /// Its id.
    pub id: String,
    /// When it has its say.
    pub stage: Stage,
    /// Its priority.
    pub priority: i32,
    /// Why it fired, never empty: keywords as written, text found by an expression, other conditions in
    /// Chinese words.
    pub because: Vec<String>,
    /// What it does, in order.
    pub actions: Vec<ActionSpec>,
}

/// Why rules cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A keyword, tag or region of which nothing is left to compare.
    #[error("rule `{id}` in line {line}: `{key}` holds `{value}`, of which normalisation leaves nothing")]
    EmptyKeyword {
        /// Id of the rule.
        id: String,
        /// Line in `rules.toml`.
        line: usize,
        /// Key of the condition.
        key: &'static str,
        /// As written.
        value: String,
    },
    /// An expression that is too long, too large or malformed.
    #[error("rule `{id}` in line {line}: `regex` holds `{value}`, which cannot be used")]
    Pattern {
        /// Id of the rule.
        id: String,
        /// Line in `rules.toml`.
        line: usize,
        /// As written.
        value: String,
        /// What is wrong with it, with the limit.
        #[source]
        source: PatternError,
    },
    /// Not a time of day.
    #[error(
        "rule `{id}` in line {line}: `time` holds `{value}`, \
         which is not a span like `22:00-08:00` of at least a minute between 00:00 and 24:00"
    )]
    Time {
        /// Id of the rule.
        id: String,
        /// Line in `rules.toml`.
        line: usize,
        /// As written.
        value: String,
    },
    /// Not a channel.
    #[error(
        "rule `{id}` in line {line}: `channel` holds `{value}`, which is none of `web`, `wecom_app`, `wecom_kf`, `wecom_bot`"
    )]
    Channel {
        /// Id of the rule.
        id: String,
        /// Line in `rules.toml`.
        line: usize,
        /// As written.
        value: String,
    },
    /// Nobody can follow such a condition.
    #[error("rule `{id}` in line {line}: conditions are nested deeper than the limit of {limit} levels")]
    TooDeep {
        /// Id of the rule.
        id: String,
        /// Line in `rules.toml`.
        line: usize,
        /// Most levels.
        limit: usize,
    },
    /// Far more keywords than any bot has.
    #[error("the keywords of all rules do not fit one automaton")]
    Automaton(#[source] aho_corasick::BuildError),
}

impl RuleSet {
    /// Compiles all rules of a bot.
    ///
    /// # Errors
    /// Names rule, line, value and limit of the first thing that is wrong.
    pub fn compile(specs: &[RuleSpec]) -> Result<Self, RuleError> {
        let mut needles = Needles::default();
        let mut rules = Vec::with_capacity(specs.len());
        for spec_idx in firing_order(specs) {
            let spec = &specs[spec_idx];
            rules.push(Rule {
                spec_idx,
                id: spec.id.clone(),
                stage: spec.stage,
                priority: spec.priority,
                condition: Condition::new(spec, &mut needles)?,
                actions: spec.then.clone(),
                stops: stops(spec),
            });
        }
        let triggers: Vec<_> = rules.iter().map(|rule| rule.condition.trigger()).collect();
        let index = Index::new(needles, &triggers).map_err(RuleError::Automaton)?;
        Ok(Self { rules, index })
    }

    /// The rules that fire for a message, in firing order: hard before soft, higher priority first, then the
    /// order of the file.
    ///
    /// A firing rule that says something or hands over, and does not `continue`, is the last one of its stage.
    #[must_use]
    pub fn matches(&self, text: &Normalised, context: &Context<'_>) -> Vec<RuleHit> {
        self.matches_counted(text, context).0
    }

    /// The hits, and how many rules had to be evaluated for them.
    fn matches_counted(&self, text: &Normalised, context: &Context<'_>) -> (Vec<RuleHit>, usize) {
        let found = self.index.find(text.as_str());
        let situation = Situation { text: text.as_str(), found: &found, context };
        let (mut hits, mut n_evaluated) = (Vec::new(), 0);
        let mut stopped = None;
        for position in self.index.candidates(&found) {
            let rule = &self.rules[position];
            if stopped == Some(rule.stage) {
                continue;
            }
            n_evaluated += 1;
            if rule.condition.holds(&situation) {
                hits.push(rule.hit(&situation));
                stopped = rule.stops.then_some(rule.stage);
            }
        }
        (hits, n_evaluated)
    }
}

impl Rule {
    fn hit(&self, situation: &Situation<'_>) -> RuleHit {
        RuleHit {
            rule: self.spec_idx,
            id: self.id.clone(),
            stage: self.stage,
            priority: self.priority,
            because: self.condition.explain(situation),
            actions: self.actions.clone(),
        }
    }
}

/// Positions of the rules in the order in which they are asked.
fn firing_order(specs: &[RuleSpec]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..specs.len()).collect();
    order.sort_by_key(|position| {
        let spec = &specs[*position];
        (spec.stage == Stage::Soft, Reverse(spec.priority))
    });
    order
}

/// Whether rules of the same stage behind this one are left out once it fired.
fn stops(spec: &RuleSpec) -> bool {
    !spec.continues && spec.then.iter().any(ActionSpec::is_heard)
}

fn weekday(day: jiff::civil::Weekday) -> Weekday {
    match day {
        jiff::civil::Weekday::Monday => Weekday::Mon,
        jiff::civil::Weekday::Tuesday => Weekday::Tue,
        jiff::civil::Weekday::Wednesday => Weekday::Wed,
        jiff::civil::Weekday::Thursday => Weekday::Thu,
        jiff::civil::Weekday::Friday => Weekday::Fri,
        jiff::civil::Weekday::Saturday => Weekday::Sat,
        jiff::civil::Weekday::Sunday => Weekday::Sun,
    }
}

#[cfg(test)]
mod tests;
