//! The conditions of one rule, compiled: whether they hold for a message, and which of them say why.

use crate::knowledge::calendar::Minute;
use crate::knowledge::calendar::parse_span;
use crate::knowledge::rule::ConditionSpec;
use crate::knowledge::rule::CustomerSpec;
use crate::knowledge::rule::RuleSpec;
use crate::knowledge::rule::Weekday;
use crate::message::Channel;
use crate::message::CustomerKind;
use crate::message::MessageKind;
use crate::rules::Context;
use crate::rules::RuleError;
use crate::rules::index::Found;
use crate::rules::index::Needle;
use crate::rules::index::Needles;
use crate::rules::pattern::Pattern;
use crate::text::normalise::normalise;

/// Most levels of `and`, `or` and `not` inside one another.
pub(super) const DEPTH_MAX: usize = 8;

/// Checks that must all hold, the cheapest ones first. None at all always hold.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    checks: Vec<Check>,
}

/// One key of a condition.
#[derive(Clone, Debug)]
enum Check {
    Weekday(Vec<Weekday>),
    Holiday(bool),
    Open(bool),
    Time { written: String, start: Minute, end: Minute },
    Customer(CustomerKind),
    FirstVisit(bool),
    Channel(Vec<Channel>),
    Message(Vec<MessageKind>),
    Tags(Vec<String>),
    Region(Vec<String>),
    Any(Vec<Keyword>),
    All(Vec<Keyword>),
    None(Vec<Keyword>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Pattern { pattern: Pattern, needles: Option<Vec<Needle>> },
}

#[derive(Clone, Debug)]
struct Keyword {
    needle: Needle,
    /// As in the file: what the maintainer looks for when asking why.
    written: String,
}

/// Everything that a condition may look at.
pub(super) struct Situation<'a> {
    /// The message in normal form.
    pub(super) text: &'a str,
    /// Which needles occur in it.
    pub(super) found: &'a Found,
    /// The world around it.
    pub(super) context: &'a Context<'a>,
}

impl Condition {
    /// Compiles the conditions of a rule; its keywords become needles.
    ///
    /// # Errors
    /// Names rule, line, value and limit.
    pub(super) fn new(rule: &RuleSpec, needles: &mut Needles) -> Result<Self, RuleError> {
        Compiler { rule, needles }.condition(&rule.when, 0)
    }

    /// Whether all of it holds.
    pub(super) fn holds(&self, situation: &Situation<'_>) -> bool {
        self.checks.iter().all(|check| check.holds(situation))
    }

    /// Needles of which at least one must occur before the condition can hold; `None` when it may hold
    /// without any.
    pub(super) fn trigger(&self) -> Option<Vec<Needle>> {
        self.checks.iter().filter_map(Check::trigger).min_by_key(Vec::len)
    }

    /// Why a condition holds: keywords and found text as they stand, everything else in words.
    ///
    /// Only to be asked after [`Self::holds`] said yes.
    pub(super) fn explain(&self, situation: &Situation<'_>) -> Vec<String> {
        let mut reasons = Vec::new();
        self.text_first().for_each(|check| check.explain(situation, &mut reasons));
        if reasons.is_empty() {
            reasons.push("无条件".to_owned());
        }
        reasons
    }

    fn describe(&self) -> String {
        match self.checks.as_slice() {
            [] => "无条件".to_owned(),
            _ => self.text_first().map(Check::describe).collect::<Vec<_>>().join("且"),
        }
    }

    /// The order for readers: what was found in the text is what they look for.
    fn text_first(&self) -> impl Iterator<Item = &Check> {
        let facts = self.checks.partition_point(|check| !check.reads_text());
        self.checks[facts..].iter().chain(&self.checks[..facts])
    }
}

/// A channel by its stable name.
pub(super) fn channel_named(name: &str) -> Option<Channel> {
    Channel::ALL.into_iter().find(|channel| channel.as_str() == name)
}

/// A rule's time of day, both ends as minutes.
///
/// `None` for a malformed span and for one that starts where it ends: it could mean never or always.
pub(super) fn time_of_day(value: &str) -> Option<(Minute, Minute)> {
    parse_span(value).filter(|(start, end)| start != end)
}

