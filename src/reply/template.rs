//! Words with variables: `{{ customer.name }}`, `{{ product.price }}`, `{{ hours }}`.
//!
//! A template cannot call, read or run anything but the values that are handed to it.

use minijinja::Environment;
use minijinja::UndefinedBehavior;
use minijinja::Value;
use minijinja::context;

use crate::knowledge::Knowledge;
use crate::knowledge::product::Product;
use crate::message::Customer;

/// What one template may cost: an instruction, or 64 bytes, are one each. Chosen by hand: the longest answer that
/// may be written (20,000 bytes) takes a few thousand, and an endless loop is over within milliseconds.
const FUEL: u64 = 50_000;

/// The template is wrong: syntax, or a variable that nobody sets.
#[derive(Debug, thiserror::Error)]
#[error("template cannot be rendered")]
pub struct TemplateError(#[from] minijinja::Error);

/// What the words may refer to, the same for every reply of one message.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// The bot that speaks.
    pub known: &'a Knowledge,
    /// Whom it speaks to.
    pub customer: &'a Customer,
    /// Business hours in words.
    pub hours: &'a str,
    /// Whether somebody is there now.
    pub open: bool,
    /// When somebody will be there, in words, where that is known.
    pub next_opening: Option<&'a str>,
}

/// Fills a template in.
///
/// * `extra`: further values of this one reply; they hide those of the scene.
///
/// # Errors
/// On bad syntax, on variables that neither the scene nor `extra` sets, and on loops and repetitions that cost
/// more than any honest answer.
pub fn fill(template: &str, scene: &Scene<'_>, extra: Value) -> Result<String, TemplateError> {
    render(template, || context! { ..extra, ..values(scene) })
}

/// Fills a template in with these values and no others.
pub(super) fn render(template: &str, values: impl FnOnce() -> Value) -> Result<String, TemplateError> {
    if !template.contains('{') {
        return Ok(template.to_owned());
    }
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    Ok(environment.render_str(template, values())?)
}

fn values(scene: &Scene<'_>) -> Value {
    let profile = &scene.known.profile;
    context! {
        customer => context! { name => scene.customer.name.as_deref().unwrap_or_default() },
        bot => context! { name => &profile.name, title => &profile.title },
        hours => scene.hours,
        open => scene.open,
        next_opening => scene.next_opening.unwrap_or_default(),
        phone => profile.phone.as_deref().unwrap_or_default(),
    }
}

/// `product.*` for a template.
#[must_use]
pub fn product_value(product: &Product) -> Value {
    let list = |words: &[String]| words.join("、");
    context! {
        product => context! {
            id => &product.id,
            name => &product.name,
            price => product.price_yuan(),
            colours => list(&product.colours),
            sizes => list(&product.sizes),
            materials => list(&product.materials),
            styles => list(&product.styles),
            series => &product.series,
            stock => product.stock,
            availability => availability(product),
            description => &product.description,
        }
    }
}

/// `有货`, `仅剩 3 件`, `暂时无货`, with the variants that are gone.
fn availability(product: &Product) -> String {
    let stock = match product.stock {
        0 => return "暂时无货".to_owned(),
        1..=5 => format!("仅剩{}件", product.stock),
        _ => "有货".to_owned(),
    };
    if product.sold_out.is_empty() {
        return stock;
    }
    let gone: Vec<String> =
        product.sold_out.iter().map(|variant| format!("{}{}", variant.colour, variant.size)).collect();
    format!("{stock}（{}暂缺）", gone.join("、"))
}

#[cfg(test)]
mod tests;
