//! What a condition demands, spread out into cases that can be compared: the reasoning behind the lint.
//!
//! A condition is an *or* of cases, a case an *and* of plain demands. All answers err on the side of silence:
//! what is not understood (`not` around several keys) is taken to be possible and equal only to itself.

use std::collections::BTreeSet;
use std::hash::Hash;

use crate::knowledge::calendar::DAY_MINUTES;
use crate::knowledge::calendar::Minute;
use crate::knowledge::rule::ConditionSpec;
use crate::knowledge::rule::CustomerSpec;
use crate::knowledge::rule::Weekday;
use crate::message::Channel;
use crate::message::MessageKind;
use crate::rules::condition::DEPTH_MAX;
use crate::rules::condition::channel_named;
use crate::rules::condition::in_time;
use crate::rules::condition::time_of_day;
use crate::text::normalise::normalise;

/// Most cases of one condition; a condition with more is not reasoned about.
const CASES_MAX: usize = 64;

/// A set of words, in normal form where the text is meant.
type Words = BTreeSet<String>;

/// Demands that must all hold at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Case {
    minutes: Minutes,
    weekdays: Choice<7>,
    holiday: Choice<2>,
    open: Choice<2>,
    first_visit: Choice<2>,
    customers: Choice<2>,
    channels: Choice<{ Channel::ALL.len() }>,
    kinds: Choice<8>,
    /// All of these occur in the text.
    all: Words,
    /// Of each of these sets one occurs; every set has at least two words.
    any: BTreeSet<Words>,
    /// None of these occurs.
    none: Words,
    /// All of these expressions match.
    patterns: Words,
    /// Of each of these sets the customer carries one tag.
    tags: BTreeSet<Words>,
    /// Of each of these sets the region contains one part.
    regions: BTreeSet<Words>,
    /// What is not understood.
    opaque: Words,
}

/// Which of `N` values are allowed, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Choice<const N: usize>(u8);

/// Which minutes of the day are allowed, a bit each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Minutes([u64; DAY_MINUTES.div_ceil(64) as usize]);

/// All cases of a condition, sorted, so that equal conditions have equal cases.
///
/// `None` for a condition with too many of them.
pub(super) fn cases(spec: &ConditionSpec) -> Option<Vec<Case>> {
    let mut cases = expand(spec, 0)?;
    cases.sort_unstable();
    cases.dedup();
    Some(cases)
}

/// Whether every message that satisfies `strong` satisfies `weak` as well.
pub(super) fn implies(strong: &[Case], weak: &[Case]) -> bool {
    strong.iter().all(|strong| weak.iter().any(|weak| strong.implies(weak)))
}

impl Case {
    /// The case that demands nothing.
    fn anything() -> Self {
        Self {
            minutes: Minutes::all(),
            weekdays: Choice::ALL,
            holiday: Choice::ALL,
            open: Choice::ALL,
            first_visit: Choice::ALL,
            customers: Choice::ALL,
            channels: Choice::ALL,
            kinds: Choice::ALL,
            all: Words::new(),
            any: BTreeSet::new(),
            none: Words::new(),
            patterns: Words::new(),
            tags: BTreeSet::new(),
            regions: BTreeSet::new(),
            opaque: Words::new(),
        }
    }

    /// Words of which at least one occurs in every text of this case; `None` where no text is demanded.
    pub(super) fn trigger(&self) -> Option<Vec<&str>> {
        match self.all.iter().max_by_key(|word| word.len()) {
            Some(word) => Some(vec![word]),
            None => Some(self.any.first()?.iter().map(String::as_str).collect()),
        }
    }