/// Whether a minute lies in a time of day that may pass midnight.
pub(super) fn in_time(minute: Minute, start: Minute, end: Minute) -> bool {
    if start < end { (start..end).contains(&minute) } else { minute >= start || minute < end }
}

struct Compiler<'c> {
    rule: &'c RuleSpec,
    needles: &'c mut Needles,
}

impl Compiler<'_> {
    fn condition(&mut self, spec: &ConditionSpec, depth: usize) -> Result<Condition, RuleError> {
        if depth > DEPTH_MAX {
            return Err(RuleError::TooDeep { id: self.id(), line: self.rule.line, limit: DEPTH_MAX });
        }
        let mut checks = self.facts(spec)?;
        self.keywords(&spec.any, "any", Check::Any, &mut checks)?;
        self.keywords(&spec.all, "all", Check::All, &mut checks)?;
        self.keywords(&spec.none, "none", Check::None, &mut checks)?;
        for child in &spec.and {
            checks.extend(self.condition(child, depth + 1)?.checks);
        }
        if !spec.or.is_empty() {
            let branches = spec.or.iter().map(|child| self.condition(child, depth + 1));
            checks.push(Check::Or(branches.collect::<Result<_, _>>()?));
        }
        if let Some(child) = &spec.not {
            checks.push(Check::Not(Box::new(self.condition(child, depth + 1)?)));
        }
        if let Some(pattern) = &spec.regex {
            checks.push(self.pattern(pattern)?);
        }
        checks.sort_by_key(Check::cost);
        Ok(Condition { checks })
    }

    /// The keys that do not look at the text.
    fn facts(&self, spec: &ConditionSpec) -> Result<Vec<Check>, RuleError> {
        let mut checks = Vec::new();
        if let Some(written) = &spec.time {
            let (start, end) = time_of_day(written).ok_or_else(|| RuleError::Time {
                id: self.id(),
                line: self.rule.line,
                value: written.clone(),
            })?;
            checks.push(Check::Time { written: written.clone(), start, end });
        }
        if !spec.weekday.is_empty() {
            checks.push(Check::Weekday(spec.weekday.clone()));
        }
        checks.extend(spec.holiday.map(Check::Holiday));
        checks.extend(spec.open.map(Check::Open));
        checks.extend(spec.customer.map(|customer| Check::Customer(customer_kind(customer))));
        if !spec.tags.is_empty() {
            checks.push(Check::Tags(self.stated("tags", &spec.tags)?));
        }
        checks.extend(spec.first_visit.map(Check::FirstVisit));
        if !spec.channel.is_empty() {
            let channels = spec.channel.iter().map(|name| {
                channel_named(name).ok_or_else(|| RuleError::Channel {
                    id: self.id(),
                    line: self.rule.line,
                    value: name.clone(),
                })
            });
            checks.push(Check::Channel(channels.collect::<Result<_, _>>()?));
        }
        if !spec.region.is_empty() {
            checks.push(Check::Region(self.stated("region", &spec.region)?));
        }
        if !spec.message.is_empty() {
            checks.push(Check::Message(spec.message.clone()));
        }
        Ok(checks)
    }

    fn keywords(
        &mut self,
        words: &[String],
        key: &'static str,
        check: fn(Vec<Keyword>) -> Check,
        checks: &mut Vec<Check>,
    ) -> Result<(), RuleError> {
        if words.is_empty() {
            return Ok(());
        }
        let mut keywords = Vec::with_capacity(words.len());
        for written in words {
            let normal = normalise(written);
            if normal.as_str().is_empty() {
                return Err(self.empty(key, written));
            }
            let needle = self.needles.number(normal.as_str().as_bytes());
            keywords.push(Keyword { needle, written: written.clone() });
        }
        checks.push(check(keywords));
        Ok(())
    }

    fn pattern(&mut self, written: &str) -> Result<Check, RuleError> {
        let pattern = Pattern::new(written).map_err(|source| RuleError::Pattern {
            id: self.id(),
            line: self.rule.line,
            value: written.to_owned(),
            source,
        })?;
        let literals = pattern.literals.as_ref();
        let needles = literals.map(|list| list.iter().map(|literal| self.needles.number(literal)).collect());
        Ok(Check::Pattern { pattern, needles })
    }

    /// Words that are compared as they stand; an empty one would be found everywhere.
    fn stated(&self, key: &'static str, words: &[String]) -> Result<Vec<String>, RuleError> {
        match words.iter().find(|word| word.trim().is_empty()) {
            Some(word) => Err(self.empty(key, word)),
            None => Ok(words.to_vec()),
        }
    }

    fn empty(&self, key: &'static str, value: &str) -> RuleError {
        RuleError::EmptyKeyword { id: self.id(), line: self.rule.line, key, value: value.to_owned() }
    }

    fn id(&self) -> String {
        self.rule.id.clone()
    }
}

