//! What a message says to a task: an answer to what was asked, and whatever else it lets slip.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Zoned;
use regex::Regex;
use serde_json::Value;
use serde_json::json;

use crate::knowledge::task::SlotSpec;
use crate::message::MessageKind;
use crate::nlu::slot::Slot;
use crate::nlu::slot::SlotName;
use crate::nlu::value::Value as Meant;
use crate::task::Said;
use crate::task::Task;
use crate::task::TaskSet;
use crate::task::expression;
use crate::task::progress::Progress;
use crate::text::normalise::normalise;
use crate::text::pick;
use crate::text::span::ByteSpan;

/// Longest text that may be a mere yes or no, in characters. Chosen by hand.
const YES_CHARS_MAX: usize = 12;

/// Longest words of a slot, where it says nothing else.
const WORDS_CHARS_MAX: usize = 500;

/// What a message says to the task that asked something.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hearing {
    /// The answer to what was asked; `null` leaves it out.
    pub answer: Option<Value>,
    /// Whether that answer is of a kind that could hardly mean anything else.
    pub plain: bool,
    /// Whether its words were taken for an answer that does not do.
    pub refused: bool,
    /// What it says of other slots.
    pub others: BTreeMap<String, Value>,
    /// Whether it takes something back.
    pub corrects: bool,
    /// Whether it gives something that was repeated for confirmation another value.
    pub changes: bool,
}

/// Entities that say who and which, and stay true for a talk: order, parcel, telephone, name.
///
/// * Returns them by the taxonomy's id.
#[must_use]
pub fn identity(said: Said<'_>, now: &Zoned) -> BTreeMap<String, Value> {
    [SlotName::OrderId, SlotName::TrackingNo, SlotName::Phone, SlotName::Person]
        .into_iter()
        .filter_map(|name| Some((name.as_str().to_owned(), mentions(said, name, now).next()?)))
        .collect()
}

impl TaskSet {
    /// What a message says to a task that waits for an answer.
    #[must_use]
    pub fn hear(&self, progress: &Progress, said: Said<'_>, now: &Zoned) -> Hearing {
        let Some(task) = self.task(&progress.task) else { return Hearing::default() };
        let asked = task.asked(progress);
        let (answer, plain) = match asked {
            Some((name, slot)) => task.answer(name, slot, progress, said, now),
            None => (None, false),
        };
        let corrects = CORRECTS.is_match(said.utterance.as_str());
        // What only its own prompt fills may be taken back once it is filled.
        let takes_back = corrects || asked.is_some_and(|(_, slot)| slot.confirm);
        let mut others = task.slips(
            said,
            &|name| takes_back && progress.slots.get(name).is_some_and(|value| !value.is_null()),
            now,
        );
        if let Some((name, _)) = asked {
            others.remove(name);
        }
        let refused =
            answer.is_none() && asked.is_some_and(|(_, slot)| slot.text) && said.kind == MessageKind::Text;
        let changes = asked.is_some_and(|(_, slot)| slot.confirm)
            && others
                .iter()
                .any(|(name, value)| progress.slots.get(name).is_some_and(|known| known != value));
        Hearing { answer, plain, refused, others, corrects, changes }
    }

    /// What the message that starts a task says of its slots.
    #[must_use]
    pub fn slips(&self, id: &str, said: Said<'_>, now: &Zoned) -> BTreeMap<String, Value> {
        self.task(id).map(|task| task.slips(said, &|_| false, now)).unwrap_or_default()
    }
}

impl Task {
    /// Slots that the entities of a message fill, whatever was asked.
    ///
    /// * `also`: whether it may fill one that only its own prompt fills.
    fn slips(&self, said: Said<'_>, also: &dyn Fn(&str) -> bool, now: &Zoned) -> BTreeMap<String, Value> {
        let open = self.spec.slot.iter().filter(|(name, slot)| !slot.own_answer_only || also(name));
        open.filter_map(|(name, slot)| {
            let accepted = |value: &Value| self.accepts(name, slot, value, now);
            let value = if !slot.choices.is_empty() {
                chosen(slot, said.utterance.as_str(), false).filter(accepted)
            } else if let Some(entity) = slot.entity.as_deref().and_then(SlotName::named) {
                mentions(said, entity, now).find(accepted)
            } else if slot.text && also(name) {
                // Any words at all would fill a slot of free text; what is to be another number or address looks like one.
                self.matched(name, said).filter(|value| is_figures(value) && accepted(value))
            } else {
                None
            };
            Some((name.clone(), value?))
        })
        .collect()
    }

