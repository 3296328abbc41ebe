//! What a customer asks of a product.

/// Attributes that a product must have, in the customer's words and in normal form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// One of these goods words must be the product's own: name, category or alias.
    pub items: Vec<String>,
    /// One of these colours, as said: `黑色`, `黑的`, `黑`.
    pub colours: Vec<String>,
    /// One of these sizes, as said: `m码`, `38`.
    pub sizes: Vec<String>,
    /// All of these materials, styles, series and article numbers.
    pub traits: Vec<String>,
    /// Words that are denied: `不要黑色`.
    pub denied: Vec<String>,
    /// At most this price, in fen.
    pub price_fen_max: Option<u32>,
    /// At least this price, in fen.
    pub price_fen_min: Option<u32>,
}
