//! Documents cut into passages along their headings.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::LazyLock;

use regex::Regex;

use crate::knowledge::import::Column;
use crate::knowledge::import::Draft;
use crate::knowledge::import::ImportError;
use crate::knowledge::import::Imported;
use crate::knowledge::import::Refused;
use crate::knowledge::limits::QUESTION_CHARS_MAX;
use crate::knowledge::shown;

/// Characters of a passage: what a customer reads at a glance on a telephone. Chosen by hand.
const PASSAGE_CHARS_MAX: usize = 500;

/// Characters of a line that may be a heading.
const HEADING_CHARS_MAX: usize = 40;

/// Characters of a passage's own words that name it where its heading names others too.
const OPENING_CHARS: usize = 24;

/// Pages of a PDF.
const PAGES_MAX: usize = 2_000;

/// A part of a document below one heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// Headings from the outermost to its own; empty before the first.
    pub(super) path: Vec<String>,
    /// What stands below it.
    pub(super) text: String,
    /// Page or paragraph on which it begins.
    pub(super) place: String,
}

/// Sections in the making: headings in, texts in between.
#[derive(Debug, Default)]
pub(super) struct Outline {
    sections: Vec<Section>,
    /// Open headings with their ranks, lower ones further out.
    open: Vec<(usize, String)>,
}

impl Outline {
    /// Begins a section.
    ///
    /// * `rank`: 1 for the outermost headings.
    pub(super) fn heading(&mut self, rank: usize, title: &str, place: String) {
        self.open.retain(|(own, _)| *own < rank);
        self.open.push((rank, title.trim().to_owned()));
        let path = self.open.iter().map(|(_, title)| title.clone()).collect();
        self.sections.push(Section { path, text: String::new(), place });
    }

    /// Adds a line to the section that was begun last.
    pub(super) fn line(&mut self, line: &str, place: impl FnOnce() -> String) {
        if self.sections.is_empty() {
            self.sections.push(Section { place: place(), ..Section::default() });
        }
        if let Some(section) = self.sections.last_mut() {
            section.text.push_str(line.trim_end());
            section.text.push('\n');
        }
    }

    pub(super) fn sections(self) -> Vec<Section> {
        self.sections
    }
}

/// Reads a page of Markdown.
pub(super) fn markdown(name: &str, text: &str) -> Imported {
    let mut outline = Outline::default();
    let mut is_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        is_code ^= line.trim_start().starts_with("```");
        let rank = line.bytes().take_while(|byte| *byte == b'#').count();
        let place = || format!("第 {number} 行");
        if !is_code && (1..=6).contains(&rank) && line[rank..].starts_with([' ', '\t']) {
            let title = line[rank..].split(" {").next().unwrap_or_default().trim_end_matches('#');
            outline.heading(rank, title, place());
        } else {
            outline.line(line, place);
        }
    }
    sections(name, outline.sections())
}

/// Reads a web page, by way of Markdown; scripts, styles and the frame of the page are left out.
pub(super) fn html(name: &str, text: &str) -> Result<Imported, ImportError> {
    let frame =
        vec!["script", "style", "noscript", "nav", "footer", "head", "iframe", "svg", "form", "template"];
    let converter = htmd::HtmlToMarkdown::builder().skip_tags(frame).build();
    let page = converter
        .convert(text)
        .map_err(|error| ImportError::Damaged { name: name.to_owned(), detail: error.to_string() })?;
    Ok(markdown(name, &page))
}

/// Reads plain text, a page after another; lines that look like headings are taken for such.
pub(super) fn text(name: &str, pages: &[String]) -> Imported {
    let mut outline = Outline::default();
    for (page, text) in (1..).zip(pages) {
        for (number, line) in (1..).zip(text.lines()) {
            let place =
                || if pages.len() > 1 { format!("第 {page} 页") } else { format!("第 {number} 行") };
            match heading_rank(line) {
                Some(rank) => outline.heading(rank, line, place()),
                None => outline.line(line, place),
            }
        }
    }
    sections(name, outline.sections())
}