impl Check {
    fn holds(&self, situation: &Situation<'_>) -> bool {
        let Context { customer, channel, kind, now } = situation.context;
        let occurs = |keyword: &Keyword| situation.found.contains(keyword.needle);
        match self {
            Self::Weekday(days) => days.contains(&now.weekday),
            Self::Holiday(wanted) => now.holiday == *wanted,
            Self::Open(wanted) => now.open == *wanted,
            Self::Time { start, end, .. } => in_time(now.minute_of_day, *start, *end),
            Self::Customer(wanted) => customer.kind == *wanted,
            Self::FirstVisit(wanted) => customer.first_visit == *wanted,
            Self::Channel(channels) => channels.contains(channel),
            Self::Message(kinds) => kinds.contains(kind),
            Self::Tags(tags) => tags.iter().any(|tag| customer.tags.contains(tag)),
            Self::Region(parts) => parts.iter().any(|part| is_from(situation.context, part)),
            Self::Any(keywords) => keywords.iter().any(occurs),
            Self::All(keywords) => keywords.iter().all(occurs),
            Self::None(keywords) => !keywords.iter().any(occurs),
            Self::Or(branches) => branches.iter().any(|branch| branch.holds(situation)),
            Self::Not(inner) => !inner.holds(situation),
            Self::Pattern { pattern, needles } => {
                needles.as_ref().is_none_or(|needles| situation.found.contains_any(needles))
                    && pattern.regex.is_match(situation.text)
            }
        }
    }

    /// See [`Condition::trigger`].
    fn trigger(&self) -> Option<Vec<Needle>> {
        match self {
            Self::Any(keywords) => Some(keywords.iter().map(|keyword| keyword.needle).collect()),
            // One of them is enough to wait for; the longest is the rarest.
            Self::All(keywords) => {
                let longest = keywords.iter().max_by_key(|keyword| keyword.written.len())?;
                Some(vec![longest.needle])
            }
            Self::Pattern { needles, .. } => needles.clone(),
            Self::Or(branches) => {
                let lists = branches.iter().map(Condition::trigger).collect::<Option<Vec<_>>>()?;
                let mut needles = lists.concat();
                needles.sort_unstable();
                needles.dedup();
                Some(needles)
            }
            Self::None(_)
            | Self::Not(_)
            | Self::Weekday(_)
            | Self::Holiday(_)
            | Self::Open(_)
            | Self::Time { .. }
            | Self::Customer(_)
            | Self::FirstVisit(_)
            | Self::Channel(_)
            | Self::Message(_)
            | Self::Tags(_)
            | Self::Region(_) => None,
        }
    }

    /// Order of evaluation: plain values, then sets and bits, then nested conditions, then expressions.
    fn cost(&self) -> u8 {
        match self {
            Self::Weekday(_)
            | Self::Holiday(_)
            | Self::Open(_)
            | Self::Time { .. }
            | Self::Customer(_)
            | Self::FirstVisit(_)
            | Self::Channel(_)
            | Self::Message(_) => 0,
            Self::Tags(_) | Self::Region(_) => 1,
            Self::Any(_) | Self::All(_) | Self::None(_) => 2,
            Self::Or(_) | Self::Not(_) => 3,
            Self::Pattern { .. } => 4,
        }
    }

    fn reads_text(&self) -> bool {
        self.cost() >= 2
    }