    /// The answer to a prompt, and whether it is plain.
    fn answer(
        &self,
        name: &str,
        slot: &SlotSpec,
        progress: &Progress,
        said: Said<'_>,
        now: &Zoned,
    ) -> (Option<Value>, bool) {
        let text = said.utterance.as_str();
        if slot.picture && said.kind == MessageKind::Image {
            return (Some(json!("图片")), true);
        }
        if slot.optional && SKIPS.is_match(text) {
            return (Some(Value::Null), true);
        }
        if said.kind != MessageKind::Text || text.is_empty() {
            return (None, false);
        }
        let found = if slot.confirm {
            confirmed(said).map(Value::Bool)
        } else if !slot.choices.is_empty() {
            chosen(slot, text, true)
        } else if slot.pick.is_some() {
            picked(slot, progress, said, now)
        } else if let Some(entity) = slot.entity.as_deref().and_then(SlotName::named) {
            let accepted = |value: &Value| self.accepts(name, slot, value, now);
            mentions(said, entity, now).find(accepted).or_else(|| self.matched(name, said))
        } else if slot.text {
            // A number or an address of letters that fits can hardly be anything else.
            let words = if slot.pattern.is_some() {
                self.matched(name, said)
            } else {
                Some(json!(said.utterance.normalised.original().trim()))
            };
            let words = words.filter(|value| self.accepts(name, slot, value, now));
            let plain = slot.pattern.is_some() && words.as_ref().is_some_and(is_figures);
            return (words, plain);
        } else {
            None
        };
        let found = found.filter(|value| self.accepts(name, slot, value, now));
        let plain = found.is_some();
        (found, plain)
    }

    /// What the slot's pattern finds in the words.
    fn matched(&self, name: &str, said: Said<'_>) -> Option<Value> {
        let found = self.patterns.get(name)?.find(said.utterance.as_str())?;
        Some(json!(as_typed(said, ByteSpan::new(found.start(), found.end()))))
    }

    /// Whether a value is one that the slot takes.
    fn accepts(&self, name: &str, slot: &SlotSpec, value: &Value, now: &Zoned) -> bool {
        if let Some(words) = value.as_str() {
            let n_chars = words.chars().count();
            let chars_max = if slot.chars_max == 0 { WORDS_CHARS_MAX } else { slot.chars_max };
            let says_something = words.chars().any(char::is_alphanumeric);
            if !says_something || !(slot.chars_min.max(1)..=chars_max).contains(&n_chars) {
                return false;
            }
            if self.patterns.get(name).is_some_and(|pattern| !pattern.is_match(&words.to_lowercase())) {
                return false;
            }
        }
        // An expression that cannot be evaluated refuses nothing: `check` has told of it.
        slot.valid
            .as_deref()
            .is_none_or(|valid| expression::holds(valid, &json!({ "value": value }), now).unwrap_or(true))
    }
}

/// Words as they were typed, where they differ from their normal form in no more than the case of letters.
fn as_typed(said: Said<'_>, span: ByteSpan) -> &str {
    let normalised = &said.utterance.normalised;
    let (normal, typed) =
        (span.of(normalised.as_str()), normalised.to_original(span).of(normalised.original()));
    if typed.to_lowercase() == normal { typed } else { normal }
}

/// Mentions of an entity, the last first and those that are not denied before the others, as a machine keeps them.
fn mentions<'m>(said: Said<'m>, name: SlotName, now: &'m Zoned) -> impl Iterator<Item = Value> + 'm {
    let named = move |negated: bool| {
        said.meaning.slots.iter().rev().filter(move |slot| slot.name == name && slot.negated == negated)
    };
    // 那件卫衣我不要了: what is to be returned or cancelled is denied, and meant all the same.
    let denied = matches!(name, SlotName::Item | SlotName::Color | SlotName::OrderId);
    named(false).chain(named(true).filter(move |_| denied)).map(move |slot| mention(said, slot, now))
}

