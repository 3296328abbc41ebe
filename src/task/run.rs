//! Steps, from where a task stands to the next question, call or end.

use std::collections::BTreeMap;

use jiff::Zoned;
use serde_json::Value;
use serde_json::json;

use crate::knowledge::Knowledge;
use crate::knowledge::task::PRODUCTS_CALL;
use crate::knowledge::task::SlotSpec;
use crate::knowledge::task::StepSpec;
use crate::message::Customer;
use crate::task::Call;
use crate::task::CallResult;
use crate::task::Effects;
use crate::task::End;
use crate::task::Line;
use crate::task::StepEvent;
use crate::task::Task;
use crate::task::TaskSet;
use crate::task::Ticket;
use crate::task::Told;
use crate::task::expression;
use crate::task::expression::ExpressionError;
use crate::task::hear::Hearing;
use crate::task::hear::labels;
use crate::task::progress::Progress;

/// Goods that a call of the bot's own catalogue gives at most.
const PRODUCTS_MAX: usize = 5;

/// What a task may use of the world around it.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// The bot's knowledge.
    pub known: &'r Knowledge,
    /// Who is served.
    pub customer: &'r Customer,
    /// Who and which, as the talk has told: entities by the taxonomy's id.
    pub recalled: &'r BTreeMap<String, Value>,
    /// Results of the calls that were made for this message, in their order.
    pub results: &'r [CallResult],
    /// When the message came, in the bot's zone.
    pub now: &'r Zoned,
}

/// A run in the making.
struct Running<'r> {
    task: &'r Task,
    run: Run<'r>,
    progress: Progress,
    lines: Vec<Line>,
    effects: Effects,
    events: Vec<StepEvent>,
    results: std::slice::Iter<'r, CallResult>,
}

/// Where to after a step.
enum Onward {
    Below,
    To(String),
    Stop(End),
}

impl TaskSet {
    /// Begins a task.
    ///
    /// * `slots`: what the first message says of them.
    ///
    /// # Panics
    /// When there is no such task.
    #[must_use]
    pub fn begin(&self, id: &str, slots: BTreeMap<String, Value>, run: Run<'_>) -> Told {
        let task = self.task(id).expect("whoever starts a task has found it here");
        let slots = task.with_recalled(slots, run.recalled);
        task.running(Progress::new(id, slots, run.now.timestamp()), run).go()
    }

    /// Goes on with what a message says. `None` where the task's file is gone.
    #[must_use]
    pub fn go_on(&self, progress: &Progress, hearing: &Hearing, run: Run<'_>) -> Option<Told> {
        let task = self.task(&progress.task)?;
        Some(task.running(task.answered(progress, hearing, run.now), run).go())
    }

    /// Asks again, after an answer that does not do; after too many a human goes on.
    #[must_use]
    pub fn ask_again(&self, progress: &Progress, said: &str, run: Run<'_>) -> Option<Told> {
        let task = self.task(&progress.task)?;
        let mut running = task.running(Progress { at: run.now.timestamp(), ..progress.clone() }, run);
        if running.progress.tries >= task.spec.tries_max {
            return Some(running.told(End::Handoff(task.spec.group.clone())));
        }
        if let Some(invalid) =
            running.task.asked(&running.progress).and_then(|(_, slot)| slot.invalid.clone())
        {
            let mut variables = running.variables();
            variables.insert("said".to_owned(), json!(said));
            let words = expression::fill(&invalid, &json!(variables), run.now);
            running.lines.extend(words.ok().map(Line::Words));
        }
        Some(running.go())
    }

    /// The question that a task waits with, after something else came in between.
    #[must_use]
    pub fn question(&self, progress: &Progress, run: Run<'_>) -> Option<Line> {
        let running = self.task(&progress.task)?.running(progress.clone(), run);
        let (name, slot) = running.task.asked(&running.progress)?;
        Some(running.prompt(name, slot, progress.tries.saturating_sub(1)))
    }
}

impl Task {
    fn running<'r>(&'r self, progress: Progress, run: Run<'r>) -> Running<'r> {
        Running {
            task: self,
            progress,
            lines: Vec::new(),
            effects: Effects::default(),
            events: Vec::new(),
            results: run.results.iter(),
            run,
        }
    }

