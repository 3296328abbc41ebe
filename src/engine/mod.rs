//! The pipeline: text in, decision, reply out. Start reading at [`Engine::respond`].

mod load;
#[cfg(test)]
mod tests;
mod turn;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use jiff::Timestamp;

use crate::encoder::shelf::Shelf;
use crate::knowledge::Knowledge;
use crate::knowledge::calendar::Calendar;
use crate::knowledge::sensitive::Direction;
use crate::knowledge::sensitive::SensitiveAction;
use crate::message::Customer;
use crate::message::Inbound;
use crate::message::Part;
use crate::message::Reply;
use crate::nlu::Meaning;
use crate::nlu::Nlu;
use crate::nlu::artefact::LoadedModel;
use crate::nlu::filter::wanted;
use crate::policy::decide;
use crate::policy::decision::Decision;
use crate::policy::decision::Reason;
use crate::policy::evidence::Alarm;
use crate::policy::evidence::Evidence;
use crate::policy::evidence::TaskEvidence;
use crate::policy::follow;
use crate::policy::state::State;
use crate::policy::undertake::undertake;
use crate::policy::weigh::weigh;
use crate::policy::weigh::weigh_goods;
use crate::reply::render::Renderer;
use crate::reply::standard::Sentence;
use crate::reply::template;
use crate::reply::template::Scene;
use crate::reply::template::TemplateError;
use crate::retrieval::Retriever;
use crate::retrieval::catalogue::ProductEvidence;
use crate::retrieval::faq;
use crate::retrieval::faq::EntryHit;
use crate::retrieval::faq::Near;
use crate::retrieval::faq::Query;
use crate::retrieval::nearest::Nearest;
use crate::rules::Context;
use crate::rules::Moment;
use crate::rules::RuleSet;
use crate::rules::sensitive::SensitiveHit;
use crate::rules::sensitive::SensitiveSet;
use crate::task::CallResult;
use crate::task::Run;
use crate::task::Said;
use crate::task::TaskSet;
use crate::text::normalise::Normalised;
use crate::text::normalise::normalise;
use crate::text::segment::Segmenter;
use crate::text::utterance::Utterance;

use load::fits;

pub use load::ModelError;
pub use load::ModelPlaces;
pub use load::OtherLabels;
pub use load::load;
pub use load::servable;
pub use load::take_model;
pub use load::vocabulary;
pub use turn::Stage;
pub use turn::Turn;

/// Entries and products that a Turn keeps at most.
const HITS_MAX: usize = 8;

/// One bot, ready to answer. Holds no state of any talk; any number of threads may share it.
#[derive(Debug)]
pub struct Engine {
    known: Knowledge,
    calendar: Calendar,
    segmenter: Arc<Segmenter>,
    nlu: Nlu,
    reader: RwLock<Option<Arc<Reader>>>,
    rules: RuleSet,
    sensitive: SensitiveSet,
    retriever: Retriever,
    tasks: TaskSet,
    renderer: Renderer,
}

/// What a message was searched for.
struct Found {
    entries: Vec<EntryHit>,
    products: ProductEvidence,
}

/// A network with what it makes of the knowledge: one is exchanged with the other.
#[derive(Debug)]
struct Reader {
    model: Arc<LoadedModel>,
    /// Vectors of all phrasings; `None` until they are made.
    phrasings: Option<Nearest>,
}

/// Whether a bot waits for the sentence vectors of its knowledge, a thousand phrasings in one to three seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vectors {
    /// All of them are made now.
    All,
    /// Those that were kept are taken if they are all there; else the bot searches by words until it gets them.
    Kept,
}

impl Engine {
    /// Answers one message.
    ///
    /// * `before`: what the talk remembers; the default for a new one.
    /// * `now`: when the message came.
    /// * `passed`: told as each stage is done, for whoever has a clock.
    ///
    /// Cannot fail: what goes wrong on the way shows in the evidence, and the chain falls through to a
    /// human.
    #[must_use]
    pub fn respond(
        &self,
        inbound: &Inbound,
        before: &State,
        now: Timestamp,
        passed: &mut dyn FnMut(Stage),
    ) -> Turn {
        let evidence = self.look(inbound, before, now, passed);
        self.conclude(evidence, inbound, before, now, &[], passed)
    }

