//! Regular expressions of rules: their limits, and the literal text without which they cannot match.

use std::cmp::Reverse;

use regex::Regex;
use regex::RegexBuilder;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;
use regex_syntax::hir::literal::Extractor;

/// Most characters of one expression.
pub(super) const PATTERN_CHARS_MAX: usize = 1_000;

/// Most bytes that one compiled expression may take.
pub(super) const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Most literals of one expression; with more, the expression is simply always tried.
const LITERALS_MAX: usize = 256;

/// Most places inside one expression at which literals are looked for; bounds the work at load.
const PLACES_MAX: usize = 64;

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// Finds something anywhere in a text, upper or lower case.
    pub(super) regex: Regex,
    /// Texts, lower case in ASCII, of which one occurs in every text that the expression matches; `None`
    /// where no such list is known.
    pub(super) literals: Option<Vec<Vec<u8>>>,
}

/// Why an expression cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// Too long to be read by a person.
    #[error("it has {chars} characters, the limit is {limit}")]
    TooLong {
        /// Its length.
        chars: usize,
        /// Most characters.
        limit: usize,
    },
    /// Counted repetitions and classes take too much memory.
    #[error("compiled it takes more than the limit of {limit} bytes")]
    TooLarge {
        /// Most bytes.
        limit: usize,
    },
    /// Not a regular expression.
    #[error("it does not compile")]
    Syntax(#[source] regex::Error),
}

impl Pattern {
    /// Compiles an expression in the syntax of the crate `regex`; case plays no role.
    ///
    /// # Errors
    /// When it is longer than 1,000 characters, larger than 1 MiB, or malformed.
    pub(super) fn new(pattern: &str) -> Result<Self, PatternError> {
        let chars = pattern.chars().count();
        if chars > PATTERN_CHARS_MAX {
            return Err(PatternError::TooLong { chars, limit: PATTERN_CHARS_MAX });
        }
        let mut builder = RegexBuilder::new(pattern);
        let regex = builder.case_insensitive(true).size_limit(PATTERN_BYTES_MAX).build();
        let regex = regex.map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => PatternError::TooLarge { limit },
            other => PatternError::Syntax(other),
        })?;
        // The expression has just compiled. Should the two parsers ever disagree, it is always tried.
        let hir = ParserBuilder::new().case_insensitive(true).build().parse(pattern).ok();
        Ok(Self { regex, literals: hir.as_ref().and_then(required) })
    }

    /// Whether it finds something in nearly every message, however short.
    pub(super) fn matches_everything(&self) -> bool {
        ["好", "a", "7", "?"].iter().all(|probe| self.regex.is_match(probe))
    }
}

/// Literal characters of an expression, as they are written; those of classes are left out, and so are
/// single characters between `|`, which are a class as well.
pub(super) fn literal_text(pattern: &str) -> String {
    let mut text = String::new();
    // A malformed expression has no literals; `Pattern::new` says what is wrong with it.
    if let Ok(hir) = regex_syntax::parse(pattern) {
        collect_literals(&hir, &mut text);
    }
    text
}

fn collect_literals(hir: &Hir, text: &mut String) {
    match hir.kind() {
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Capture(capture) => collect_literals(&capture.sub, text),
        HirKind::Repetition(repetition) => collect_literals(&repetition.sub, text),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect_literals(part, text));
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

/// The best list of texts of which one occurs wherever `hir` matches.
///
/// The crate's extractor looks at the beginning of an expression only; here it is asked at every place of a
/// sequence, so that `(我想)?.*价格.*` gives `价格`.
fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Concat(parts) => (0..parts.len().min(PLACES_MAX))
            .flat_map(|from| {
                let rest = Hir::concat(parts[from..].to_vec());
                [beginnings(&rest), required(&parts[from])]
            })
            .flatten()
            .min_by_key(|literals| {
                let shortest = literals.iter().map(Vec::len).min().unwrap_or(0);
                // Two Chinese characters are selective enough; from there on, fewer literals are better.
                (Reverse(shortest.min(6)), literals.len())
            }),
        HirKind::Alternation(parts) => {
            let lists = parts.iter().map(required).collect::<Option<Vec<_>>>()?;
            kept(lists.concat())
        }
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Repetition(_) => None,
        HirKind::Literal(_) | HirKind::Class(_) | HirKind::Empty | HirKind::Look(_) => beginnings(hir),
    }
}

