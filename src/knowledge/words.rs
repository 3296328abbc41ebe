//! `synonyms.txt` and `terms.txt`: plain lines of words, `#` for remarks.

use crate::knowledge::Source;
use crate::knowledge::finding::Finding;
use crate::knowledge::limits::GROUP_WORDS_MAX;
use crate::knowledge::limits::WORD_CHARS_MAX;
use crate::knowledge::limits::WORD_LINES_MAX;
use crate::knowledge::shown;

/// Reads groups of synonyms, `衬衫 = 衬衣, 寸衫`: the canonical word first, with the line of each group.
pub(super) fn synonyms(file: &str, text: &str, findings: &mut Vec<Finding>) -> Vec<(usize, Vec<String>)> {
    let mut groups = Vec::new();
    for (line, content) in lines(file, text, findings) {
        let complain = |message: String, remedy: &str| {
            Finding::error("bad-synonyms", Source { file: file.to_owned(), line }, message, remedy)
        };
        let Some((canonical, others)) = content.split_once(['=', '＝']) else {
            findings.push(complain(format!("“{}”里没有等号。", shown(content)), "写成：衬衫 = 衬衣, 寸衫。"));
            continue;
        };
        let others = others.split([',', '，', '、']).map(str::trim).filter(|word| !word.is_empty());
        let group: Vec<String> = std::iter::once(canonical.trim()).chain(others).map(str::to_owned).collect();
        if group.len() < 2 || group[0].is_empty() {
            findings.push(complain("等号两边都要有词。".to_owned(), "写成：衬衫 = 衬衣, 寸衫。"));
        } else if group.len() > GROUP_WORDS_MAX {
            let message = format!("一组有 {} 个词，超过上限 {GROUP_WORDS_MAX} 个。", group.len());
            findings.push(complain(message, "拆成几组意思更近的词。"));
        } else if let Some(word) = group.iter().find(|word| is_too_long(word)) {
            findings.push(too_long(file, line, word));
        } else {
            groups.push((line, group));
        }
    }
    groups
}

/// Reads words that segmentation must not cut, one a line.
pub(super) fn terms(file: &str, text: &str, findings: &mut Vec<Finding>) -> Vec<String> {
    let mut terms = Vec::new();
    for (line, word) in lines(file, text, findings) {
        if is_too_long(word) {
            findings.push(too_long(file, line, word));
        } else {
            terms.push(word.to_owned());
        }
    }
    terms
}

fn lines<'t>(file: &str, text: &'t str, findings: &mut Vec<Finding>) -> Vec<(usize, &'t str)> {
    let trimmed = (1..).zip(text.lines().map(str::trim));
    let mut lines: Vec<_> =
        trimmed.filter(|(_line, text)| !text.is_empty() && !text.starts_with('#')).collect();
    if lines.len() > WORD_LINES_MAX {
        let message = format!("有 {} 行，超过上限 {WORD_LINES_MAX} 行，多出的没有读。", lines.len());
        let source = Source { file: file.to_owned(), line: lines[WORD_LINES_MAX].0 };
        findings.push(Finding::error("too-many", source, message, "删掉用不到的词。"));
        lines.truncate(WORD_LINES_MAX);
    }
    lines
}

fn is_too_long(word: &str) -> bool {
    word.chars().count() > WORD_CHARS_MAX
}

fn too_long(file: &str, line: usize, word: &str) -> Finding {
    let source = Source { file: file.to_owned(), line };
    let chars = word.chars().count();
    let message = format!("“{}”有 {chars} 个字，超过上限 {WORD_CHARS_MAX} 个字。", shown(word));
    Finding::error("too-long", source, message, "一行一个词，不写句子。")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_with_their_lines_and_the_canonical_word_first() {
        let mut findings = Vec::new();
        let groups =
            synonyms("synonyms.txt", "# 衣服\n\n衬衫 = 衬衣, 寸衫，衫衣\n外套＝夹克、风衣\n", &mut findings);
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            groups,
            [(3, words(&["衬衫", "衬衣", "寸衫", "衫衣"])), (4, words(&["外套", "夹克", "风衣"]))]
        );
        assert_eq!(findings, []);
    }

    #[test]
    fn lines_that_are_no_group_are_reported() {
        let mut findings = Vec::new();
        let text = format!("衬衫 衬衣\n= 衬衣\n衬衫 =\na = {}\nb = {}\n", "x,".repeat(100), "长".repeat(51));
        assert_eq!(synonyms("synonyms.txt", &text, &mut findings), []);
        let told: Vec<_> = findings.iter().map(|finding| (finding.code, finding.source.line)).collect();
        let bad = "bad-synonyms";
        assert_eq!(told, [(bad, 1), (bad, 2), (bad, 3), (bad, 4), ("too-long", 5)]);
    }

    #[test]
    fn terms_are_trimmed_and_remarks_dropped() {
        let mut findings = Vec::new();
        assert_eq!(terms("terms.txt", " 退货运费险 \n# x\n云柔\n", &mut findings), ["退货运费险", "云柔"]);
        assert_eq!(terms("terms.txt", &"长".repeat(51), &mut findings), [""; 0]);
        assert_eq!(findings[0].code, "too-long");
    }
}
