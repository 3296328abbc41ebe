//! From a decision to what the tasks of a talk say and do: begin, go on, ask again, remind, take up again.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::policy::decide::Outcome;
use crate::policy::decide::to_human;
use crate::policy::decision::Basis;
use crate::policy::decision::Decision;
use crate::policy::decision::Move;
use crate::policy::decision::Reason;
use crate::policy::evidence::Evidence;
use crate::policy::follow::FOCUS_MAX;
use crate::policy::state::Recalled;
use crate::policy::state::State;
use crate::task;
use crate::task::End;
use crate::task::Line;
use crate::task::Run;
use crate::task::TaskSet;
use crate::task::Told;
use crate::task::progress::Progress;

/// Tasks that lie over one another at most: one, and the one that it interrupted.
const TASKS_MAX: usize = 2;

/// Carries a decision out, as far as tasks are concerned.
///
/// * `before`: what the talk remembered.
/// * Returns the decision as it stands then, which is a handoff where a task cannot go on, with what the talk
///   remembers; and what the task says, if any.
#[must_use]
pub fn undertake(
    tasks: &TaskSet,
    before: &State,
    evidence: &Evidence,
    outcome: Outcome,
    run: Run<'_>,
) -> (Outcome, Option<Told>) {
    let Outcome { mut decision, mut state, tags } = outcome;
    let now = run.now.timestamp();
    let mut under_way: Vec<Progress> =
        before.tasks.iter().filter(|progress| tasks.remembers(progress, now)).cloned().collect();
    let mut resting: Vec<Progress> = under_way.extract_if(.., |progress| progress.paused).collect();
    let told = match &decision {
        Decision::Task { id, step: Move::Begin } => {
            under_way.retain(|progress| progress.task != *id);
            let slots = tasks.slips(id, evidence.said(), run.now);
            Some(tasks.begin(id, slots, run))
        }
        Decision::Task { step: Move::GoOn, .. } => {
            let hearing = evidence.task.waiting.as_ref().map(|waiting| &waiting.hearing);
            under_way.pop().zip(hearing).and_then(|(progress, hearing)| tasks.go_on(&progress, hearing, run))
        }
        Decision::Task { step: Move::AskAgain, .. } => {
            let said = evidence.utterance.normalised.original();
            under_way.pop().and_then(|progress| tasks.ask_again(&progress, said, run))
        }
        Decision::Answer(Basis::Dropped) => {
            under_way.clear();
            None
        }
        Decision::Answer(_) => under_way.pop().and_then(|progress| reminder(tasks, progress, run)),
        // A human has it now; the bot asks no more until the talk is given back.
        Decision::Handoff { .. } => {
            under_way.iter_mut().for_each(|progress| progress.paused = true);
            None
        }
        Decision::Clarify { .. } | Decision::Decline(_) | Decision::Block { .. } => None,
    };
    let told = told.map(|mut told| {
        match &told.end {
            End::Waiting | End::Calling(_) => under_way.push(told.progress.clone()),
            End::Done => {
                if let Some(below) = under_way.pop().and_then(|progress| reminder(tasks, progress, run)) {
                    let title = tasks.spec(&below.task).map(|spec| spec.title.clone()).unwrap_or_default();
                    told.lines.push(Line::Resumed(title));
                    told.lines.extend(below.lines);
                    under_way.push(below.progress);
                }
            }
            End::Handoff(group) => {
                decision = to_human(run.known, group.as_deref(), Reason::Task(told.task.clone()));
            }
        }
        told
    });
    // One that rests and is begun anew has nothing left to rest for.
    resting.retain(|own| under_way.iter().all(|other| other.task != own.task));
    resting.append(&mut under_way);
    resting.drain(..resting.len().saturating_sub(TASKS_MAX));
    state.tasks = resting;
    state.recalled = recalled(before, evidence, told.as_ref(), run);
    (Outcome { decision, state, tags }, told)
}

/// The question of a task, put once more; it costs none of its tries.
fn reminder(tasks: &TaskSet, mut progress: Progress, run: Run<'_>) -> Option<Told> {
    progress.at = run.now.timestamp();
    let line = tasks.question(&progress, run)?;
    Some(Told {
        task: progress.task.clone(),
        lines: vec![line],
        end: End::Waiting,
        progress,
        effects: task::Effects::default(),
        events: Vec::new(),
    })
}

/// Who and which, of this message and of those before it.
fn recalled(before: &State, evidence: &Evidence, told: Option<&Told>, run: Run<'_>) -> Option<Recalled> {
    let now = run.now.timestamp();
    let mut said = task::identity(evidence.said(), run.now);
    // The order that a task has found is the one that is talked about.
    let order = told.and_then(|told| told.progress.slots.get("order")?.get("number"));
    said.extend(order.map(|number| ("order_id".to_owned(), number.clone())));
    let known = before.recalled.as_ref().filter(|known| known.is_fresh(now));
    let mut values: BTreeMap<_, _> = known.map(|known| known.values.clone()).unwrap_or_default();
    if said.is_empty() {
        return known.cloned();
    }
    values.extend(said);
    Some(Recalled { values, at: now })
}

impl Recalled {
    /// Whether it was said of late.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) <= FOCUS_MAX
    }
}
