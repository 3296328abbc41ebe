//! What the bot says: one or more parts, each of which a channel can show as one message.

/// An answer to one message. Never empty when it leaves the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The parts in the order in which the customer sees them.
    pub parts: Vec<Part>,
}

/// One thing to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Plain text, line breaks kept.
    Text(String),
    /// A question with numbered answers to pick from; the numbers start at 1.
    Choices {
        /// What is asked.
        prompt: String,
        /// The options, in the order of their numbers.
        options: Vec<String>,
    },
    /// A picture.
    Image(Asset),
    /// A card with title, words, picture and link.
    Card(Card),
    /// A file to download.
    File(Asset),
    /// A voice clip.
    Voice(Asset),
    /// A link with a title.
    Link {
        /// Words of the link.
        title: String,
        /// Absolute `https://` or `http://` address.
        url: String,
    },
}

/// A file of the bot's folder that a reply shows or offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Path below the bot's folder, with `/` between its parts, such as `attachments/size-chart.png`.
    pub path: String,
    /// What to call it in front of the customer.
    pub title: String,
    /// WeCom's media id, for a bot that keeps its material there.
    pub media_id: Option<String>,
}

/// A card: WeCom shows it as one news article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// First line.
    pub title: String,
    /// Words below the title.
    pub description: String,
    /// Where a tap leads; `None` for a card that only shows.
    pub url: Option<String>,
    /// Picture: a path below the bot's folder, or an absolute address.
    pub picture: Option<String>,
}

impl Reply {
    /// A reply of one text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![Part::Text(text.into())] }
    }
}

impl Part {
    /// The part with all words that the customer reads rewritten; addresses and paths stay.
    #[must_use]
    pub fn with_words(self, rewrite: &dyn Fn(String) -> String) -> Self {
        let asset = |asset: Asset| Asset { title: rewrite(asset.title), ..asset };
        match self {
            Self::Text(text) => Self::Text(rewrite(text)),
            Self::Choices { prompt, options } => {
                Self::Choices { prompt: rewrite(prompt), options: options.into_iter().map(rewrite).collect() }
            }
            Self::Image(image) => Self::Image(asset(image)),
            Self::File(file) => Self::File(asset(file)),
            Self::Voice(voice) => Self::Voice(asset(voice)),
            Self::Card(card) => Self::Card(Card {
                title: rewrite(card.title),
                description: rewrite(card.description),
                ..card
            }),
            Self::Link { title, url } => Self::Link { title: rewrite(title), url },
        }
    }

    /// All words that the customer reads, in order.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::Choices { prompt, options } => {
                std::iter::once(prompt).chain(options).map(String::as_str).collect()
            }
            Self::Image(asset) | Self::File(asset) | Self::Voice(asset) => vec![&asset.title],
            Self::Card(card) => vec![&card.title, &card.description],
            Self::Link { title, .. } => vec![title],
        }
    }
}
