//! FAQ entries written as Markdown: a heading for the topic, one for each question, a few keys, the answer.

use crate::knowledge::Source;
use crate::knowledge::entry::Entry;
use crate::knowledge::faq::Draft;
use crate::knowledge::faq::Topics;
use crate::knowledge::faq::entry;
use crate::knowledge::finding::Finding;
use crate::knowledge::near::suggestion;
use crate::knowledge::shown;

/// Reads a FAQ page.
///
/// `# title {topic}` sets the topic; without braces the title names it. `## question` begins an entry;
/// lines `键：值` follow up to the first blank line, then the answer up to the next heading. Fenced code
/// may hold lines that begin with `#`.
pub(super) fn from_markdown(
    file: &str,
    text: &str,
    topics: &Topics,
    findings: &mut Vec<Finding>,
) -> Vec<Entry> {
    let mut page =
        Page { file, findings, topic: String::new(), current: None, part: Part::Answer, drafts: Vec::new() };
    let mut fence: Option<usize> = None;
    for (line, content) in (1..).zip(text.lines()) {
        let fence_mark = content.trim_start().starts_with("```");
        match (fence, heading(content)) {
            (None, Some((1, title))) => page.begin_topic(title),
            (None, Some((_, question))) => page.begin_entry(line, question),
            (None | Some(_), _) => page.add(line, content),
        }
        if fence_mark {
            fence = if fence.is_some() { None } else { Some(line) };
        }
    }
    if let Some(line) = fence {
        let message = format!("第 {line} 行的 ``` 没有闭合，后面的标题都被当成了正文。");
        page.complain("markdown-fence", line, message, "在代码结束处补一行 ```。");
    }
    page.end_entry();
    let drafts = page.drafts;
    drafts.into_iter().filter_map(|draft| entry(draft, file, topics, findings)).collect()
}

/// Keys of an entry, as authors write them.
const KEYS: [&str; 5] = ["编号", "问法", "回复", "生效", "失效"];
/// Characters before the colon up to which a line right below a question is taken for a key.
const KEY_CHARS_MAX: usize = 12;

/// Which lines are expected next in an entry.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Keys,
    Answer,
}

struct Page<'p> {
    file: &'p str,
    findings: &'p mut Vec<Finding>,
    topic: String,
    current: Option<Draft>,
    part: Part,
    drafts: Vec<Draft>,
}

impl Page<'_> {
    fn begin_topic(&mut self, title: &str) {
        self.end_entry();
        let braced = title.strip_suffix('}').and_then(|title| title.rsplit_once('{'));
        self.topic = braced.map_or(title, |(_title, topic)| topic).trim().to_owned();
    }

    fn begin_entry(&mut self, line: usize, question: &str) {
        self.end_entry();
        let (question, topic) = (question.to_owned(), self.topic.clone());
        self.current = Some(Draft { line, topic, question, ..Draft::default() });
        self.part = Part::Keys;
    }

    fn end_entry(&mut self) {
        self.drafts.extend(self.current.take());
    }

    fn add(&mut self, line: usize, content: &str) {
        let Some(draft) = &mut self.current else {
            if !content.trim().is_empty() {
                let message = "这一行不属于任何一个问题，没有读。".to_owned();
                let source = Source { file: self.file.to_owned(), line };
                self.findings.push(Finding::warning(
                    "stray-text",
                    source,
                    message,
                    "在它前面写“## 问题”，或者删掉。",
                ));
            }
            return;
        };
        if self.part == Part::Keys {
            match key_line(content) {
                Some((key, value)) => return self.set(line, key, value),
                None => self.part = Part::Answer,
            }
        }
        draft.answer.push_str(content);
        draft.answer.push('\n');
    }

    fn set(&mut self, line: usize, key: &str, value: &str) {
        let Some(draft) = &mut self.current else { return };
        let cell = match key {
            "编号" | "id" => &mut draft.id,
            "问法" | "相似问" | "phrasings" => {
                draft.phrasings.push('|');
                draft.phrasings.push_str(value);
                return;
            }
            "回复" | "reply" => &mut draft.reply,
            "生效" | "valid_from" => &mut draft.valid_from,
            "失效" | "valid_until" => &mut draft.valid_until,
            _ => {
                let message = format!("问题下面有不认识的键“{}”。", shown(key));
                let remedy = format!("{}如果这是答案，请在它前面空一行。", suggestion(key, &KEYS));
                return self.complain("unknown-key", line, message, &remedy);
            }
        };
        if cell.is_empty() {
            cell.push_str(value);
        } else {
            self.complain("duplicate-key", line, format!("键“{key}”写了两次。"), "只留一行。");
        }
    }

    fn complain(&mut self, code: &'static str, line: usize, message: String, remedy: &str) {
        let source = Source { file: self.file.to_owned(), line };
        self.findings.push(Finding::error(code, source, message, remedy));
    }
}