    /// What speaks for one decision or another.
    fn look(
        &self,
        inbound: &Inbound,
        before: &State,
        now: Timestamp,
        passed: &mut dyn FnMut(Stage),
    ) -> Evidence {
        let (utterance, sensitive) = self.read(inbound.content.as_text());
        passed(Stage::Text);
        let moment = Moment::at(&self.calendar, now);
        let context = Context {
            customer: &inbound.customer,
            channel: inbound.channel,
            kind: inbound.content.kind(),
            now: moment,
        };
        let rules = self.rules.matches(&utterance.normalised, &context);
        passed(Stage::Rules);
        let reader = self.reader();
        let zoned = self.calendar.zoned(now);
        let network = reader.as_ref().map(|reader| &reader.model.model);
        let meaning = self.nlu.understand(&utterance, network, &zoned);
        passed(Stage::Understand);
        let today = self.calendar.today(now);
        let usable = |entry: usize| self.known.entries[entry].validity.contains(today);
        let mut found = self.search(&utterance, &meaning, reader.as_deref(), &usable);
        let mut meaning = meaning;
        // A message that leans on what was said before is read again as a whole.
        let mut completed = follow::complete(&self.known, before, &utterance, &meaning.slots, now);
        if let Some(words) = &completed {
            let whole = Utterance::read(words, &self.segmenter);
            let read = self.nlu.understand(&whole, network, &zoned);
            let again = self.search(&whole, &read, reader.as_deref(), &usable);
            let best = |found: &Found| found.entries.first().map(|hit| hit.probability.value());
            if !again.products.hits.is_empty() || best(&again) > best(&found) {
                found = again;
                meaning.intents = read.intents;
            } else {
                completed = None;
            }
        }
        passed(Stage::Search);
        let Found { entries, products } = found;
        let kind = inbound.content.kind();
        let said = Said { utterance: &utterance, kind, meaning: &meaning };
        let task = TaskEvidence::gather(&self.tasks, before, said, &zoned);
        Evidence { kind, utterance, completed, sensitive, meaning, rules, entries, products, task }
    }

    /// Decides upon the evidence and puts it into words.
    ///
    /// * `results`: of the calls that were made for this message, in their order. A turn that asks for another,
    ///   see [`Turn::call`], is concluded again with one more.
    #[must_use]
    pub fn conclude(
        &self,
        evidence: Evidence,
        inbound: &Inbound,
        before: &State,
        now: Timestamp,
        results: &[CallResult],
        passed: &mut dyn FnMut(Stage),
    ) -> Turn {
        let today = self.calendar.today(now);
        let usable = |entry: usize| self.known.entries[entry].validity.contains(today);
        let outcome = decide::decide(&self.known, before, &evidence, &usable, now);
        let zoned = self.calendar.zoned(now);
        let nothing = BTreeMap::new();
        let recalled = before.recalled.as_ref().filter(|recalled| recalled.is_fresh(now));
        let recalled = recalled.map_or(&nothing, |recalled| &recalled.values);
        let run = Run { known: &self.known, customer: &inbound.customer, recalled, results, now: &zoned };
        let (outcome, told) = undertake(&self.tasks, before, &evidence, outcome, run);
        passed(Stage::Decide);
        let opening = self.opening(now);
        let hours = self.calendar.describe();
        let scene = self.scene(&inbound.customer, &hours, opening.as_deref());
        let reply =
            self.renderer.render(&outcome.decision, &evidence, (before, told.as_ref()), &scene, today);
        let (reply, decision) = self.checked(reply, outcome.decision.clone(), &evidence, &scene, today);
        // The choices of a question that was kept back have not been seen by anybody.
        let remembered = if decision == outcome.decision { outcome.state } else { State::default() };
        let rendered = self.renderer.fitted(reply, inbound.channel, &scene);
        passed(Stage::Reply);
        let state = State { rest: rendered.rest.or(remembered.rest), ..remembered };
        let mut tags = outcome.tags;
        tags.extend(told.iter().flat_map(|told| told.effects.tags.iter().cloned()));
        Turn { evidence, decision, reply: rendered.reply, state, tags, told }
    }