    /// All words that the case wants to see, each on a line of its own.
    pub(super) fn wanted_text(&self) -> String {
        let words = self.all.iter().chain(self.any.iter().flatten());
        words.map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Why no message can ever satisfy the case, in Chinese.
    pub(super) fn contradiction(&self) -> Option<String> {
        let choices = [
            (self.minutes.is_empty(), "时段（time）没有交集"),
            (self.weekdays.is_empty(), "星期（weekday）没有交集"),
            (self.holiday.is_empty(), "holiday 既要求是又要求不是节假日"),
            (self.open.is_empty(), "open 既要求营业中又要求不在营业"),
            (self.first_visit.is_empty(), "first_visit 既要求是又要求不是首次来访"),
            (self.customers.is_empty(), "customer 既要求外部客户又要求企业员工"),
            (self.channels.is_empty(), "渠道（channel）没有交集"),
            (self.kinds.is_empty(), "消息类型（message）没有交集"),
        ];
        if let Some((_, reason)) = choices.into_iter().find(|(empty, _)| *empty) {
            return Some(reason.to_owned());
        }
        let excluded = |word: &String| self.none.iter().find(|none| word.contains(none.as_str()));
        if let Some((word, none)) = self.all.iter().find_map(|word| Some((word, excluded(word)?))) {
            return Some(format!("必须出现“{word}”，又不许出现“{none}”"));
        }
        if let Some(words) = self.any.iter().find(|words| words.iter().all(|word| excluded(word).is_some())) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            return Some(format!("any 中的“{}”全部被 none 排除", words.join("”、“")));
        }
        let with_text = [MessageKind::Text, MessageKind::Location, MessageKind::Link];
        let speaks = with_text.into_iter().any(|kind| self.kinds.allows(kind_number(kind)));
        let wants_text = !self.all.is_empty() || !self.any.is_empty();
        (wants_text && !speaks).then(|| "要求的消息类型不带文字，关键词不可能出现".to_owned())
    }

    /// Whether every message of this case is also one of `weak`.
    fn implies(&self, weak: &Self) -> bool {
        let facts = self.minutes.is_within(&weak.minutes)
            && self.weekdays.is_within(weak.weekdays)
            && self.holiday.is_within(weak.holiday)
            && self.open.is_within(weak.open)
            && self.first_visit.is_within(weak.first_visit)
            && self.customers.is_within(weak.customers)
            && self.channels.is_within(weak.channels)
            && self.kinds.is_within(weak.kinds);
        facts
            && weak.patterns.is_subset(&self.patterns)
            && weak.opaque.is_subset(&self.opaque)
            && weak.all.iter().all(|word| self.shows_one_of(&|seen| seen.contains(word.as_str())))
            && weak.any.iter().all(|words| {
                self.shows_one_of(&|seen| words.iter().any(|word| seen.contains(word.as_str())))
            })
            // What is absent is absent from every longer word.
            && weak.none.iter().all(|word| self.none.iter().any(|none| word.contains(none.as_str())))
            && weak.tags.iter().all(|tags| self.tags.iter().any(|own| own.is_subset(tags)))
            && weak.regions.iter().all(|parts| {
                let covered = |own: &String| parts.iter().any(|part| own.contains(part.as_str()));
                self.regions.iter().any(|own| own.iter().all(covered))
            })
    }

    /// Whether every text of this case shows a word that `fits`.
    fn shows_one_of(&self, fits: &dyn Fn(&str) -> bool) -> bool {
        self.all.iter().any(|word| fits(word))
            || self.any.iter().any(|words| words.iter().all(|word| fits(word)))
    }

    /// Demands both at once.
    fn and(&self, other: &Self) -> Self {
        let union = |a: &Words, b: &Words| a | b;
        Self {
            minutes: self.minutes.and(&other.minutes),
            weekdays: self.weekdays.and(other.weekdays),
            holiday: self.holiday.and(other.holiday),
            open: self.open.and(other.open),
            first_visit: self.first_visit.and(other.first_visit),
            customers: self.customers.and(other.customers),
            channels: self.channels.and(other.channels),
            kinds: self.kinds.and(other.kinds),
            all: union(&self.all, &other.all),
            any: &self.any | &other.any,
            none: union(&self.none, &other.none),
            patterns: union(&self.patterns, &other.patterns),
            tags: &self.tags | &other.tags,
            regions: &self.regions | &other.regions,
            opaque: union(&self.opaque, &other.opaque),
        }
    }

    /// The demands of one level, nested ones left out. Values that do not compile demand nothing here: they
    /// have a finding of their own.
    fn of_level(spec: &ConditionSpec) -> Self {
        let mut case = Self::anything();
        if let Some((start, end)) = spec.time.as_deref().and_then(time_of_day) {
            case.minutes = Minutes::of(|minute| in_time(minute, start, end));
        }
        if !spec.weekday.is_empty() {
            case.weekdays = Choice::of(spec.weekday.iter().map(|day| weekday_number(*day)));
        }
        case.holiday = Choice::of_bool(spec.holiday);
        case.open = Choice::of_bool(spec.open);
        case.first_visit = Choice::of_bool(spec.first_visit);
        case.customers = Choice::of_bool(spec.customer.map(|customer| customer == CustomerSpec::Employee));
        if !spec.channel.is_empty() && spec.channel.iter().all(|name| channel_named(name).is_some()) {
            let named = |name: &String| Channel::ALL.iter().position(|channel| channel.as_str() == name);
            case.channels = Choice::of(spec.channel.iter().filter_map(named));
        }
        if !spec.message.is_empty() {
            case.kinds = Choice::of(spec.message.iter().map(|kind| kind_number(*kind)));
        }
        case.all = normal(&spec.all);
        case.none = normal(&spec.none);
        let any = normal(&spec.any);
        match any.len() {
            0 => {}
            1 => case.all.extend(any),
            _ => {
                case.any.insert(any);
            }
        }
        case.patterns.extend(spec.regex.clone());
        let stated = |words: &[String]| -> Words { words.iter().cloned().collect() };
        case.tags.extend((!spec.tags.is_empty()).then(|| stated(&spec.tags)));
        case.regions.extend((!spec.region.is_empty()).then(|| stated(&spec.region)));
        case
    }
}