/// How far out a line stands that looks like a heading: `第三章 请假` is 1, `3.2 病假` is 5.
fn heading_rank(line: &str) -> Option<usize> {
    static HEADING: LazyLock<Regex> = LazyLock::new(|| {
        let number = "[一二三四五六七八九十百零〇0-9]+";
        let pattern = format!(
            r"^(?:(?<chapter>第{number}[章篇部])|(?<part>第{number}节)|(?<clause>第{number}条)|(?<list>[一二三四五六七八九十]+、)|(?<dotted>\d{{1,2}}(?:\.\d{{1,2}})+)\s*\S|(?<bracket>[（(][一二三四五六七八九十]+[）)]))"
        );
        Regex::new(&pattern).expect("a fixed expression")
    });
    let line = line.trim();
    let ends_open = !line.ends_with(['。', '；', '，', '、', '：', '！', '.', ';', ',', ':']);
    if line.chars().count() > HEADING_CHARS_MAX || !ends_open {
        return None;
    }
    let found = HEADING.captures(line)?;
    ["chapter", "part", "clause", "list", "dotted", "bracket"]
        .iter()
        .position(|name| found.name(name).is_some())
        .map(|at| at + 1)
}

/// The pages of a PDF with a text layer.
pub(super) fn pdf_pages(name: &str, bytes: &[u8]) -> Result<Vec<String>, ImportError> {
    let damaged = |detail: String| ImportError::Damaged { name: name.to_owned(), detail };
    // The reader panics on some damaged files.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let document = pdf_extract::Document::load_mem(bytes).map_err(|error| error.to_string())?;
        if document.is_encrypted() {
            return Err("文件有密码".to_owned());
        }
        let n_pages = document.get_pages().len();
        if n_pages > PAGES_MAX {
            return Err(format!("有 {n_pages} 页，超过上限 {PAGES_MAX} 页，请拆成几个文件"));
        }
        pdf_extract::extract_text_from_mem_by_pages(bytes).map_err(|error| error.to_string())
    }));
    let pages = read.unwrap_or_else(|_panic| Err("文件损坏".to_owned())).map_err(damaged)?;
    if pages.iter().all(|page| page.chars().filter(|c| c.is_alphanumeric()).count() < 5) {
        return Err(ImportError::Scanned { name: name.to_owned() });
    }
    Ok(pages)
}

/// Passages of sections; pairs of 问 and 答 are entries of their own.
pub(super) fn sections(name: &str, sections: Vec<Section>) -> Imported {
    let title = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut imported = Imported { name: name.to_owned(), ..Imported::default() };
    for section in sections {
        let first = imported.drafts.len();
        let (preface, pairs) = pairs(&section.text);
        let (keys, body) = keys(preface);
        let passages = passages(body);
        let n_passages = passages.len();
        for passage in passages {
            let opening: String =
                passage.chars().filter(|c| !c.is_control() && *c != '|').take(OPENING_CHARS).collect();
            let own = section.path.last().map(String::as_str).unwrap_or_default();
            let question = match (own, n_passages) {
                ("", _) => opening,
                (_, 1) => own.to_owned(),
                _ => format!("{own} · {opening}"),
            };
            let mut draft =
                Draft { place: format!("{name} {}", section.place), is_passage: true, ..Draft::default() };
            // An id names one entry, not all passages of a section.
            for (column, value) in keys.iter().filter(|(column, _)| n_passages == 1 || *column != Column::Id)
            {
                draft.cells[*column as usize] = value.clone();
            }
            let topic = &mut draft.cells[Column::Topic as usize];
            if topic.is_empty() {
                title.clone_into(topic);
            }
            draft.cells[Column::Question as usize] = question.chars().take(QUESTION_CHARS_MAX).collect();
            let phrasings = &mut draft.cells[Column::Phrasings as usize];
            if phrasings.is_empty() && section.path.len() > 1 {
                *phrasings =
                    section.path.join(" ").replace('|', " ").chars().take(QUESTION_CHARS_MAX).collect();
            }
            let is_faq = !keys.is_empty();
            let source = std::iter::once(title).chain(section.path.iter().map(String::as_str));
            let source = source.collect::<Vec<_>>().join(" › ");
            draft.cells[Column::Answer as usize] =
                if is_faq { passage } else { format!("{passage}\n（出自：{source}）") };
            imported.drafts.push(draft);
        }
        for (question, answer) in pairs {
            let place = format!("{name} {}", section.place);
            if question.is_empty() || answer.is_empty() {
                let reason = format!(
                    "“{}”没有问题或者没有答案",
                    shown(if question.is_empty() { &answer } else { &question })
                );
                imported.refused.push(Refused { place, reason });
                continue;
            }
            let mut draft = Draft { place, ..Draft::default() };
            draft.cells[Column::Topic as usize] = section.path.first().cloned().unwrap_or_default();
            draft.cells[Column::Question as usize] = question;
            draft.cells[Column::Answer as usize] = answer;
            imported.drafts.push(draft);
        }
        let own = &mut imported.drafts[first..];
        if own.len() > 1 {
            (1..).zip(own).for_each(|(number, draft)| draft.place.push_str(&format!("起第 {number} 条")));
        }
    }
    imported
}

