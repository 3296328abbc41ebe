//! Conditions and words with variables, as tasks write them: `order.state == 'signed' and days_since(order.signed_at) <= 7`.
//!
//! Like every template these read, run and call nothing but what is handed to them.

use jiff::Timestamp;
use jiff::Zoned;
use jiff::tz::TimeZone;
use minijinja::Environment;
use minijinja::ErrorKind;
use minijinja::UndefinedBehavior;
use minijinja::Value;
use minijinja::value::Serde;
use serde_json::Value as Json;

/// What one expression or template may cost. Chosen by hand, as in `reply::template`.
const FUEL: u64 = 50_000;

/// The template or expression is wrong.
#[derive(Debug, thiserror::Error)]
#[error("expression cannot be evaluated")]
pub struct ExpressionError(#[from] minijinja::Error);

/// Whether a condition holds; what nobody has set does not.
///
/// # Errors
/// On bad syntax and on operations that make no sense.
pub fn holds(condition: &str, variables: &Json, now: &Zoned) -> Result<bool, ExpressionError> {
    let environment = environment(now);
    Ok(environment.compile_expression(condition)?.eval(Value::from(Serde(variables)))?.is_true())
}

/// Fills a template in; what nobody has set is empty.
///
/// # Errors
/// As for [`holds`].
pub fn fill(template: &str, variables: &Json, now: &Zoned) -> Result<String, ExpressionError> {
    if !template.contains('{') {
        return Ok(template.to_owned());
    }
    Ok(environment(now).render_str(template, Value::from(Serde(variables)))?)
}

/// Names of variables that an expression reads; `None` where it cannot be compiled.
#[must_use]
pub fn reads_of_expression(expression: &str) -> Option<Vec<String>> {
    let environment = environment(&midnight());
    let compiled = environment.compile_expression(expression).ok()?;
    Some(in_order(compiled.undeclared_variables(false)))
}

/// Names of variables that a template reads; `None` where it cannot be compiled.
#[must_use]
pub fn reads_of_template(template: &str) -> Option<Vec<String>> {
    let environment = environment(&midnight());
    let compiled = environment.template_from_str(template).ok()?;
    Some(in_order(compiled.undeclared_variables(false)))
}

fn in_order(names: std::collections::HashSet<String>) -> Vec<String> {
    let mut names: Vec<String> =
        names.into_iter().filter(|name| !FUNCTIONS.contains(&name.as_str())).collect();
    names.sort();
    names
}

const FUNCTIONS: [&str; 1] = ["days_since"];

fn midnight() -> Zoned {
    Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)
}

fn environment(now: &Zoned) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("length", minijinja::filters::length);
    environment.add_filter("join", minijinja::filters::join);
    environment.add_filter("default", minijinja::filters::default);
    environment.add_filter("yuan", yuan);
    environment.add_filter("mask", mask);
    let zone = now.time_zone().clone();
    environment.add_filter("day", move |at: Value| said(&at, &zone, "%-m月%-d日"));
    let zone = now.time_zone().clone();
    environment.add_filter("time", move |at: Value| said(&at, &zone, "%-m月%-d日 %H:%M"));
    let now = now.clone();
    environment.add_function("days_since", move |at: Value| days_since(&at, &now));
    environment
}

fn instant(at: &Value) -> Option<Timestamp> {
    at.as_str()?.parse().ok()
}

/// An instant in words, in the bot's zone; empty for what is none.
fn said(at: &Value, zone: &TimeZone, format: &str) -> String {
    instant(at).map(|at| at.to_zoned(zone.clone()).strftime(format).to_string()).unwrap_or_default()
}

/// Days of the calendar from an instant until today. What is no instant is an error and no number: either side of a
/// comparison would be the wrong one. Ask for it first: `order.signed_at and days_since(order.signed_at) > 7`.
fn days_since(at: &Value, now: &Zoned) -> Result<i32, minijinja::Error> {
    let wrong = || minijinja::Error::new(ErrorKind::InvalidOperation, "days_since needs a time");
    let then = instant(at).ok_or_else(wrong)?.to_zoned(now.time_zone().clone()).date();
    // Dates of two instants lie within what a span of days can hold.
    then.until(now.date()).map(|span| span.get_days()).map_err(|_| wrong())
}

/// Hundredths of a yuan as yuan: `19900` is `199`, `19950` is `199.50`.
fn yuan(fen: Value) -> String {
    match i64::try_from(fen) {
        Ok(fen) if fen % 100 == 0 => (fen / 100).to_string(),
        Ok(fen) => format!("{}.{:02}", fen / 100, fen % 100),
        Err(_not_a_number) => String::new(),
    }
}

/// The middle of a number, hidden: `138****5678`.
fn mask(number: Value) -> String {
    let number = number.as_str().unwrap_or_default().to_owned();
    let digits: Vec<char> = number.chars().collect();
    if digits.len() < 7 {
        return "*".repeat(digits.len());
    }
    let (head, tail) = (&digits[..3], &digits[digits.len() - 4..]);
    format!(
        "{}{}{}",
        head.iter().collect::<String>(),
        "*".repeat(digits.len() - 7),
        tail.iter().collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Zoned {
        "2026-11-23T10:00:00+08:00[Asia/Shanghai]".parse().unwrap()
    }

    #[track_caller]
    fn check(condition: &str, expected: bool) {
        let order = json!({ "state": "signed", "signed_at": "2026-11-16T23:59:00+08:00", "lines": [1, 2] });
        assert_eq!(holds(condition, &json!({ "order": order }), &now()).unwrap(), expected, "{condition}");
    }

    #[test]
    fn conditions_count_days_of_the_calendar_and_what_is_not_set_does_not_hold() {
        check("order.state == 'signed' and days_since(order.signed_at) <= 7", true);
        check("days_since(order.signed_at) <= 6", false);
        check("order.shipped_at and days_since(order.shipped_at) <= 7", false);
        assert!(holds("days_since(order.shipped_at) <= 7", &json!({ "order": {} }), &now()).is_err());
        check("order.parcel.carrier == '顺丰'", false);
        check("not order.parcel", true);
        check("order.lines | length == 2", true);
    }

    #[test]
    fn words_are_filled_in() {
        let order = json!({ "at": "2026-10-18T12:41:00Z", "fen": 19950, "phone": "13800005678" });
        let words = fill(
            "{{ o.at|day }} {{ o.at|time }} {{ o.fen|yuan }} {{ o.phone|mask }} [{{ o.x|day }}]",
            &json!({ "o": order }),
            &now(),
        );
        assert_eq!(words.unwrap(), "10月18日 10月18日 20:41 199.50 138****5678 []");
    }

    #[test]
    fn an_endless_template_ends() {
        assert!(
            fill(
                "{% for a in l %}{% for b in l %}{% for c in l %}x{% endfor %}{% endfor %}{% endfor %}",
                &json!({ "l": vec![0; 200] }),
                &now()
            )
            .is_err()
        );
    }

    #[test]
    fn what_is_read_is_known_before_it_runs() {
        assert_eq!(reads_of_expression("a.b == c and days_since(d) > 1").unwrap(), ["a", "c", "d"]);
        assert_eq!(
            reads_of_template("{{ a }}{% if b %}{% for x in c %}{{ x }}{% endfor %}{% endif %}").unwrap(),
            ["a", "b", "c"]
        );
        assert_eq!((reads_of_expression("a =="), reads_of_template("{{ a")), (None, None));
    }
}