    fn explain(&self, situation: &Situation<'_>, reasons: &mut Vec<String>) {
        let customer = situation.context.customer;
        match self {
            Self::Any(keywords) | Self::All(keywords) => reasons.extend(
                keywords
                    .iter()
                    .filter(|keyword| situation.found.contains(keyword.needle))
                    .map(|keyword| keyword.written.clone()),
            ),
            Self::Pattern { pattern, .. } => match pattern.regex.find(situation.text) {
                Some(found) if !found.is_empty() => reasons.push(found.as_str().to_owned()),
                _ => reasons.push(self.describe()),
            },
            Self::Tags(tags) => reasons.extend(
                tags.iter().filter(|tag| customer.tags.contains(*tag)).map(|tag| format!("标签“{tag}”")),
            ),
            Self::Region(parts) => reasons.extend(
                parts
                    .iter()
                    .filter(|part| is_from(situation.context, part))
                    .map(|part| format!("地区“{part}”")),
            ),
            Self::Or(branches) => {
                for branch in branches.iter().filter(|branch| branch.holds(situation)) {
                    reasons.extend(branch.explain(situation));
                }
            }
            Self::Weekday(_)
            | Self::Holiday(_)
            | Self::Open(_)
            | Self::Time { .. }
            | Self::Customer(_)
            | Self::FirstVisit(_)
            | Self::Channel(_)
            | Self::Message(_)
            | Self::None(_)
            | Self::Not(_) => reasons.push(self.describe()),
        }
    }

    /// The check itself in words, whatever the message.
    fn describe(&self) -> String {
        let quoted = |keywords: &[Keyword]| -> String {
            let words: Vec<String> =
                keywords.iter().map(|keyword| format!("“{}”", keyword.written)).collect();
            words.join("、")
        };
        match self {
            Self::Weekday(days) => days.iter().map(|day| weekday_name(*day)).collect::<Vec<_>>().join("、"),
            Self::Holiday(true) => "节假日".to_owned(),
            Self::Holiday(false) => "非节假日".to_owned(),
            Self::Open(true) => "营业时间内".to_owned(),
            Self::Open(false) => "营业时间外".to_owned(),
            Self::Time { written, .. } => format!("时段 {written}"),
            Self::Customer(CustomerKind::Customer) => "外部客户".to_owned(),
            Self::Customer(CustomerKind::Employee) => "企业员工".to_owned(),
            Self::FirstVisit(true) => "首次来访".to_owned(),
            Self::FirstVisit(false) => "非首次来访".to_owned(),
            Self::Channel(channels) => {
                let names: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
                format!("渠道 {}", names.join("、"))
            }
            Self::Message(kinds) => {
                let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                format!("消息类型 {}", names.join("、"))
            }
            Self::Tags(tags) => format!("标签“{}”", tags.join("”、“")),
            Self::Region(parts) => format!("地区“{}”", parts.join("”、“")),
            Self::Any(keywords) if keywords.len() > 1 => format!("出现{}之一", quoted(keywords)),
            Self::Any(keywords) | Self::All(keywords) => format!("出现{}", quoted(keywords)),
            Self::None(keywords) => format!("未出现{}", quoted(keywords)),
            Self::Or(branches) => {
                let words: Vec<String> =
                    branches.iter().map(|branch| format!("（{}）", branch.describe())).collect();
                words.join("或")
            }
            Self::Not(inner) => format!("不满足（{}）", inner.describe()),
            Self::Pattern { pattern, .. } => format!("正则 {}", pattern.regex.as_str()),
        }
    }
}

fn is_from(context: &Context<'_>, part: &str) -> bool {
    context.customer.region.as_ref().is_some_and(|region| region.contains(part))
}

fn customer_kind(spec: CustomerSpec) -> CustomerKind {
    match spec {
        CustomerSpec::Customer => CustomerKind::Customer,
        CustomerSpec::Employee => CustomerKind::Employee,
    }
}

fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "周一",
        Weekday::Tue => "周二",
        Weekday::Wed => "周三",
        Weekday::Thu => "周四",
        Weekday::Fri => "周五",
        Weekday::Sat => "周六",
        Weekday::Sun => "周日",
    }
}