    /// Entries and products for a message.
    fn search(
        &self,
        utterance: &Utterance,
        meaning: &Meaning,
        reader: Option<&Reader>,
        usable: &dyn Fn(usize) -> bool,
    ) -> Found {
        let near = reader.zip(meaning.intents.as_ref());
        let near =
            near.and_then(|(reader, intents)| Some(Near::new(reader.phrasings.as_ref()?, &intents.vector)));
        let query = Query { utterance, near: near.as_ref() };
        let mut entries = self.retriever.faq.search(query, usable, HITS_MAX);
        if let Some(intents) = &meaning.intents {
            weigh(&self.known, &mut entries, intents);
        }
        let spans: Vec<_> =
            meaning.slots.iter().filter(|slot| slot.name.describes_goods()).map(|slot| slot.span).collect();
        let wanted = wanted(&meaning.slots, utterance.as_str());
        let mut products = self.retriever.catalogue.search(utterance, &spans, &wanted, HITS_MAX);
        if let Some(intents) = &meaning.intents {
            weigh_goods(&mut products.hits, intents);
        }
        Found { entries, products }
    }

    /// The network that reads the messages, where there is one.
    #[must_use]
    pub fn model(&self) -> Option<Arc<LoadedModel>> {
        self.reader().map(|reader| Arc::clone(&reader.model))
    }

    /// A sentence vector of the bot's network as search compares it; `None` for a bot without vectors of its knowledge.
    #[must_use]
    pub fn centred(&self, vector: &[f32]) -> Option<Vec<f32>> {
        Some(self.reader()?.phrasings.as_ref()?.centred(vector))
    }

    /// Whether it has a network and searches by words all the same, until it gets the vectors of its knowledge.
    #[must_use]
    pub fn lacks_vectors(&self) -> bool {
        self.reader().is_some_and(|reader| reader.phrasings.is_none())
    }

