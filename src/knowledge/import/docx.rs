//! Word documents: paragraphs, headings by their style, tables row by row.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

use crate::knowledge::import::ImportError;
use crate::knowledge::import::archive;
use crate::knowledge::import::document::Outline;
use crate::knowledge::import::document::Section;

/// Reads `word/document.xml`. What was deleted under revision, and what only Word shows, is left out.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Vec<Section>, ImportError> {
    let damaged = |detail: String| ImportError::Damaged { name: name.to_owned(), detail };
    if bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(damaged("文件有密码，或者是旧的 .doc 格式，请另存为不加密的 .docx".to_owned()));
    }
    archive::check(name, bytes)?;
    let xml = archive::file(name, bytes, "word/document.xml")?;
    let text = std::str::from_utf8(&xml).map_err(|error| damaged(error.to_string()))?;
    let styles = archive::file(name, bytes, "word/styles.xml")
        .map_or_else(|_none| Vec::new(), |xml| ranks(&String::from_utf8_lossy(&xml)));
    let mut reader = Reader::from_str(text);
    let mut outline = Outline::default();
    let mut paragraph = Paragraph::default();
    let (mut n_paragraphs, mut n_cells, mut is_text) = (0, 0, false);
    loop {
        match reader.read_event().map_err(|error| damaged(error.to_string()))? {
            Event::Eof => return Ok(outline.sections()),
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "pStyle" => {
                paragraph.rank = value(&tag).and_then(|id| rank(&styles, &id));
            }
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "outlineLvl" => {
                let level = value(&tag).and_then(|level| level.parse::<usize>().ok());
                paragraph.rank = paragraph.rank.or(level.filter(|level| *level < 9).map(|level| level + 1));
            }
            Event::Start(tag) if tag.local_name().as_ref() == "t" => is_text = true,
            Event::Text(text) if is_text => {
                paragraph.text.push_str(&text.xml10_content());
            }
            Event::GeneralRef(entity) if is_text => {
                let found = match entity.resolve_char_ref() {
                    Ok(Some(c)) => Some(c.to_string()),
                    _ => resolve_xml_entity(&entity).map(str::to_owned),
                };
                paragraph.text.push_str(&found.unwrap_or_default());
            }
            Event::Empty(tag) if matches!(tag.local_name().as_ref(), "tab" | "br" | "cr") => {
                paragraph.text.push(if tag.local_name().as_ref() == "tab" { ' ' } else { '\n' });
            }
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => is_text = false,
                "tc" => n_cells += 1,
                "tr" => n_cells = 0,
                "p" => {
                    n_paragraphs += 1;
                    let own = std::mem::take(&mut paragraph);
                    let place = format!("第 {n_paragraphs} 段");
                    match own.rank {
                        Some(rank) if !own.text.trim().is_empty() => outline.heading(rank, &own.text, place),
                        // The cells of a row stand on one line after another, marked as such.
                        _ if n_cells > 0 => outline.line(&format!("| {}", own.text), || place),
                        _ => outline.line(&own.text, || place),
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }
}

#[derive(Default)]
struct Paragraph {
    text: String,
    /// Of a heading, from 1.
    rank: Option<usize>,
}

/// Styles that are headings, by their ids: the names are the same in every language of Word.
fn ranks(xml: &str) -> Vec<(String, usize)> {
    let mut reader = Reader::from_str(xml);
    let (mut id, mut ranks) = (String::new(), Vec::new());
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Eof => break,
            Event::Start(tag) if tag.local_name().as_ref() == "style" => {
                let own = tag.attributes().flatten().find(|own| own.key.local_name().as_ref() == "styleId");
                id = own.map_or_else(String::new, |own| own.value.into_owned());
            }
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "name" => {
                let name = value(&tag).unwrap_or_default().to_lowercase();
                let number = name.strip_prefix("heading ").or_else(|| name.strip_prefix("标题 "));
                let rank = number.and_then(|number| number.trim().parse().ok());
                ranks.extend(rank.or((name == "title").then_some(1)).map(|rank| (id.clone(), rank)));
            }
            _ => {}
        }
    }
    ranks
}

fn rank(styles: &[(String, usize)], id: &str) -> Option<usize> {
    let known = styles.iter().find(|(own, _)| own == id).map(|(_, rank)| *rank);
    // A document without a table of styles names them by their ids.
    known.or_else(|| id.strip_prefix("Heading").and_then(|number| number.parse().ok()))
}

/// The attribute `w:val`.
fn value(tag: &quick_xml::events::BytesStart<'_>) -> Option<String> {
    let own = tag.attributes().flatten().find(|own| own.key.local_name().as_ref() == "val")?;
    Some(own.value.into_owned())
}