    /// The slots of a first message with what the talk knows of who and which. Of an order that was talked about before,
    /// nothing is taken where the message says which goods it means.
    fn with_recalled(
        &self,
        mut slots: BTreeMap<String, Value>,
        recalled: &BTreeMap<String, Value>,
    ) -> BTreeMap<String, Value> {
        let entity = |name: &String| self.spec.slot.get(name).and_then(|slot| slot.entity.as_deref());
        let names_goods = slots.keys().any(|name| matches!(entity(name), Some("item" | "color" | "date")));
        for (name, slot) in self.spec.slot.iter().filter(|(_, slot)| !slot.own_answer_only) {
            let Some(value) = slot.entity.as_ref().and_then(|entity| recalled.get(entity)) else { continue };
            let is_order = matches!(slot.entity.as_deref(), Some("order_id" | "tracking_no"));
            if !(is_order && names_goods) {
                slots.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        slots
    }

    /// A task with what a message says to it. A correction takes it back to the first step that it touches; what was
    /// found, picked and confirmed from there on is found, picked and confirmed anew.
    fn answered(&self, progress: &Progress, hearing: &Hearing, now: &Zoned) -> Progress {
        let mut progress = Progress { at: now.timestamp(), ..progress.clone() };
        let place = self.place(&progress.step).unwrap_or(0);
        let asked = self.asked(&progress);
        let confirms = asked.is_some_and(|(_, slot)| slot.confirm);
        // What comes up only now, at a list or a confirmation, belongs to what led there: 我要的是小白鞋.
        let reopens = asked.is_some_and(|(_, slot)| slot.confirm || slot.pick.is_some());
        let asked = asked.map(|(name, _)| name.to_owned());
        let mut first = None;
        for (name, value) in &hearing.others {
            match progress.slots.get(name) {
                Some(known) if known == value => continue,
                Some(_) if !(hearing.corrects || confirms) => continue,
                None if !reopens => {}
                Some(_) | None => {
                    let touched = self.spec.step.iter().position(|step| touches(step, name));
                    first = first.into_iter().chain(touched).min();
                    // All is repeated, with what is new in it.
                    progress.tries = 0;
                }
            }
            progress.slots.insert(name.clone(), value.clone());
        }
        match first {
            Some(first) if first < place && (hearing.answer.is_none() || confirms) => {
                self.take_back(&mut progress, first);
            }
            _ => {
                if let (Some(name), Some(answer)) = (asked, &hearing.answer) {
                    progress.slots.insert(name, answer.clone());
                }
            }
        }
        progress
    }

    fn take_back(&self, progress: &mut Progress, first: usize) {
        for step in &self.spec.step[first..] {
            if let Some(name) = &step.save {
                progress.saved.remove(name);
            }
            let slot = step.ask.as_ref().and_then(|name| Some((name, self.spec.slot.get(name)?)));
            if let Some((name, slot)) = slot
                && (slot.confirm || slot.pick.is_some())
                && let Some(before) = progress.slots.remove(name)
                && slot.pick.is_some()
            {
                progress.saved.insert(picked_before(name), before);
            }
        }
        progress.step.clone_from(&self.spec.step[first].id);
        progress.tries = 0;
    }
}

/// Where the item is kept that was picked before a correction: no name of a file has a blank in it.
fn picked_before(slot: &str) -> String {
    format!("{slot} before")
}

/// Whether what a step does depends on a slot.
fn touches(step: &StepSpec, slot: &str) -> bool {
    let reads = |names: Option<Vec<String>>| names.is_some_and(|names| names.iter().any(|name| name == slot));
    step.ask.as_deref() == Some(slot)
        || step.when.as_deref().is_some_and(|when| reads(expression::reads_of_expression(when)))
        || step.with.values().any(|with| reads(expression::reads_of_template(with)))
}

impl<'r> Running<'r> {
    fn go(mut self) -> Told {
        let mut at = self.task.place(&self.progress.step).unwrap_or(0);
        // Where it waits, the customer has been since an earlier message.
        let mut is_new = self.progress.tries == 0;
        while let Some(step) = self.task.spec.step.get(at) {
            match self.applies(step) {
                Ok(true) => {}
                Ok(false) => {
                    at += 1;
                    self.progress.tries = 0;
                    is_new = true;
                    continue;
                }
                Err(_) => return self.broken(),
            }
            if is_new {
                self.note(step, false);
            }
            is_new = true;
            self.progress.step.clone_from(&step.id);
            match self.take(step) {
                Ok(Onward::Stop(end)) => return self.told(end),
                Ok(onward) => {
                    self.note(step, true);
                    self.progress.tries = 0;
                    if step.end {
                        return self.told(End::Done);
                    }
                    let next = match onward {
                        Onward::To(step) => Some(step),
                        Onward::Below | Onward::Stop(_) => step.next.clone(),
                    };
                    let below =
                        next.and_then(|next| self.task.spec.step.iter().position(|own| own.id == next));
                    // Only down: `check` refuses anything else, and a run must end.
                    at = below.filter(|below| *below > at).unwrap_or(at + 1);
                }
                Err(_) => return self.broken(),
            }
        }
        self.told(End::Done)
    }

    fn applies(&self, step: &StepSpec) -> Result<bool, ExpressionError> {
        match &step.when {
            Some(when) => expression::holds(when, &self.scope(), self.run.now),
            None => Ok(true),
        }
    }

    fn take(&mut self, step: &StepSpec) -> Result<Onward, ExpressionError> {
        if let Some(name) = &step.ask {
            return Ok(self.ask(name));
        }
        if let Some(name) = &step.call {
            return self.call(name, step);
        }
        if let Some(words) = &step.say {
            let words = self.fill(words)?;
            self.lines.push(Line::Words(words));
        }
        if let Some(name) = &step.reply {
            self.lines.push(Line::Named(name.clone()));
        }
        for (field, value) in &step.record {
            let value = self.fill(value)?;
            if !value.trim().is_empty() {
                self.effects.record.insert(field.clone(), value);
            }
        }
        self.effects.tags.extend(step.tag.clone());
        if let Some(title) = &step.ticket {
            let title = self.fill(title)?;
            let fields = self.in_words();
            self.effects.tickets.push(Ticket { title, fields });
        }
        Ok(match &step.handoff {
            Some(group) => {
                self.note(step, true);
                Onward::Stop(End::Handoff(Some(group.clone())))
            }
            None => Onward::Below,
        })
    }

    /// Fills a slot from what is known, or asks for it.
    fn ask(&mut self, name: &str) -> Onward {
        let Some(slot) = self.task.spec.slot.get(name) else { return Onward::Below };
        if !self.progress.slots.contains_key(name)
            && let Some(value) = self.known(name, slot)
        {
            self.progress.slots.insert(name.to_owned(), value);
        }
        if let Some(value) = self.progress.slots.get(name) {
            if let (Some(field), Some(words)) = (&slot.remember, words_of(value)) {
                self.effects.record.insert(field.clone(), words);
            }
            return Onward::Below;
        }
        if self.progress.tries >= self.task.spec.tries_max {
            return Onward::Stop(End::Handoff(self.task.spec.group.clone()));
        }
        let prompt = self.prompt(name, slot, self.progress.tries);
        self.lines.push(prompt);
        self.progress.tries += 1;
        Onward::Stop(End::Waiting)
    }

    /// What fills a slot without asking.
    fn known(&self, name: &str, slot: &SlotSpec) -> Option<Value> {
        if let Some(list) = &slot.pick {
            return match self.progress.saved.get(list).and_then(Value::as_array)?.as_slice() {
                [] => Some(Value::Null),
                [only] => Some(only.clone()),
                // A correction of something else leaves the choice as it was.
                several => {
                    let before = self.progress.saved.get(&picked_before(name))?;
                    several.contains(before).then(|| before.clone())
                }
            };
        }
        if slot.own_answer_only {
            return None;
        }
        let recalled = slot.entity.as_ref().and_then(|entity| self.run.recalled.get(entity)).cloned();
        recalled.or_else(|| {
            let field = slot.remember.as_ref()?;
            self.run.customer.record.get(field).map(|value| json!(value))
        })
    }

    fn prompt(&self, name: &str, slot: &SlotSpec, tries: u32) -> Line {
        let at = usize::try_from(tries).unwrap_or(usize::MAX).min(slot.prompts.len().saturating_sub(1));
        let template = slot.prompts.get(at).map_or("", String::as_str);
        let filled = self.fill(template).ok().filter(|words| !words.trim().is_empty());
        let prompt = filled.unwrap_or_else(|| {
            let title = if slot.title.is_empty() { name } else { &slot.title };
            format!("请告诉我{title}。")
        });
        // Nobody confirms what does not stand before them.
        let whole =
            slot.prompts.first().filter(|_| slot.confirm && at > 0).and_then(|whole| self.fill(whole).ok());
        let prompt = whole.into_iter().chain([prompt]).collect::<Vec<_>>().join("\n");
        let options: Vec<String> = match &slot.pick {
            Some(list) => {
                let items = self.progress.saved.get(list).and_then(Value::as_array);
                items.map(|items| labels(slot, items, self.run.now)).unwrap_or_default()
            }
            None => slot.choices.iter().map(|choice| choice.title().to_owned()).collect(),
        };
        if options.is_empty() { Line::Words(prompt) } else { Line::Choices { prompt, options } }
    }

    fn call(&mut self, name: &str, step: &StepSpec) -> Result<Onward, ExpressionError> {
        let mut with = BTreeMap::new();
        for (key, template) in &step.with {
            with.insert(key.clone(), self.fill(template)?);
        }
        let result = if name == PRODUCTS_CALL {
            CallResult::Answered(products(self.run.known, &with))
        } else {
            match self.results.next() {
                Some(result) => result.clone(),
                None => return Ok(Onward::Stop(End::Calling(Call { name: name.to_owned(), with }))),
            }
        };
        let group = || End::Handoff(self.task.spec.group.clone());
        Ok(match result {
            CallResult::Answered(value) => {
                if let Some(save) = &step.save {
                    self.progress.saved.insert(save.clone(), value);
                }
                Onward::Below
            }
            CallResult::Refused(words) => match &step.refused {
                Some(next) => {
                    self.progress.saved.insert("refusal".to_owned(), json!(words));
                    Onward::To(next.clone())
                }
                None => {
                    let end = group();
                    self.lines.push(Line::Words(words));
                    Onward::Stop(end)
                }
            },
            CallResult::Failed(_reason) => match &step.failed {
                Some(next) => Onward::To(next.clone()),
                None => {
                    let end = group();
                    self.lines.push(Line::CallFailed);
                    Onward::Stop(end)
                }
            },
        })
    }

    fn fill(&self, template: &str) -> Result<String, ExpressionError> {
        expression::fill(template, &self.scope(), self.run.now)
    }

    fn scope(&self) -> Value {
        json!(self.variables())
    }

    fn variables(&self) -> BTreeMap<String, Value> {
        let mut variables = self.progress.slots.clone();
        variables.extend(self.progress.saved.clone());
        let customer = self.run.customer;
        variables.insert(
            "customer".to_owned(),
            json!({ "id": customer.id, "name": customer.name.as_deref().unwrap_or_default(),
                    "tags": customer.tags, "record": customer.record }),
        );
        let profile = &self.run.known.profile;
        variables.insert("bot".to_owned(), json!({ "name": profile.name, "title": profile.title }));
        variables.insert("phone_of_shop".to_owned(), json!(profile.phone.as_deref().unwrap_or_default()));
        variables
    }

    /// The slots as staff read them.
    fn in_words(&self) -> BTreeMap<String, String> {
        let spec = &self.task.spec;
        let words = |name: &String, value: &Value| {
            let slot = spec.slot.get(name)?;
            let words = match &slot.pick {
                Some(_) if !value.is_null() => {
                    labels(slot, std::slice::from_ref(value), self.run.now).into_iter().next()
                }
                _ => words_of(value),
            }?;
            let title = if slot.title.is_empty() { name } else { &slot.title };
            Some((title.clone(), words))
        };
        self.progress.slots.iter().filter_map(|(name, value)| words(name, value)).collect()
    }

    fn note(&mut self, step: &StepSpec, passed: bool) {
        let (task, step) = (self.task.spec.id.clone(), step.id.clone());
        self.events.push(StepEvent { task, step, passed });
    }

    /// An expression that cannot be evaluated: a human goes on.
    fn broken(mut self) -> Told {
        self.lines.push(Line::CallFailed);
        let group = self.task.spec.group.clone();
        self.told(End::Handoff(group))
    }

    fn told(self, end: End) -> Told {
        let task = self.task.spec.id.clone();
        let Self { lines, progress, effects, events, .. } = self;
        Told { task, lines, end, progress, effects, events }
    }
}

/// A slot's value as people read it; `None` for one that was left out.
fn words_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(yes) => Some(if *yes { "是" } else { "否" }.to_owned()),
        Value::String(words) => Some(words.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(_) | Value::Object(_) => value["text"].as_str().map(str::to_owned),
    }
}

/// Goods of the catalogue that are called so.
fn products(known: &Knowledge, with: &BTreeMap<String, String>) -> Value {
    let asked = |key: &str| with.get(key).map(String::as_str).filter(|words| !words.is_empty());
    let found = known.products.iter().filter(|product| {
        let named = asked("goods").is_none_or(|goods| {
            let names = [&product.name, &product.category, &product.id].into_iter().chain(&product.aliases);
            names.into_iter().any(|name| name.contains(goods))
        });
        named && asked("color").is_none_or(|colour| product.colours.iter().any(|own| own.contains(colour)))
    });
    found
        .take(PRODUCTS_MAX)
        .map(|product| {
            json!({ "id": product.id, "name": product.name, "price": product.price_yuan(), "fen": product.price_fen,
                    "stock": product.stock, "colours": product.colours, "sizes": product.sizes })
        })
        .collect()
}
