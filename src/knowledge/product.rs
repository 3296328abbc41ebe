//! One article of the catalogue.

use crate::knowledge::Source;

/// An article for sale, one row of `products.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Article number, unique within the bot.
    pub id: String,
    /// Full name, such as `云柔纯棉长袖衬衫`.
    pub name: String,
    /// The kind of goods, in one word that customers use, such as `衬衫`.
    pub category: String,
    /// Other names customers use for it.
    pub aliases: Vec<String>,
    /// Brand or series; may be empty.
    pub series: String,
    /// Colours it comes in; may be empty for goods without choice.
    pub colours: Vec<String>,
    /// Sizes it comes in, as written on the label: `M`, `38`, `500ml`.
    pub sizes: Vec<String>,
    /// Materials.
    pub materials: Vec<String>,
    /// Cut, season, occasion, gender.
    pub styles: Vec<String>,
    /// Price in fen (1/100 yuan).
    pub price_fen: u32,
    /// Pieces in stock over all variants.
    pub stock: u32,
    /// Variants that are sold out though others are in stock.
    pub sold_out: Vec<Variant>,
    /// Picture: a path below the bot's folder.
    pub picture: Option<String>,
    /// Words for the customer: fit, care, what is special.
    pub description: String,
    /// Where it was written.
    pub source: Source,
}

/// One colour in one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// A colour of the product; empty for every colour.
    pub colour: String,
    /// A size of the product; empty for every size.
    pub size: String,
}

impl Product {
    /// Price in yuan for people: `199`, or `19.9`.
    #[must_use]
    pub fn price_yuan(&self) -> String {
        let (yuan, fen) = (self.price_fen / 100, self.price_fen % 100);
        match fen {
            0 => yuan.to_string(),
            _ if fen % 10 == 0 => format!("{yuan}.{}", fen / 10),
            _ => format!("{yuan}.{fen:02}"),
        }
    }
}
