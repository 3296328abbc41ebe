//! Words for every decision.

use jiff::civil::Date;
use minijinja::Value;
use minijinja::context;

use crate::knowledge::Knowledge;
use crate::knowledge::product::Product;
use crate::knowledge::profile::Aspect;
use crate::knowledge::reply::AttachmentSpec;
use crate::knowledge::reply::ReplySpec;
use crate::knowledge::rule::ActionSpec;
use crate::message::Asset;
use crate::message::Card;
use crate::message::Channel;
use crate::message::MessageKind;
use crate::message::Part;
use crate::message::Rating;
use crate::message::Reply;
use crate::nlu::slot::SlotName;
use crate::policy::decision::About;
use crate::policy::decision::Basis;
use crate::policy::decision::Decision;
use crate::policy::decision::Reason;
use crate::policy::evidence::Evidence;
use crate::policy::state::Choice;
use crate::policy::state::State;
use crate::reply::fit::fit;
use crate::reply::standard::Sentence;
use crate::reply::standard::Sentences;
use crate::reply::template::Scene;
use crate::reply::template::fill;
use crate::reply::template::product_value;
use crate::retrieval::catalogue;
use crate::retrieval::catalogue::Asked;
use crate::task::Line;
use crate::task::Told;

/// Bytes kept free in a limited text for each attachment that is told as `title：link`. Chosen by hand: a
/// title of 40 characters and a signed link of 120.
const BYTES_PER_LINK: usize = 240;

/// Longest description of a card on a channel with limits, in bytes.
///
/// Source: WeCom developer centre, 被动回复消息 (path 90241).
const CARD_BYTES_MAX: usize = 512;

/// A reply and the text that did not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// What is said now; never empty.
    pub reply: Reply,
    /// What follows on `继续`.
    pub rest: Option<String>,
}

/// Renders decisions of one bot.
#[derive(Clone, Debug)]
pub struct Renderer {
    sentences: Sentences,
}

impl Renderer {
    /// Takes the bot's own standard sentences.
    #[must_use]
    pub fn new(known: &Knowledge) -> Self {
        Self { sentences: Sentences::new(&known.replies.standard) }
    }

    /// The words for a decision.
    ///
    /// * `before`: the state that the message met, which holds the rest of a long text; and what a task says.
    /// * `today`: in the bot's zone, for documents that run out.
    #[must_use]
    pub fn render(
        &self,
        decision: &Decision,
        evidence: &Evidence,
        (before, told): (&State, Option<&Told>),
        scene: &Scene<'_>,
        today: Date,
    ) -> Reply {
        let told = told.map(|told| self.told(told, scene, today)).unwrap_or_default();
        let parts = match decision {
            Decision::Task { .. } => told,
            // The question of a task that was interrupted comes again behind the answer.
            Decision::Answer(basis) => {
                let mut parts = self.answer(basis, evidence, before, scene, today);
                parts.extend(told);
                parts
            }
            Decision::Clarify { choices, about } => {
                let question = self.question(choices, *about, scene);
                let lacking = (*about == About::Products).then(|| self.lacking(evidence, scene)).flatten();
                lacking.into_iter().chain([question]).collect()
            }
            Decision::Handoff { group, reason, said } => {
                let unknown = (*reason == Reason::Unknown)
                    .then(|| self.sentence(Sentence::HandoffUnknown, scene, context! {}));
                // A word that calls for a human may call for words as well: first aid, a telephone number.
                let first = match reason {
                    Reason::Sensitive(id) => {
                        let spec = scene.known.sensitive.iter().find(|spec| spec.id == *id);
                        spec.and_then(|spec| spec.message.as_deref())
                    }
                    Reason::Rule(_)
                    | Reason::Intent(_)
                    | Reason::Task(_)
                    | Reason::Chosen
                    | Reason::Unknown => None,
                };
                let promise = unknown.into_iter().chain([self.promise(group, scene)]).collect::<String>();
                let mut parts = told;
                parts.extend(self.said(said, evidence, scene, today));
                parts.extend(first.map(|words| Part::Text(self.filled(words, scene, context! {}))));
                parts.push(Part::Text(promise));
                parts
            }
            Decision::Decline(_) => {
                let words = self.sentence(Sentence::Decline, scene, context! {});
                told.into_iter().chain([Part::Text(words)]).collect()
            }
            Decision::Block { spec } => {
                let own = scene.known.sensitive.get(*spec).and_then(|spec| spec.message.as_deref());
                let words = own.map_or_else(
                    || self.sentence(Sentence::Blocked, scene, context! {}),
                    |words| self.filled(words, scene, context! {}),
                );
                vec![Part::Text(words)]
            }
        };
        // A template whose conditions all fail leaves nothing to say.
        let blank = |part: &Part| matches!(part, Part::Text(text) if text.trim().is_empty());
        let parts: Vec<Part> = parts.into_iter().filter(|part| !blank(part)).collect();
        if parts.is_empty() { Reply::text(Sentence::NoWords.built_in()) } else { Reply { parts } }
    }