fn expand(spec: &ConditionSpec, depth: usize) -> Option<Vec<Case>> {
    if depth > DEPTH_MAX {
        return None;
    }
    let mut cases = vec![Case::of_level(spec)];
    for child in &spec.and {
        cases = cross(&cases, &expand(child, depth + 1)?)?;
    }
    if !spec.or.is_empty() {
        let branches = spec.or.iter().map(|child| expand(child, depth + 1)).collect::<Option<Vec<_>>>()?;
        cases = cross(&cases, &branches.concat())?;
    }
    if let Some(child) = &spec.not {
        cases = cross(&cases, &[negation(child)])?;
    }
    Some(cases)
}

fn cross(left: &[Case], right: &[Case]) -> Option<Vec<Case>> {
    if left.len() * right.len() > CASES_MAX {
        return None;
    }
    Some(left.iter().flat_map(|left| right.iter().map(move |right| left.and(right))).collect())
}

/// The opposite of a condition with a single key that has a plain opposite; else something opaque.
fn negation(spec: &ConditionSpec) -> Case {
    let level = Case::of_level(spec);
    let mut case = Case::anything();
    let only = |key: ConditionSpec| *spec == key;
    let none = ConditionSpec::default;
    if only(ConditionSpec { holiday: spec.holiday, ..none() }) {
        case.holiday = level.holiday.opposite();
    } else if only(ConditionSpec { open: spec.open, ..none() }) {
        case.open = level.open.opposite();
    } else if only(ConditionSpec { first_visit: spec.first_visit, ..none() }) {
        case.first_visit = level.first_visit.opposite();
    } else if only(ConditionSpec { customer: spec.customer, ..none() }) {
        case.customers = level.customers.opposite();
    } else if only(ConditionSpec { weekday: spec.weekday.clone(), ..none() }) {
        case.weekdays = level.weekdays.opposite();
    } else if only(ConditionSpec { message: spec.message.clone(), ..none() }) {
        case.kinds = level.kinds.opposite();
    } else if only(ConditionSpec { any: spec.any.clone(), ..none() }) {
        case.none = normal(&spec.any);
    } else {
        case.opaque.insert(format!("{spec:?}"));
    }
    case
}

/// Words in normal form; those of which nothing remains have a finding of their own.
fn normal(words: &[String]) -> Words {
    words.iter().map(|word| normalise(word).as_str().to_owned()).filter(|word| !word.is_empty()).collect()
}

fn weekday_number(day: Weekday) -> usize {
    match day {
        Weekday::Mon => 0,
        Weekday::Tue => 1,
        Weekday::Wed => 2,
        Weekday::Thu => 3,
        Weekday::Fri => 4,
        Weekday::Sat => 5,
        Weekday::Sun => 6,
    }
}

fn kind_number(kind: MessageKind) -> usize {
    match kind {
        MessageKind::Text => 0,
        MessageKind::Image => 1,
        MessageKind::Voice => 2,
        MessageKind::Video => 3,
        MessageKind::File => 4,
        MessageKind::Location => 5,
        MessageKind::Link => 6,
        MessageKind::Entered => 7,
    }
}

impl<const N: usize> Choice<N> {
    const ALL: Self = Self(u8::MAX >> (8 - N));

    fn of(values: impl Iterator<Item = usize>) -> Self {
        Self(values.fold(0, |bits, value| bits | 1 << value))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn opposite(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }

    fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn allows(self, value: usize) -> bool {
        self.0 & 1 << value != 0
    }
}

impl Choice<2> {
    fn of_bool(wanted: Option<bool>) -> Self {
        wanted.map_or(Self::ALL, |wanted| Self::of(std::iter::once(usize::from(wanted))))
    }
}

impl Minutes {
    fn all() -> Self {
        Self::of(|_| true)
    }

