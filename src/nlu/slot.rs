//! One entity of a message. The names are those of the taxonomy and fixed.

use crate::nlu::value::Value;
use crate::probability::Probability;
use crate::text::span::ByteSpan;

/// A piece of a message with a meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// What it is.
    pub name: SlotName,
    /// Where it stands in the normal form of the message.
    pub span: ByteSpan,
    /// Who found it, for the explanation.
    pub origin: Origin,
    /// Who else found the same at the same place.
    pub seconded: Vec<Origin>,
    /// Whether the mention is denied: the first of `不是要退 是要换`.
    pub negated: bool,
    /// What a machine makes of it; `None` where nothing more can be said than the words.
    pub value: Option<Value>,
}

/// Who found an entity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin {
    /// A regular expression.
    Pattern,
    /// The bot's catalogue or the words that every shop shares.
    Lexicon,
    /// A word of the lexicon, by its sound or with a slip.
    Sound,
    /// The network, and how sure it is.
    Network(Probability),
}

impl Origin {
    /// Stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pattern => "pattern",
            Self::Lexicon => "lexicon",
            Self::Sound => "sound",
            Self::Network(_) => "network",
        }
    }
}

impl Slot {
    /// An entity as it is found, before anything is made of it.
    #[must_use]
    pub fn found(name: SlotName, span: ByteSpan, origin: Origin) -> Self {
        Self { name, span, origin, seconded: Vec::new(), negated: false, value: None }
    }
}

macro_rules! slot_names {
    ($($variant:ident $id:literal $doc:literal),+ $(,)?) => {
        /// The entities of the retail taxonomy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum SlotName {
            $(#[doc = $doc] $variant),+
        }

        impl SlotName {
            /// The taxonomy's id.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $id),+
                }
            }

            /// The entity with the taxonomy's id.
            #[must_use]
            pub fn named(id: &str) -> Option<Self> {
                match id {
                    $($id => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

slot_names! {
    Item "item" "Goods, category or product name.",
    Color "color" "Colour.",
    Size "size" "Size, as said.",
    Material "material" "Material.",
    Style "style" "Cut, pattern, season, occasion, gender.",
    Brand "brand" "Brand or series.",
    Spec "spec" "Model number, capacity, other measure.",
    Body "body" "The buyer's own measures.",
    Quantity "quantity" "Count with its measure word.",
    Price "price" "Money.",
    Date "date" "Date, time or period.",
    OrderId "order_id" "Order number.",
    TrackingNo "tracking_no" "Parcel number.",
    Phone "phone" "Telephone number.",
    Person "person" "A person's name.",
    Place "place" "Region or address.",
    Courier "courier" "Carrier.",
    Action "action" "The kind of after-sale action.",
}

impl SlotName {
    /// Whether it says what goods are like, or how many; the others say what happened to them, where and when.
    #[must_use]
    pub fn describes_goods(self) -> bool {
        match self {
            Self::Item
            | Self::Color
            | Self::Size
            | Self::Material
            | Self::Style
            | Self::Brand
            | Self::Spec
            | Self::Body
            | Self::Quantity
            | Self::Price => true,
            Self::Date
            | Self::OrderId
            | Self::TrackingNo
            | Self::Phone
            | Self::Person
            | Self::Place
            | Self::Courier
            | Self::Action => false,
        }
    }
}