    /// Words of a standard sentence.
    #[must_use]
    pub fn sentence(&self, sentence: Sentence, scene: &Scene<'_>, extra: Value) -> String {
        self.filled(self.sentences.words(sentence), scene, extra)
    }

    /// The bot's first words.
    #[must_use]
    pub fn greeting(&self, scene: &Scene<'_>) -> String {
        self.filled(&scene.known.profile.greeting, scene, context! {})
    }

    /// Cuts a reply to what a channel takes in one message.
    #[must_use]
    pub fn fitted(&self, reply: Reply, channel: Channel, scene: &Scene<'_>) -> Rendered {
        let Some(bytes_max) = channel.text_bytes_max() else {
            return Rendered { reply, rest: None };
        };
        let parts = reply.parts.into_iter().map(|part| match part {
            // A card cannot go on; one that is too long is told in words, whose rest can follow.
            Part::Card(card) if card.description.len() > CARD_BYTES_MAX => {
                Part::Text(format!("{}\n{}", card.title, card.description))
            }
            other => other,
        });
        let (texts, others): (Vec<Part>, Vec<Part>) = parts.partition(|part| matches!(part, Part::Text(_)));
        let text: Vec<String> = texts
            .into_iter()
            .filter_map(|part| if let Part::Text(text) = part { Some(text) } else { None })
            .collect();
        let reserved: usize = others.iter().map(bytes_in_text).sum();
        let notice = self.sentence(Sentence::More, scene, context! {});
        let room = bytes_max.saturating_sub(reserved).max(bytes_max / 4);
        let fitted = fit(&text.join("\n\n"), room, &notice);
        let head = (!fitted.head.is_empty()).then_some(Part::Text(fitted.head));
        Rendered { reply: Reply { parts: head.into_iter().chain(others).collect() }, rest: fitted.rest }
    }

    fn answer(
        &self,
        basis: &Basis,
        evidence: &Evidence,
        before: &State,
        scene: &Scene<'_>,
        today: Date,
    ) -> Vec<Part> {
        let known = scene.known;
        match basis {
            Basis::Greeting => vec![Part::Text(self.greeting(scene))],
            Basis::Entry(at) => {
                let entry = &known.entries[*at];
                let words = Part::Text(self.filled(&entry.answer, scene, context! {}));
                let named = entry.reply.as_deref().map(|name| self.named(name, scene, today));
                std::iter::once(words).chain(named.into_iter().flatten()).collect()
            }
            Basis::Product(at) => {
                // A product picked from a list was seen with what it lacks.
                let found = evidence.products.hits.first().is_some_and(|hit| hit.product == *at);
                let product = &known.products[*at];
                let lacking = found.then(|| self.lacking(evidence, scene)).flatten();
                let variant = found.then(|| self.variant(product, evidence, scene)).flatten();
                // Who has the product in front of them hears what they asked, and not all of it again.
                let is_known =
                    before.focus.as_ref().and_then(|focus| focus.product.as_ref()) == Some(&product.id);
                let names_variant = evidence
                    .meaning
                    .slots
                    .iter()
                    .any(|slot| matches!(slot.name, SlotName::Color | SlotName::Size) && !slot.negated);
                let fact = (is_known && evidence.completed.is_some())
                    .then(|| match self.fact(product, evidence, scene) {
                        Some(fact) if !names_variant => Some(fact),
                        fact => variant.clone().or(fact),
                    })
                    .flatten();
                match fact {
                    Some(fact) => lacking.into_iter().chain([fact]).collect(),
                    None => lacking.into_iter().chain(variant).chain(self.product(product, scene)).collect(),
                }
            }
            Basis::Rules(places) => self.said(places, evidence, scene, today),
            Basis::Intent(id) => {
                let reply = known.profile.intents.get(id).and_then(|spec| spec.reply.as_deref());
                reply.map(|name| self.named(name, scene, today)).unwrap_or_default()
            }
            Basis::Rest => before.rest.iter().cloned().map(Part::Text).collect(),
            Basis::Dropped => vec![Part::Text(self.sentence(Sentence::Dropped, scene, context! {}))],
            Basis::Rated(Rating::Good | Rating::Fair) => {
                vec![Part::Text(self.sentence(Sentence::Rated, scene, context! {}))]
            }
            Basis::Rated(Rating::Poor) => {
                vec![Part::Text(self.sentence(Sentence::RatedPoor, scene, context! {}))]
            }
            Basis::NothingLeft => vec![Part::Text(self.sentence(Sentence::NothingLeft, scene, context! {}))],
            Basis::NoWords => vec![Part::Text(self.sentence(Sentence::NoWords, scene, context! {}))],
            Basis::Media => {
                let kind = kind_in_words(evidence.kind);
                vec![Part::Text(self.sentence(Sentence::Media, scene, context! { kind }))]
            }
        }
    }