/// Level 1 or 2 and the words of a heading; deeper ones belong to answers.
fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = &line[level..];
    let apart = title.is_empty() || title.starts_with(char::is_whitespace);
    (matches!(level, 1 | 2) && apart).then(|| (level, title.trim()))
}

/// The key and the value of a line right below a question, when it has that form.
fn key_line(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(['：', ':'])?;
    let key = key.trim();
    let like_a_key = !key.is_empty()
        && key.chars().count() <= KEY_CHARS_MAX
        && key.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !value.starts_with("//");
    like_a_key.then_some((key, value.trim()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const PAGE: &str = "\
# 退换货 {return_policy}

## 拆了吊牌还能退吗
编号：return_policy-tag-removed
问法：吊牌剪了能退不 | 标签摘掉了还可以退吗
问法: 没吊牌了咋退
失效：2027-12-31

第一段：请看
### 小标题
- 一

第二段
```
# ping
```

# 物流
## 几天到
两三天。
";

    fn read(text: &str) -> (Vec<Entry>, Vec<Finding>) {
        let topics = Topics::new(&BTreeMap::from([("logistics".to_owned(), "物流".to_owned())]));
        let mut findings = Vec::new();
        (from_markdown("faq/a.md", text, &topics, &mut findings), findings)
    }

    #[track_caller]
    fn check_finding(text: &str, code: &str, line: usize) {
        let (_entries, findings) = read(text);
        let found: Vec<_> = findings.iter().map(|finding| (finding.code, finding.source.line)).collect();
        assert_eq!(found, [(code, line)], "{findings:?}");
    }

    #[test]
    fn a_page_gives_its_entries_with_keys_and_lines() {
        let (entries, findings) = read(PAGE);
        assert_eq!(findings, []);
        let [first, second] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((first.source.line, first.id.as_str()), (3, "return_policy-tag-removed"));
        assert_eq!((first.topic.as_str(), first.question.as_str()), ("return_policy", "拆了吊牌还能退吗"));
        assert_eq!(first.phrasings, ["吊牌剪了能退不", "标签摘掉了还可以退吗", "没吊牌了咋退"]);
        assert_eq!(first.validity.until, Some(jiff::civil::date(2027, 12, 31)));
        assert_eq!(first.answer, "第一段：请看\n### 小标题\n- 一\n\n第二段\n```\n# ping\n```");
        assert_eq!((second.source.line, second.topic.as_str()), (19, "logistics"));
        assert_eq!(second.answer, "两三天。");
    }

    #[test]
    fn windows_line_ends_change_nothing() {
        let (entries, findings) = read(&PAGE.replace('\n', "\r\n"));
        assert_eq!((entries.len(), findings), (2, Vec::new()));
        assert_eq!(entries[0].source.line, 3);
        assert!(!entries[0].answer.contains('\r'));
    }

    #[test]
    fn slips_are_reported_with_their_line() {
        check_finding("# 物流\n\n## 几天到\n问发：多久到\n\n两三天\n", "unknown-key", 4);
        check_finding("# 物流\n## 几天到\n编号：a\n编号：b\n\n两三天\n", "duplicate-key", 4);
        check_finding("前言\n# 物流\n## 几天到\n\n两三天\n", "stray-text", 1);
        check_finding("# 物流\n## 几天到\n\n```\n两三天\n## 下一个\n", "markdown-fence", 4);
        check_finding("# 物流\n## \n\n两三天\n", "missing-field", 2);
        check_finding("# 物流\n## 几天到\n失效：明年\n\n两三天\n", "bad-date", 2);
    }
}