fn mention(said: Said<'_>, slot: &Slot, now: &Zoned) -> Value {
    let (name, text) = (slot.name, as_typed(said, slot.span));
    let at = |at: jiff::Timestamp| {
        at.to_zoned(now.time_zone().clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    };
    match &slot.value {
        Some(Meant::Period(period)) => {
            json!({ "text": text, "from": at(period.from), "until": at(period.to) })
        }
        Some(Meant::Amount(amount)) => json!({ "text": text, "count": amount.count, "unit": amount.unit }),
        Some(Meant::Money(money)) => {
            json!({ "text": text, "fen_min": money.fen_min, "fen_max": money.fen_max })
        }
        // A shop's own word finds its goods: 雾灰 is no 灰色 there. A single letter needs its colour.
        Some(Meant::Colour(colour)) if text.chars().count() < 2 => json!(colour.canonical),
        Some(Meant::Colour(_)) => json!(text),
        Some(Meant::Word(word) | Meant::Products { word, .. }) => json!(word),
        Some(Meant::Measure(_)) | None if name == SlotName::Size => {
            json!(text.trim_end_matches(['码', '号']).to_uppercase())
        }
        Some(Meant::Measure(_)) | None if matches!(name, SlotName::OrderId | SlotName::TrackingNo) => {
            json!(text.to_uppercase())
        }
        Some(Meant::Measure(_)) | None => json!(text),
    }
}

/// The choice that a message makes.
///
/// * `answers`: whether it was asked for, so that a bare number counts.
fn chosen(slot: &SlotSpec, text: &str, answers: bool) -> Option<Value> {
    let titles: Vec<String> = slot.choices.iter().map(|choice| choice.title().to_owned()).collect();
    if answers && let Some(at) = pick::by_number(text, titles.len()) {
        return Some(json!(slot.choices[at].value));
    }
    let text = &slot.undecided.iter().fold(text.to_owned(), |text, word| text.replace(word, " "));
    // What is named last and not denied is meant: 不是退货 是换货.
    let mut best: Option<(usize, usize, &str)> = None;
    for choice in &slot.choices {
        for word in choice.words.iter().map(String::as_str).chain([choice.value.as_str()]) {
            for (at, found) in text.match_indices(word) {
                let denied = DENIED.is_match(&text[..at]);
                let end = at + found.len();
                let later = best.is_none_or(|(end_before, len, _)| (end, found.len()) > (end_before, len));
                if !denied && later {
                    best = Some((end, found.len(), &choice.value));
                }
            }
        }
    }
    if let Some((_, _, value)) = best {
        return Some(json!(value));
    }
    answers.then(|| pick::by_words(text, &titles)).flatten().map(|at| json!(slot.choices[at].value))
}

/// The item of a saved list that a message picks; `null` is none of them.
fn picked(slot: &SlotSpec, progress: &Progress, said: Said<'_>, now: &Zoned) -> Option<Value> {
    let text = said.utterance.as_str();
    let items = progress.saved.get(slot.pick.as_deref()?)?.as_array()?;
    let labels = labels(slot, items, now);
    let bare = POINTING.replace_all(text, "");
    let named = || {
        pick::by_words(text, &labels)
            .or_else(|| pick::by_words(&bare, &labels))
            .or_else(|| holding(said, &labels))
            .or_else(|| only(&bare, &labels))
    };
    let at = pick::by_number(text, labels.len()).or_else(named).or_else(|| {
        let none = slot.none.is_some() && NONE.is_match(text);
        none.then_some(items.len())
    })?;
    Some(items.get(at).cloned().unwrap_or(Value::Null))
}

/// The only label that holds all that is said of goods: 黑色衬衫 is 长袖衬衫 黑色 L.
fn holding(said: Said<'_>, labels: &[String]) -> Option<usize> {
    let text = said.utterance.as_str();
    let labels: Vec<String> = labels.iter().map(|label| normalise(label).as_str().to_owned()).collect();
    let words =
        said.utterance.words.iter().map(|word| word.of(text)).filter(|word| word.chars().nth(1).is_some());
    let words: Vec<&str> = words.filter(|word| labels.iter().any(|label| label.contains(word))).collect();
    let mut holding = (0..labels.len()).filter(|at| words.iter().all(|word| labels[*at].contains(word)));
    match (holding.next(), holding.next()) {
        (Some(only), None) if !words.is_empty() => Some(only),
        _ => None,
    }
}

/// Letters and figures enough to be a number or an address and no word.
fn is_figures(value: &Value) -> bool {
    value.as_str().is_some_and(|words| words.bytes().filter(u8::is_ascii_alphanumeric).count() >= 4)
}

/// The only label that holds the last letter of what is said as well: 裙子 is the 小黑裙 of a list.
fn only(said: &str, labels: &[String]) -> Option<usize> {
    let letters: Vec<char> = said.trim_end_matches('子').chars().filter(|c| c.is_alphabetic()).collect();
    let last = letters.last().filter(|_| letters.len() <= 4)?;
    let mut holding = (0..labels.len()).filter(|at| labels[*at].contains(*last));
    match (holding.next(), holding.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// What the items of a list are called, and the words for none of them.
pub(super) fn labels(slot: &SlotSpec, items: &[Value], now: &Zoned) -> Vec<String> {
    let label = slot.label.as_deref().unwrap_or("{{ item }}");
    let called = |item: &Value| expression::fill(label, &json!({ "item": item }), now).unwrap_or_default();
    items.iter().map(called).chain(slot.none.clone()).collect()
}

/// Whether a message says yes or no.
fn confirmed(said: Said<'_>) -> Option<bool> {
    let text = said.utterance.as_str();
    // Who says that something is wrong has not said what: neither yes nor no.
    if CORRECTS.is_match(text) {
        return None;
    }
    if text.chars().count() <= YES_CHARS_MAX {
        // 没有问题 and 不用改了 begin like a no.
        if YES.is_match(text) {
            return Some(true);
        }
        if NO.is_match(text) {
            return Some(false);
        }
    }
    let (intent, probability) = said.meaning.intents.as_ref()?.first()?;
    match intent {
        "affirm" if probability.value() >= SURE => Some(true),
        "deny" if probability.value() >= SURE => Some(false),
        _ => None,
    }
}

/// How sure the network must be of a yes that no word gives away. Chosen by hand.
const SURE: f32 = 0.8;

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed expression")
}

static YES: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^[嗯哦啊那就我]*(?:是的?|对的?|对对|好的?|好呀|好吧|好滴|可以|行|中|成|ok|okay|yes|没错|没问题|没有问题|没毛病|不用改了?|确认|确定|同意|要|要的|提交|办吧|就这样|就这么|就它|就这个|改吧|麻烦|嗯+|恩+|1)(?:[的了吧啊呀嘞哒滴办改]|确认|提交|登记|没错|没问题|可以|好|行|麻烦了?|谢谢|您|你|[ ,.。!~])*$",
    )
});