    fn reader(&self) -> Option<Arc<Reader>> {
        self.reader.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Exchanges the network, and with it what it makes of the knowledge. Messages that are being answered finish with
    /// the one they began with.
    ///
    /// * `shelf`: of the model's encoder; with [`Vectors::All`] it then holds the vectors of all phrasings.
    ///
    /// # Errors
    /// The model tells other things apart than this bot, or cannot read its knowledge; the old one stays.
    pub fn exchange_model(
        &self,
        model: Option<Arc<LoadedModel>>,
        shelf: &mut Shelf,
        vectors: Vectors,
    ) -> Result<(), ModelError> {
        let reader = match model {
            Some(model) => {
                fits(&self.known, model.model.labels())?;
                let phrasings: Vec<Normalised> = faq::phrasings(&self.known.entries).map(normalise).collect();
                let phrasings: Vec<&str> = phrasings.iter().map(Normalised::as_str).collect();
                let phrasings = match vectors {
                    Vectors::Kept => shelf.kept(&phrasings),
                    Vectors::All => Some(shelf.vectors(&phrasings, |missing| model.model.vectors(missing))?),
                };
                Some(Arc::new(Reader { model, phrasings: phrasings.map(|vectors| Nearest::new(&vectors)) }))
            }
            None => None,
        };
        *self.reader.write().unwrap_or_else(PoisonError::into_inner) = reader;
        Ok(())
    }

    /// The knowledge it answers from.
    #[must_use]
    pub fn known(&self) -> &Knowledge {
        &self.known
    }

    /// The bot's hours and days off.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// What is kept of a text: sensitive words masked where they ask for it.
    #[must_use]
    pub fn kept(&self, text: &str) -> String {
        self.read(text).0.normalised.original().to_owned()
    }

    /// A standard sentence for somebody, outside of any decision: flood, failure, waiting.
    #[must_use]
    pub fn say(&self, sentence: Sentence, inbound: &Inbound, now: Timestamp) -> Reply {
        self.say_with(sentence, inbound, now, minijinja::context! {})
    }

    /// Like [`Self::say`], with what the sentence may use besides.
    #[must_use]
    pub fn say_with(
        &self,
        sentence: Sentence,
        inbound: &Inbound,
        now: Timestamp,
        extra: minijinja::Value,
    ) -> Reply {
        let (hours, opening) = (self.calendar.describe(), self.opening(now));
        let scene = self.scene(&inbound.customer, &hours, opening.as_deref());
        Reply::text(self.renderer.sentence(sentence, &scene, extra))
    }

    /// The greeting for somebody.
    #[must_use]
    pub fn greet(&self, inbound: &Inbound, now: Timestamp) -> Reply {
        let (hours, opening) = (self.calendar.describe(), self.opening(now));
        Reply::text(self.renderer.greeting(&self.scene(&inbound.customer, &hours, opening.as_deref())))
    }

    /// Words of a maintainer's for somebody, outside of any decision: a welcome.
    ///
    /// # Errors
    /// When the template is wrong, which [`load`] reports as a finding.
    pub fn fill(&self, template: &str, customer: &Customer, now: Timestamp) -> Result<String, TemplateError> {
        let (hours, opening) = (self.calendar.describe(), self.opening(now));
        let scene = self.scene(customer, &hours, opening.as_deref());
        template::fill(template, &scene, minijinja::context! {})
    }

    /// * `opening`: `None` while somebody is there.
    fn scene<'a>(&'a self, customer: &'a Customer, hours: &'a str, opening: Option<&'a str>) -> Scene<'a> {
        Scene { known: &self.known, customer, hours, open: opening.is_none(), next_opening: opening }
    }

    /// The message in the form that the stages read, with sensitive words masked where they ask for it.
    fn read(&self, text: &str) -> (Utterance, Vec<Alarm>) {
        let utterance = Utterance::read(text, &self.segmenter);
        let hits = self.sensitive.find(&utterance.normalised, Direction::In);
        if hits.is_empty() {
            return (utterance, Vec::new());
        }
        let alarms = hits.iter().map(alarm).collect();
        let masked: Vec<SensitiveHit> =
            hits.into_iter().filter(|hit| hit.action == SensitiveAction::Mask).collect();
        if masked.is_empty() {
            return (utterance, alarms);
        }
        let text = self.sensitive.mask(utterance.normalised.original(), &masked);
        (Utterance { cut: utterance.cut, ..Utterance::read(&text, &self.segmenter) }, alarms)
    }

    /// Looks at what we are about to say. A word to be masked is masked; one that blocks or calls a human
    /// keeps the answer back, and a human is asked.
    fn checked(
        &self,
        reply: Reply,
        decision: Decision,
        evidence: &Evidence,
        scene: &Scene<'_>,
        today: jiff::civil::Date,
    ) -> (Reply, Decision) {
        let found = |text: &str| self.sensitive.find(&normalise(text), Direction::Out);
        let hits: Vec<SensitiveHit> = reply.parts.iter().flat_map(Part::words).flat_map(&found).collect();
        if hits.is_empty() {
            return (reply, decision);
        }
        let Some(kept_back) = hits.iter().find(|hit| hit.action != SensitiveAction::Mask) else {
            let masked = |text: String| self.sensitive.mask(&text, &found(&text));
            let parts = reply.parts.into_iter().map(|part| part.with_words(&masked)).collect();
            return (Reply { parts }, decision);
        };
        let reason = Reason::Sensitive(kept_back.id.clone());
        let decision = match self.known.profile.handoff.default_group.clone() {
            Some(group) => Decision::Handoff { group, reason, said: Vec::new() },
            None => Decision::Decline(reason),
        };
        let words = self.renderer.sentence(Sentence::Withheld, scene, minijinja::context! {});
        let mut reply = self.renderer.render(&decision, evidence, (&State::default(), None), scene, today);
        reply.parts.insert(0, Part::Text(words));
        (reply, decision)
    }

    /// When somebody is there again, in words; `None` while somebody is there, empty when nobody knows.
    fn opening(&self, now: Timestamp) -> Option<String> {
        if self.calendar.is_open(now) {
            return None;
        }
        let Some(opening) = self.calendar.next_opening(now) else { return Some(String::new()) };
        let days = self.calendar.today(now).until(opening.date()).map_or(0, |span| span.get_days());
        let time = opening.strftime("%H:%M");
        Some(match days {
            0 => format!("今天{time}"),
            1 => format!("明天{time}"),
            _ => format!("{}{time}", opening.strftime("%-m月%-d日")),
        })
    }
}

fn alarm(hit: &SensitiveHit) -> Alarm {
    Alarm { spec: hit.spec, id: hit.id.clone(), action: hit.action }
}