    fn of(allowed: impl Fn(Minute) -> bool) -> Self {
        let mut bits = Self([0; DAY_MINUTES.div_ceil(64) as usize]);
        for minute in (0..DAY_MINUTES).filter(|minute| allowed(*minute)) {
            bits.0[usize::from(minute / 64)] |= 1 << (minute % 64);
        }
        bits
    }

    fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.0.iter_mut().zip(&other.0).for_each(|(bits, other)| *bits &= other);
        both
    }

    fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(own, other)| own & !other == 0)
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(toml: &str) -> Vec<Case> {
        cases(&toml::from_str(toml).unwrap()).unwrap()
    }

    #[track_caller]
    fn check_implies(strong: &str, weak: &str, expected: bool) {
        assert_eq!(implies(&condition(strong), &condition(weak)), expected, "{strong} => {weak}");
    }

    #[test]
    fn knows_which_condition_is_weaker() {
        for (strong, weak, expected) in [
            ("any = ['退款']", "", true),
            ("", "any = ['退款']", false),
            ("any = ['退款']", "any = ['退款', '退货']", true),
            ("any = ['退款', '退货']", "any = ['退款']", false),
            ("any = ['申请退款']", "any = ['退款']", true),
            ("all = ['退款', '急']", "all = ['退款']", true),
            ("all = ['退款']", "any = ['退款', '换货']", true),
            ("any = ['Ａ级']", "any = ['a级']", true),
            ("none = ['退']", "none = ['退款']", true),
            ("none = ['退款']", "none = ['退']", false),
            ("regex = '退.款'", "regex = '退.款'", true),
            ("regex = '退.款'", "regex = '换.货'", false),
            ("time = '23:00-01:00'", "time = '22:00-08:00'", true),
            ("time = '21:00-01:00'", "time = '22:00-08:00'", false),
            ("time = '09:00-10:00'", "time = '00:00-24:00'", true),
            ("weekday = ['sat']", "weekday = ['sat', 'sun']", true),
            ("holiday = true", "holiday = true", true),
            ("holiday = true", "not = { holiday = false }", true),
            ("holiday = true", "not = { holiday = true }", false),
            ("open = true\nany = ['a']", "open = true", true),
            ("channel = ['web']", "channel = ['web', 'wecom_app']", true),
            ("", "channel = ['web', 'wecom_app', 'wecom_kf', 'wecom_bot']", true),
            ("", "channel = ['web', 'wecom_app', 'wecom_kf']", false),
            ("tags = ['vip']", "tags = ['vip', 'svip']", true),
            ("tags = ['vip', 'svip']", "tags = ['vip']", false),
            ("region = ['浙江省']", "region = ['浙江']", true),
            ("any = ['a']", "or = [{ any = ['a'] }, { holiday = true }]", true),
            ("or = [{ any = ['a'] }, { holiday = true }]", "any = ['a']", false),
            ("or = [{ any = ['ab'] }, { any = ['ac'] }]", "any = ['a']", true),
            ("and = [{ any = ['a'] }, { open = true }]", "any = ['a']\nopen = true", true),
            ("not = { any = ['a'] }", "none = ['a']", true),
            ("not = { any = ['a'], open = true }", "not = { any = ['a'], open = true }", true),
            ("not = { any = ['a'], open = true }", "none = ['a']", false),
            ("not = { all = ['a', 'b'] }", "none = ['a', 'b']", false),
            ("first_visit = true", "first_visit = false", false),
            ("message = ['image']", "message = ['image', 'video']", true),
            ("customer = 'employee'", "customer = 'customer'", false),
        ] {
            check_implies(strong, weak, expected);
        }
    }

    #[test]
    fn equal_conditions_have_equal_cases() {
        let same = condition("or = [{ any = ['a', 'b'] }, { open = true }]");
        assert_eq!(same, condition("or = [{ open = true }, { any = ['Ｂ', 'a'] }]"));
        assert_ne!(same, condition("or = [{ open = true }, { any = ['a'] }]"));
    }

    #[test]
    fn too_many_cases_are_left_alone() {
        let two = "{ or = [{ any = ['a'] }, { any = ['b'] }] }";
        let condition = |n: usize| format!("and = [{}]", vec![two; n].join(", "));
        let n_cases = |n: usize| cases(&toml::from_str(&condition(n)).unwrap()).is_some();
        assert!(n_cases(6) && !n_cases(7), "2^6 is the limit of 64");
    }
}
