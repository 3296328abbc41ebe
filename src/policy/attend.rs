//! What a message does while a task waits for an answer: answers it, interrupts it, begins another, gives it up, or
//! is no answer at all.

use std::sync::LazyLock;

use regex::Regex;

use crate::knowledge::Knowledge;
use crate::policy::decide::found;
use crate::policy::decision::About;
use crate::policy::decision::Basis;
use crate::policy::decision::Decision;
use crate::policy::decision::Move;
use crate::policy::evidence::Evidence;
use crate::policy::evidence::Waiting;
use crate::task::Hearing;

/// Longest words that only give up, in characters. Chosen by hand.
const GIVE_UP_CHARS_MAX: usize = 14;

/// Longest words that may be a poor answer and no new wish, in characters. Chosen by hand.
const POOR_CHARS_MAX: usize = 8;

/// The answer is one that could hardly mean anything else, and the message is no question that the bot knows.
pub(super) fn plainly_answered(known: &Knowledge, evidence: &Evidence) -> Option<Decision> {
    goes_on(evidence, |waiting| {
        let Hearing { answer, plain, changes, .. } = &waiting.hearing;
        ((answer.is_some() && *plain) || *changes) && !is_known_question(known, evidence)
    })
}

/// Free words are the answer that a task waits for, and so is what they let slip of its other slots, unless they are a
/// question that the bot can answer.
pub(super) fn answered(known: &Knowledge, evidence: &Evidence) -> Option<Decision> {
    goes_on(evidence, |waiting| {
        let Hearing { answer, others, corrects, .. } = &waiting.hearing;
        (answer.is_some() && !is_known_question(known, evidence))
            || (!others.is_empty() && (*corrects || !is_of_another_matter(known, evidence)))
    })
}

/// The task that waits goes on, where the message says to it what `does`.
fn goes_on(evidence: &Evidence, does: impl Fn(&Waiting) -> bool) -> Option<Decision> {
    let waiting = evidence.task.waiting.as_ref().filter(|waiting| does(waiting))?;
    Some(Decision::Task { id: waiting.task.clone(), step: Move::GoOn })
}

fn asks(evidence: &Evidence) -> bool {
    ASKS.is_match(evidence.utterance.as_str())
}

fn is_known_question(known: &Knowledge, evidence: &Evidence) -> bool {
    asks(evidence) && is_known(known, evidence)
}

/// Whether the bot can answer the message, or it asks for goods: they are not those of the task.
fn is_of_another_matter(known: &Knowledge, evidence: &Evidence) -> bool {
    match found(known, evidence) {
        Some(Decision::Answer(_)) => true,
        Some(Decision::Clarify { about: About::Products, .. }) => asks(evidence),
        _ => false,
    }
}

fn is_known(known: &Knowledge, evidence: &Evidence) -> bool {
    matches!(found(known, evidence), Some(Decision::Answer(_)))
}

/// Whether what a rule says may come in between a task's question and its answer: a handoff, another task, the answer to a
/// question; not a mere `好的～`.
pub(super) fn interrupts(evidence: &Evidence, decision: &Decision) -> bool {
    let may = match decision {
        Decision::Answer(_) => asks(evidence),
        // Figures alone are a poor answer and no new wish.
        Decision::Task { .. } => evidence.utterance.has_words(),
        Decision::Clarify { .. }
        | Decision::Handoff { .. }
        | Decision::Decline(_)
        | Decision::Block { .. } => true,
    };
    may || evidence.task.waiting.is_none()
}

/// The intent alone begins a task, unless it is the one that waits, or the words are a poor answer to it.
pub(super) fn begun(known: &Knowledge, evidence: &Evidence) -> Option<Decision> {
    let (_, probability) = evidence.meaning.intents.as_ref()?.first()?;
    let sure = probability.value() >= known.profile.thresholds.intent;
    let task = evidence.task.starts.as_ref().filter(|_| sure)?;
    let n_chars = evidence.utterance.as_str().chars().count();
    let waits = evidence.task.waiting.as_ref().is_some_and(|waiting| {
        let is_poor = waiting.hearing.refused && n_chars <= POOR_CHARS_MAX && !asks(evidence);
        waiting.task == *task || is_poor || !evidence.utterance.has_words()
    });
    (!waits).then(|| Decision::Task { id: task.clone(), step: Move::Begin })
}

/// Who only says once more what they want is asked once more.
pub(super) fn said_again(evidence: &Evidence) -> Option<Decision> {
    let waiting = evidence.task.waiting.as_ref()?;
    let is_same = evidence.task.starts.as_ref() == Some(&waiting.task);
    (is_same && !asks(evidence)).then(|| asked_again(evidence)).flatten()
}

/// A task waits for an answer, and nothing that the message could mean is one.
pub(super) fn asked_again(evidence: &Evidence) -> Option<Decision> {
    let waiting = evidence.task.waiting.as_ref()?;
    Some(Decision::Task { id: waiting.task.clone(), step: Move::AskAgain })
}

/// Whether an answer is one to small talk, of an entry or of an intent: no answer to the question that a task waits with.
pub(super) fn is_small_talk(known: &Knowledge, evidence: &Evidence, decision: &Decision) -> bool {
    let talk = |intent: &String| known.profile.intents.get(intent).is_some_and(|spec| spec.reply.is_some());
    evidence.task.waiting.is_some()
        && match decision {
            Decision::Answer(Basis::Entry(at)) => talk(&known.entries[*at].topic),
            Decision::Answer(Basis::Intent(id)) => talk(id),
            _ => false,
        }
}

/// Whether the customer lets the task drop that waits: `算了 太麻烦了`, but not `算了 换L码吧`.
pub(super) fn gives_up(evidence: &Evidence) -> bool {
    let text = evidence.utterance.as_str();
    let says_no_more = evidence
        .task
        .waiting
        .as_ref()
        .is_some_and(|waiting| waiting.hearing.answer.is_none() && waiting.hearing.others.is_empty());
    says_no_more
        && text.chars().count() <= GIVE_UP_CHARS_MAX
        && GIVES_UP.is_match(text)
        && !GOES_ON.is_match(text)
}

/// Words that make a message a question.
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[?]|吗|呢$|么$|怎么|如何|多少|什么|啥|哪|几天|多久|谁|能不能|可不可以|是不是|会不会|有没有")
        .expect("a fixed expression")
});

static GIVES_UP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:那|哎|唉|还是)?(?:算了|不弄了|不办了|不搞了|不填了|不想弄|不想办|太麻烦|不开了|不修了|不查了)",
    )
    .expect("a fixed expression")
});

static GOES_ON: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"还是|改|换|要|发|帮|看|查|人工").expect("a fixed expression"));