    /// What a task says.
    fn told(&self, told: &Told, scene: &Scene<'_>, today: Date) -> Vec<Part> {
        let part = |line: &Line| match line {
            Line::Words(words) => vec![Part::Text(words.clone())],
            Line::Named(name) => self.named(name, scene, today),
            Line::Choices { prompt, options } => {
                vec![Part::Choices { prompt: prompt.clone(), options: options.clone() }]
            }
            Line::CallFailed => vec![Part::Text(self.sentence(Sentence::CallFailed, scene, context! {}))],
            Line::Resumed(title) => {
                vec![Part::Text(self.sentence(Sentence::TaskResumed, scene, context! { title }))]
            }
        };
        told.lines.iter().flat_map(part).collect()
    }

    /// What rules say.
    fn said(&self, places: &[usize], evidence: &Evidence, scene: &Scene<'_>, today: Date) -> Vec<Part> {
        places
            .iter()
            .filter_map(|at| evidence.rules.get(*at))
            .flat_map(|hit| &hit.actions)
            .flat_map(|action| match action {
                ActionSpec::Reply(name) => self.named(name, scene, today),
                ActionSpec::Text(words) => vec![Part::Text(self.filled(words, scene, context! {}))],
                ActionSpec::Tag(_) | ActionSpec::Handoff(_) | ActionSpec::Task(_) | ActionSpec::Call(_) => {
                    Vec::new()
                }
            })
            .collect()
    }

    fn lacking(&self, evidence: &Evidence, scene: &Scene<'_>) -> Option<Part> {
        let missing = &evidence.products.missing;
        (!missing.is_empty()).then(|| {
            Part::Text(self.sentence(Sentence::Nearest, scene, context! { missing => missing.join("、") }))
        })
    }

    /// What was asked about a product; `None` where that is nothing in particular.
    fn fact(&self, product: &Product, evidence: &Evidence, scene: &Scene<'_>) -> Option<Part> {
        let asks = |aspect: Aspect| evidence.products.aspects.contains(&aspect);
        // 有 in 有L码吗 asks after the stock; it is told where nothing else is asked.
        let [price, colour, size, material] =
            [Aspect::Price, Aspect::Colour, Aspect::Size, Aspect::Material].map(asks);
        let stock = asks(Aspect::Stock) && !(price || colour || size || material);
        if !(price || colour || size || material || stock) {
            return None;
        }
        let extra = context! { price, colour, size, material, stock, ..product_value(product) };
        Some(Part::Text(self.sentence(Sentence::Fact, scene, extra)))
    }

    /// Whether the colour and size that were asked for are there, where the product comes in them.
    fn variant(&self, product: &Product, evidence: &Evidence, scene: &Scene<'_>) -> Option<Part> {
        let Asked { colour, size, is_there } = catalogue::asked(product, &evidence.products.wanted)?;
        let size = size.map(|size| {
            let is_label = size.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if is_label { format!("{size}码") } else { size.to_owned() }
        });
        let words: Vec<&str> = colour.into_iter().chain(size.as_deref()).collect();
        let extra = context! { variant => words.join(" "), available => is_there, ..product_value(product) };
        Some(Part::Text(self.sentence(Sentence::Variant, scene, extra)))
    }

    fn question(&self, choices: &[Choice], about: About, scene: &Scene<'_>) -> Part {
        let sentence = match about {
            About::Topics => Sentence::ClarifyTopics,
            About::Products => Sentence::ClarifyProducts,
        };
        Part::Choices {
            prompt: self.sentence(sentence, scene, context! {}),
            options: choices.iter().map(|choice| choice.title.clone()).collect(),
        }
    }

    fn promise(&self, group: &str, scene: &Scene<'_>) -> String {
        let title = scene.known.profile.handoff.groups.get(group).map_or(group, String::as_str);
        let sentence = if scene.open { Sentence::HandoffOpen } else { Sentence::HandoffClosed };
        self.sentence(sentence, scene, context! { group => title })
    }