/// Lines `键：值` at the head of a section, as the bot's own pages have them, and what follows.
fn keys(text: &str) -> (Vec<(Column, String)>, &str) {
    let mut keys: Vec<(Column, String)> = Vec::new();
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        let pair = line.split_once(['：', ':']);
        let key = pair.and_then(|(key, value)| Some((Column::named(key)?, value.trim().to_owned())));
        match key {
            Some((Column::Question | Column::Answer, _)) | None
                if !line.trim().is_empty() || !keys.is_empty() =>
            {
                break;
            }
            Some((Column::Phrasings, value)) => {
                match keys.iter_mut().find(|(own, _)| *own == Column::Phrasings) {
                    Some((_, own)) => {
                        own.push('|');
                        own.push_str(&value);
                    }
                    None => keys.push((Column::Phrasings, value)),
                }
            }
            Some(key) => keys.push(key),
            None => {}
        }
        rest = after;
    }
    if keys.is_empty() { (keys, text) } else { (keys, rest) }
}

/// What stands before the first `问：…`, and pairs of it and `答：…`.
fn pairs(text: &str) -> (&str, Vec<(String, String)>) {
    static MARK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\s*(?:\d+[.、]\s*)?(?:\*\*)?(?:(?<q>问题?|Q)|(?<a>答案?|A))\s*\d*(?:\*\*)?\s*[：:](?:\*\*)?\s*")
            .expect("a fixed expression")
    });
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut in_answer = false;
    let mut preface = 0;
    for line in text.split_inclusive('\n') {
        match MARK.captures(line) {
            Some(found) if found.name("q").is_some() => {
                pairs.push((line[found[0].len()..].trim().to_owned(), String::new()));
                in_answer = false;
            }
            Some(found) => {
                in_answer = true;
                match pairs.last_mut() {
                    Some((_, answer)) => answer.push_str(line[found[0].len()..].trim()),
                    None => preface += line.len(),
                }
            }
            None => {
                let Some((question, answer)) = pairs.last_mut() else {
                    preface += line.len();
                    continue;
                };
                let own = if in_answer { answer } else { question };
                if !line.trim().is_empty() {
                    if in_answer && !own.is_empty() {
                        own.push('\n');
                    }
                    own.push_str(line.trim());
                }
            }
        }
    }
    (&text[..preface], pairs)
}

/// A text in pieces of [`PASSAGE_CHARS_MAX`] characters at most, cut where a paragraph ends, else a sentence, else
/// anywhere.
fn passages(text: &str) -> Vec<String> {
    let mut passages: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut n_current = 0;
    let units = text.split_inclusive('\n').flat_map(|paragraph| {
        let is_long = paragraph.chars().count() > PASSAGE_CHARS_MAX;
        if is_long {
            paragraph.split_inclusive(['。', '！', '？', '；']).collect()
        } else {
            vec![paragraph]
        }
    });
    for unit in units {
        let mut rest: Vec<char> = unit.chars().collect();
        while !rest.is_empty() {
            let room = PASSAGE_CHARS_MAX - n_current;
            if rest.len() > room && n_current > 0 {
                passages.push(std::mem::take(&mut current));
                n_current = 0;
                continue;
            }
            let taken: Vec<char> = rest.drain(..rest.len().min(PASSAGE_CHARS_MAX)).collect();
            n_current += taken.len();
            current.extend(taken);
        }
    }
    passages.push(current);
    passages
        .into_iter()
        .map(|passage| passage.trim().to_owned())
        .filter(|passage| !passage.is_empty())
        .collect()
}
