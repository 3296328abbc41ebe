//! Long texts on channels that cut them: end on a sentence, keep the rest for later.

use unicode_segmentation::UnicodeSegmentation;

/// The part of a text that fits, and what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// What is said now, with the notice below it when something is left.
    pub head: String,
    /// What is said next; never blank.
    pub rest: Option<String>,
}

/// Cuts a text so that it fits with the notice that it goes on.
///
/// The cut falls behind the last paragraph, else sentence, else mark, else grapheme that fits, but keeps at
/// least half of the room used.
///
/// * `bytes_max`: UTF-8 bytes of the head, notice included; at least the notice and 64 bytes more, else
///   the text is cut without a notice.
/// * `notice`: words that say how to get the rest.
#[must_use]
pub fn fit(text: &str, bytes_max: usize, notice: &str) -> Fitted {
    if text.len() <= bytes_max {
        return Fitted { head: text.to_owned(), rest: None };
    }
    let tail = format!("\n{notice}");
    let (room, tail) =
        if bytes_max >= tail.len() + 64 { (bytes_max - tail.len(), tail.as_str()) } else { (bytes_max, "") };
    let cut = border(text, room);
    let rest = text[cut..].trim_start();
    if rest.is_empty() {
        return Fitted { head: text[..cut].trim_end().to_owned(), rest: None };
    }
    Fitted { head: format!("{}{tail}", text[..cut].trim_end()), rest: Some(rest.to_owned()) }
}

/// The best place to cut at or before `room` bytes; above 0 for a text that is not empty, so that every
/// round makes progress even where a single grapheme is larger than the room.
fn border(text: &str, room: usize) -> usize {
    let mut hard = 0;
    let mut soft = [0; 3];
    for (start, grapheme) in text.grapheme_indices(true) {
        let end = start + grapheme.len();
        if end > room {
            break;
        }
        hard = end;
        match grapheme {
            "\n" | "\r\n" => soft[0] = end,
            "。" | "！" | "？" | "!" | "?" | "；" | ";" | "…" => soft[1] = end,
            "，" | "," | "、" | " " | "：" => soft[2] = end,
            _ => {}
        }
    }
    if hard == 0 {
        return text.graphemes(true).next().map_or(0, str::len);
    }
    soft.into_iter().find(|end| *end >= room / 2).unwrap_or(hard)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOTICE: &str = "（回复“继续”看下文）";

    #[test]
    fn a_text_that_fits_stays_whole() {
        assert_eq!(fit("好的。", 9, NOTICE), Fitted { head: "好的。".into(), rest: None });
    }

    #[test]
    fn the_cut_falls_behind_a_sentence() {
        let text = format!("{}。{}。", "退".repeat(50), "换".repeat(50));
        let fitted = fit(&text, 220, NOTICE);
        assert_eq!(fitted.head, format!("{}。\n{NOTICE}", "退".repeat(50)));
        assert_eq!(fitted.rest.as_deref(), Some(format!("{}。", "换".repeat(50)).as_str()));
    }

    #[test]
    fn an_emoji_is_not_split() {
        let family = "👨‍👩‍👧‍👦";
        let fitted = fit(&family.repeat(10), family.len() * 3 + 5, "");
        assert_eq!(fitted.head.trim_end(), family.repeat(3));
    }

    proptest! {
        #[test]
        fn pieces_fit_and_nothing_is_lost(text in "[退货。，a \n😀]{0,300}", bytes_max in 100usize..300) {
            let mut said = String::new();
            let mut left = Some(text.clone());
            while let Some(part) = left {
                let fitted = fit(&part, bytes_max, NOTICE);
                prop_assert!(fitted.head.len() <= bytes_max);
                said.push_str(fitted.head.strip_suffix(&format!("\n{NOTICE}")).unwrap_or(&fitted.head));
                left = fitted.rest;
            }
            let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(bare(&said), bare(&text));
        }
    }
}