    fn product(&self, product: &Product, scene: &Scene<'_>) -> Vec<Part> {
        let words = self.sentence(Sentence::Product, scene, product_value(product));
        let Some(picture) = &product.picture else { return vec![Part::Text(words)] };
        let (title, description) = words.split_once('\n').unwrap_or((words.as_str(), ""));
        vec![Part::Card(Card {
            title: title.to_owned(),
            description: description.to_owned(),
            url: None,
            picture: Some(picture.clone()),
        })]
    }

    /// A reply of `replies.toml`; `check` has made sure that the name exists.
    fn named(&self, name: &str, scene: &Scene<'_>, today: Date) -> Vec<Part> {
        let Some(spec) = scene.known.replies.reply.get(name) else { return Vec::new() };
        self.spoken(spec, scene, today, true)
    }

    fn spoken(&self, spec: &ReplySpec, scene: &Scene<'_>, today: Date, follow: bool) -> Vec<Part> {
        let words = (!spec.text.is_empty()).then(|| Part::Text(self.filled(&spec.text, scene, context! {})));
        let attached =
            spec.attachments.iter().flat_map(|attachment| self.attached(attachment, scene, today, follow));
        words.into_iter().chain(attached).collect()
    }

    /// * `follow`: whether an expired document may offer its successor; a successor's own does not, so
    ///   that two documents naming each other cannot run in a circle.
    fn attached(&self, spec: &AttachmentSpec, scene: &Scene<'_>, today: Date, follow: bool) -> Vec<Part> {
        let asset = |file: &str, title: Option<&str>, media_id: &Option<String>| Asset {
            path: file.to_owned(),
            title: title.unwrap_or_else(|| file.rsplit('/').next().unwrap_or(file)).to_owned(),
            media_id: media_id.clone(),
        };
        match spec {
            AttachmentSpec::Image { file, title, media_id } => {
                vec![Part::Image(asset(file, title.as_deref(), media_id))]
            }
            AttachmentSpec::Voice { file, title, media_id } => {
                vec![Part::Voice(asset(file, title.as_deref(), media_id))]
            }
            AttachmentSpec::Card { title, description, url, picture } => vec![Part::Card(Card {
                title: self.filled(title, scene, context! {}),
                description: self.filled(description, scene, context! {}),
                url: url.clone(),
                picture: picture.clone(),
            })],
            AttachmentSpec::Link { title, url } => {
                vec![Part::Link { title: title.clone(), url: url.clone() }]
            }
            AttachmentSpec::File { file, title, valid_until, current, media_id } => {
                let Some(until) = valid_until.filter(|until| *until < today) else {
                    return vec![Part::File(asset(file, Some(title), media_id))];
                };
                let successor = current.as_ref().filter(|_| follow);
                let successor = successor.and_then(|name| scene.known.replies.reply.get(name));
                let until = until.strftime("%Y年%-m月%-d日").to_string();
                let extra = context! { title, until, current => successor.is_some() };
                let notice = Part::Text(self.sentence(Sentence::Expired, scene, extra));
                let next = successor.map(|spec| self.spoken(spec, scene, today, false));
                std::iter::once(notice).chain(next.into_iter().flatten()).collect()
            }
        }
    }

    /// `check` renders every template once; should one fail all the same, its plain words are better than
    /// silence.
    fn filled(&self, template: &str, scene: &Scene<'_>, extra: Value) -> String {
        fill(template, scene, extra).unwrap_or_else(|error| {
            tracing::error!(error = %error, bot = %scene.known.bot, "a template could not be filled in");
            without_variables(template)
        })
    }
}

fn without_variables(template: &str) -> String {
    let mut words = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        words.push_str(before);
        rest = after.split_once('}').map_or("", |(_, behind)| behind.trim_start_matches('}'));
    }
    words + rest
}

fn kind_in_words(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Image => "图片",
        MessageKind::Voice => "语音",
        MessageKind::Video => "视频",
        MessageKind::File => "文件",
        MessageKind::Text | MessageKind::Location | MessageKind::Link | MessageKind::Entered => "消息",
    }
}

/// Bytes that a part takes where everything becomes one text.
fn bytes_in_text(part: &Part) -> usize {
    match part {
        Part::Text(text) => text.len(),
        Part::Choices { prompt, options } => {
            prompt.len() + options.iter().map(|option| option.len() + 8).sum::<usize>()
        }
        Part::Card(card) => card.title.len() + card.description.len() + BYTES_PER_LINK,
        Part::Image(_) | Part::File(_) | Part::Voice(_) => BYTES_PER_LINK,
        Part::Link { title, url } => title.len() + url.len() + 8,
    }
}

#[cfg(test)]
mod tests;