/// All texts with which a match of `hir` can begin.
fn beginnings(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let found = Extractor::new().extract(hir);
    kept(found.literals()?.iter().map(|literal| literal.as_bytes().to_vec()).collect())
}

/// `None` for a list that excludes nothing or is too long. Normalised text is lower case, so `A` can stand
/// for `a`: that halves the list at every letter.
fn kept(mut literals: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    literals.iter_mut().for_each(|literal| literal.make_ascii_lowercase());
    literals.sort_unstable();
    literals.dedup();
    let useful = literals.iter().all(|literal| !literal.is_empty());
    (useful && (1..=LITERALS_MAX).contains(&literals.len())).then_some(literals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_literals(pattern: &str, expected: &[&str]) {
        let literals = Pattern::new(pattern).unwrap().literals.unwrap_or_default();
        let literals: Vec<String> =
            literals.into_iter().map(|literal| String::from_utf8(literal).unwrap()).collect();
        assert_eq!(literals, expected, "{pattern}");
    }

    #[test]
    fn finds_the_text_that_an_expression_needs() {
        check_literals("价.*格", &["价"]);
        check_literals("价格", &["价格"]);
        check_literals(".*价格.*", &["价格"]);
        check_literals("(我想)?.{0,5}价格.*", &["价格"]);
        check_literals("怎么.*(退货|换货)", &["怎么"]);
        check_literals("怎.*(退货|换货)", &["换货", "退货"]);
        check_literals("(?:退|换)货", &["换货", "退货"]);
        check_literals("(退款)+", &["退款"]);
        check_literals("^你好$", &["你好"]);
        check_literals("VIP会员", &["vip会员"]);
        check_literals("(?:价格.*|.*多少钱)", &["价格", "多少钱"]);
    }

    #[test]
    fn knows_when_nothing_is_needed() {
        for pattern in [".*", "(退款)?", "[一-龥]+", r"\d{11}", "退款|.", "^$", "", r"\bx*\b"] {
            check_literals(pattern, &[]);
        }
    }

    #[test]
    fn limits_are_kept() {
        let at_limit = "退".repeat(PATTERN_CHARS_MAX);
        assert!(Pattern::new(&at_limit).is_ok());
        let error = Pattern::new(&format!("{at_limit}款")).unwrap_err();
        assert_eq!(error.to_string(), "it has 1001 characters, the limit is 1000");
        let error = Pattern::new(r"(\w{100}){100}").unwrap_err();
        assert_eq!(error.to_string(), "compiled it takes more than the limit of 1048576 bytes");
        assert!(matches!(Pattern::new("退(款"), Err(PatternError::Syntax(_))));
    }

    #[test]
    fn case_plays_no_role() {
        assert!(Pattern::new("VIP").unwrap().regex.is_match("我是vip"));
        assert!(Pattern::new(r"\D[A-F]").unwrap().regex.is_match("款a"), "classes keep their meaning");
    }

    #[test]
    fn knows_what_matches_everything() {
        for (pattern, everything) in [
            (".", true),
            (".*", true),
            ("", true),
            (r"\S+", true),
            (r"\w", false),
            ("^$", false),
            ("好?$", true),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().matches_everything(), everything, "{pattern}");
        }
    }

    #[test]
    fn literal_text_leaves_the_syntax_out() {
        assert_eq!(literal_text("退(貨|款式)+[，。].*Ａ"), "退貨款式Ａ");
        assert_eq!(literal_text("退(款"), "");
    }
}
