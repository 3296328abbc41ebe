//! Which known name was probably meant by one that is not known.

/// The known name closest to `written`, where it is close enough to be a slip.
///
/// Closeness is the number of characters to insert, drop, replace or swap with their neighbour; at most
/// one for up to five characters, and one more for every further four.
///
/// Source: Damerau, "A technique for computer detection and correction of spelling errors", CACM 1964.
pub(super) fn near<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let written: Vec<char> = written.to_lowercase().chars().take(LENGTH_MAX + 1).collect();
    if written.len() > LENGTH_MAX {
        return None;
    }
    let slips_max = 1 + written.len().saturating_sub(2) / 4;
    known
        .into_iter()
        .map(|name| (slips(&written, &name.to_lowercase().chars().collect::<Vec<_>>()), name))
        .filter(|(slips, name)| *slips <= slips_max && *slips < name.chars().count())
        .min_by_key(|(slips, _name)| *slips)
        .map(|(_slips, name)| name)
}

/// The remedy for an unknown name: the one that was probably meant, else all that would do.
#[must_use]
pub fn suggestion(written: &str, known: &[&str]) -> String {
    match near(written, known.iter().copied()) {
        Some(name) => format!("您是不是想写“{name}”？"),
        None if known.is_empty() => "这里还没有可用的名字：先定义它，或者删掉它。".to_owned(),
        None => {
            let listed = &known[..known.len().min(LISTED_MAX)];
            let rest = if known.len() > LISTED_MAX { "等" } else { "" };
            format!("可以用的有：{}{rest}。", listed.join("、"))
        }
    }
}

/// Longer names are not compared; no key or id of ours comes near it.
const LENGTH_MAX: usize = 64;
/// Names listed where none is close.
const LISTED_MAX: usize = 20;

fn slips(written: &[char], known: &[char]) -> usize {
    let width = known.len() + 1;
    let mut before = vec![0; width];
    let mut previous: Vec<usize> = (0..width).collect();
    for (row, letter) in written.iter().enumerate() {
        let mut current = vec![row + 1; width];
        for (column, other) in known.iter().enumerate() {
            let replaced = previous[column] + usize::from(letter != other);
            let mut best = replaced.min(previous[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && written[row - 1] == *other && known[column - 1] == *letter {
                best = best.min(before[column - 1] + 1);
            }
            current[column + 1] = best;
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[known.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expected: Option<&str>) {
        assert_eq!(near(written, ["title", "greeting", "timezone", "问法", "编号"]), expected, "{written}");
    }

    #[test]
    fn slips_of_every_kind_are_seen() {
        check("titl", Some("title"));
        check("tilte", Some("title"));
        check("greating", Some("greeting"));
        check("time_zone", Some("timezone"));
        check("Title", Some("title"));
        check("问发", Some("问法"));
    }

    #[test]
    fn strangers_are_not_guessed() {
        check("x", None);
        check("webhook", None);
        check("注意", None);
        check(&"字".repeat(5_000), None);
    }
}