static NO: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^(?:[嗯哦啊那 ,]|等等|等下|等一下|慢着)*(?:不要|不用|不行|不了|不可以|不同意|不确认|不需要|别|先别|先不|没有|不|no|否|2)(?:[的了吧啊呀哦嘛哈呢]|办|弄|改|取消|登记|提交|退|换|谢谢|[ ,.。!~])*$",
    )
});

static SKIPS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^跳过|^(?:那)?(?:不留|不发|不传|没照片|没有照片|没拍|没有了?|没有?要求|无|不用了?|不需要|不填|先不填|不写了?|随便|都行|都可以|没啥|没什么)(?:[吧了的啊谢 ]|谢谢)*[.。!~]*$",
    )
});

static POINTING: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"^(?:就|是|要|我?选|我说的是?|那)+|[那这]一?[个件条双单款]|一?[单件条双]$|[的吧呀啊哦呢]+$")
});

static NONE: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"都不是|不是这|没有我|都不对|以上都不|不在里面|没看到"));

static CORRECTS: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"不对|错了|不是|改成|改为|换成|应该是|重新|说错|打错|写错|搞错|弄错|更正"));

static DENIED: LazyLock<Regex> = LazyLock::new(|| fixed(r"(?:不是?要?|不想|没要|别|不)$"));
