//! The small part of XML that WeCom speaks: elements and text, one root named `xml`, no attributes, no DTD.
//!
//! The outer envelope is read before its signature can be checked, so every input is a stranger's: sizes, depth and
//! element count are limited, a DTD is refused, and no entity is resolved but the five built-in ones. Errors hold
//! positions, never words, because the words would go to the log.

use std::borrow::Cow;
use std::str::FromStr;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::BytesRef;
use quick_xml::events::Event;

/// Most bytes of one document. A real callback stays below 64 KiB; the vendor states no limit, so chosen by hand.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;

/// Deepest nesting, the root being 1. The deepest documented element is at 5; chosen by hand.
const DEPTH_MAX: usize = 16;

/// Most elements of one document. A group change names at most 500 members; chosen by hand.
const ELEMENTS_MAX: usize = 4096;

/// Why a document could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum XmlError {
    /// The document is larger than any callback.
    #[error("document of {bytes} bytes is larger than {DOCUMENT_BYTES_MAX} bytes")]
    TooLarge {
        /// Size of the document.
        bytes: usize,
    },
    /// A document type definition, which could define entities: the way in of XXE and of billion laughs.
    #[error("document type definition before byte {position}")]
    Doctype {
        /// Where the definition ends.
        position: u64,
    },
    /// An entity other than `lt`, `gt`, `amp`, `apos`, `quot`, or a number that is no character.
    #[error("unknown entity before byte {position}")]
    Entity {
        /// Where the reference ends.
        position: u64,
    },
    /// Elements within elements beyond the limit.
    #[error("elements nest deeper than {DEPTH_MAX} before byte {position}")]
    TooDeep {
        /// Where the limit was passed.
        position: u64,
    },
    /// More elements than any callback has.
    #[error("more than {ELEMENTS_MAX} elements before byte {position}")]
    TooManyElements {
        /// Where the limit was passed.
        position: u64,
    },
    /// Not XML, or broken off.
    #[error("not well-formed near byte {position}")]
    NotWellFormed {
        /// Where reading stopped.
        position: u64,
    },
    /// Sound XML, but of another kind.
    #[error("root element is not `xml`")]
    Root,
}

impl XmlError {
    /// The code that the vendor's sample libraries give for an unreadable document: `-40002`, ParseXml_Error.
    #[must_use]
    pub fn code(&self) -> i32 {
        -40002
    }
}

/// An element with the text directly in it and the elements directly below it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
    has_cdata: bool,
}

impl Element {
    /// Reads a whole document and returns its root. The order of elements, comments and blanks do not matter.
    ///
    /// # Errors
    /// Anything but one root `xml` of sound XML within the limits of this module.
    pub(crate) fn parse(document: &str) -> Result<Self, XmlError> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(XmlError::TooLarge { bytes: document.len() });
        }
        let mut tree = Tree::default();
        let mut reader = Reader::from_str(document);
        loop {
            // The parser's own error is dropped: it quotes element names, which a stranger chooses.
            let event = reader.read_event();
            let position = reader.buffer_position();
            match event.map_err(|_| XmlError::NotWellFormed { position })? {
                Event::Start(start) => tree.start(start.name().0, position)?,
                Event::Empty(start) => {
                    tree.start(start.name().0, position)?;
                    tree.end(position)?;
                }
                Event::End(_) => tree.end(position)?,
                Event::Text(text) => tree.text(&text.xml10_content(), position)?,
                Event::CData(text) => tree.cdata(&text.xml10_content(), position)?,
                Event::GeneralRef(reference) => {
                    let resolved = resolve(&reference).ok_or(XmlError::Entity { position })?;
                    tree.reference(&resolved, position)?;
                }
                Event::DocType(_) => return Err(XmlError::Doctype { position }),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => return tree.into_root(position),
            }
        }
    }

    /// The first element of this name directly below.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is_named(name))
    }

    /// All elements of this name directly below, in their order.
    pub(crate) fn children<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.is_named(name))
    }

    /// All elements directly below, whatever their names.
    pub(crate) fn all_children(&self) -> &[Self] {
        &self.children
    }

    /// Whether this is the element's name.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name == name
    }

    /// The text of a child; empty where there is no such child.
    pub(crate) fn text(&self, name: &str) -> String {
        self.child(name).map(|child| child.text.clone()).unwrap_or_default()
    }

    /// The text of a child that the sender may leave out or leave empty.
    pub(crate) fn optional(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The number in a child; `None` where it is absent, empty or no such number.
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.child(name)?.text.trim().parse().ok()
    }
}

/// The texts of some elements, in their order.
pub(crate) fn texts<'e>(elements: impl Iterator<Item = &'e Element>) -> Vec<String> {
    elements.map(|element| element.text.clone()).collect()
}

/// The document read so far: the chain of open elements, and the root once it is closed.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    n_elements: usize,
}

impl Tree {
    fn start(&mut self, name: &str, position: u64) -> Result<(), XmlError> {
        if self.root.is_some() {
            return Err(XmlError::NotWellFormed { position });
        }
        if self.open.len() == DEPTH_MAX {
            return Err(XmlError::TooDeep { position });
        }
        self.n_elements += 1;
        if self.n_elements > ELEMENTS_MAX {
            return Err(XmlError::TooManyElements { position });
        }
        self.open.push(Element { name: name.to_owned(), ..Element::default() });
        Ok(())
    }

    fn end(&mut self, position: u64) -> Result<(), XmlError> {
        let element = self.open.pop().ok_or(XmlError::NotWellFormed { position })?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, position: u64) -> Result<(), XmlError> {
        let blank = text.chars().all(char::is_whitespace);
        match self.open.last_mut() {
            // Blanks around a CDATA section are layout; without one they may be what was typed.
            Some(element) if blank && element.has_cdata => {}
            Some(element) => element.text.push_str(text),
            None if blank || text == "\u{feff}" => {}
            None => return Err(XmlError::NotWellFormed { position }),
        }
        Ok(())
    }

    fn cdata(&mut self, text: &str, position: u64) -> Result<(), XmlError> {
        let element = self.open.last_mut().ok_or(XmlError::NotWellFormed { position })?;
        if !element.has_cdata && element.text.chars().all(char::is_whitespace) {
            element.text.clear();
        }
        element.has_cdata = true;
        element.text.push_str(text);
        Ok(())
    }

    fn reference(&mut self, resolved: &str, position: u64) -> Result<(), XmlError> {
        let element = self.open.last_mut().ok_or(XmlError::NotWellFormed { position })?;
        element.text.push_str(resolved);
        Ok(())
    }

    fn into_root(self, position: u64) -> Result<Element, XmlError> {
        let root = self.root.ok_or(XmlError::NotWellFormed { position })?;
        if root.is_named("xml") { Ok(root) } else { Err(XmlError::Root) }
    }
}

/// What `&name;` or `&#number;` stands for; a character that XML forbids stands for nothing.
fn resolve<'r>(reference: &'r BytesRef<'_>) -> Option<Cow<'r, str>> {
    match reference.resolve_char_ref() {
        Ok(Some(char)) => Some(Cow::Owned(String::from_iter(Some(char).filter(|char| is_legal(*char))))),
        Ok(None) => resolve_xml_entity(reference).map(Cow::Borrowed),
        Err(_) => None,
    }
}

/// Whether XML 1.0 can hold the character at all, even inside CDATA.
///
/// Source: Extensible Markup Language 1.0, fifth edition, section 2.2 (`Char`).
fn is_legal(char: char) -> bool {
    !matches!(char, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// The text without the characters that no XML 1.0 document may hold. Customers' clients do send U+0002 and the like.
pub(crate) fn without_illegal(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_legal) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(|char| is_legal(*char)).collect())
    }
}

/// Appends `<name><![CDATA[text]]></name>`, with illegal characters left out and any `]]>` in the text split.
pub(crate) fn push_cdata(out: &mut String, name: &str, text: &str) {
    // Illegal characters go first: taking one out of `]]\u{2}>` makes a `]]>`.
    let split = without_illegal(text).replace("]]>", "]]]]><![CDATA[>");
    for piece in ["<", name, "><![CDATA[", &split, "]]></", name, ">"] {
        out.push_str(piece);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_text(document: &str, expected: &str) {
        let root = Element::parse(document).expect("a sound document");
        assert_eq!(root.text("A"), expected, "{document}");
    }

    #[test]
    fn bare_cdata_and_mixed_text_read_alike() {
        check_text("<xml><A>hi</A></xml>", "hi");
        check_text("<xml><A><![CDATA[hi]]></A></xml>", "hi");
        check_text(
            "\u{feff}<?xml version=\"1.0\"?>\n<!-- c -->\n<xml>\n <A>\n <![CDATA[hi]]>\n </A>\n</xml>\n",
            "hi",
        );
        check_text("<xml><A>a&amp; &lt;&gt;&apos;&quot;&#20320;&#x597d;</A></xml>", "a& <>'\"你好");
        check_text("<xml><A>&#2;a&#xFFFE;</A></xml>", "a");
        check_text("<xml><A><![CDATA[<xml>&amp;<!DOCTYPE a>]]></A></xml>", "<xml>&amp;<!DOCTYPE a>");
        check_text("<xml><A><![CDATA[ ]]></A></xml>", " ");
        check_text("<xml><A/></xml>", "");
        check_text("<xml></xml>", "");
        check_text("<xml><B>1</B><A>2</A><A>3</A></xml>", "2");
    }

    #[track_caller]
    fn check_refused(document: &str, expected: fn(u64) -> XmlError) {
        let error = Element::parse(document).expect_err("a document to refuse");
        let position = match error {
            XmlError::Doctype { position }
            | XmlError::Entity { position }
            | XmlError::TooDeep { position }
            | XmlError::TooManyElements { position }
            | XmlError::NotWellFormed { position } => position,
            XmlError::TooLarge { .. } | XmlError::Root => 0,
        };
        assert_eq!(error, expected(position), "{document:.80}");
        assert_eq!(error.code(), -40002);
    }

    #[test]
    fn a_doctype_is_refused_wherever_it_stands() {
        let doctype = |position| XmlError::Doctype { position };
        check_refused("<!DOCTYPE xml><xml/>", doctype);
        check_refused("<!doctype xml><xml/>", doctype);
        check_refused(
            "<xml><!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><A>&x;</A></xml>",
            doctype,
        );
        check_refused("<xml/><!DOCTYPE xml>", doctype);
    }

    #[test]
    fn billion_laughs_are_refused_at_the_definition() {
        let laughs = "<!DOCTYPE xml [<!ENTITY a \"haha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]><xml><A>&c;</A></xml>";
        check_refused(laughs, |position| XmlError::Doctype { position });
    }

    #[test]
    fn foreign_entities_are_refused() {
        let entity = |position| XmlError::Entity { position };
        check_refused("<xml><A>&nbsp;</A></xml>", entity);
        check_refused("<xml><A>&#xD800;</A></xml>", entity);
        check_refused("<xml><A>&#0;</A></xml>", entity);
    }

    #[test]
    fn broken_documents_are_refused() {
        let broken = |position| XmlError::NotWellFormed { position };
        for document in [
            "",
            "not xml",
            "<xml>",
            "<xml><A></xml>",
            "<xml/><xml/>",
            "</xml>",
            "<xml><A><![CDATA[你",
            "a<xml/>",
            "<xml/>b",
        ] {
            check_refused(document, broken);
        }
        check_refused("<html></html>", |_| XmlError::Root);
    }

    #[test]
    fn limits_hold_at_their_edges() {
        let nested =
            |depth: usize| format!("<xml>{}{}</xml>", "<a>".repeat(depth - 1), "</a>".repeat(depth - 1));
        assert!(Element::parse(&nested(DEPTH_MAX)).is_ok());
        check_refused(&nested(DEPTH_MAX + 1), |position| XmlError::TooDeep { position });

        let wide = |n_elements: usize| format!("<xml>{}</xml>", "<a/>".repeat(n_elements - 1));
        assert!(Element::parse(&wide(ELEMENTS_MAX)).is_ok());
        check_refused(&wide(ELEMENTS_MAX + 1), |position| XmlError::TooManyElements { position });

        let long = |bytes: usize| format!("<xml>{}</xml>", "a".repeat(bytes - "<xml></xml>".len()));
        assert!(Element::parse(&long(DOCUMENT_BYTES_MAX)).is_ok());
        check_refused(&long(DOCUMENT_BYTES_MAX + 1), |_| XmlError::TooLarge {
            bytes: DOCUMENT_BYTES_MAX + 1,
        });
    }

    #[test]
    fn errors_quote_nothing_of_the_document() {
        let error = Element::parse("<xml><private></secret></xml>").expect_err("a mismatch");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    proptest! {
        #[test]
        fn written_text_reads_back_without_illegal_characters(text in r"(\PC|[\]>\x00-\x1f\u{fffe}]){0,60}") {
            let mut document = "<xml>".to_owned();
            push_cdata(&mut document, "A", &text);
            document.push_str("</xml>");
            // XML readers see every line end as `\n`.
            let expected = without_illegal(&text).replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(Element::parse(&document).expect("what we write is sound").text("A"), expected);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in r"(<|>|/|!|\[|\]|CDATA|DOCTYPE|&|#|;|xml|\?|--|\PC){0,80}") {
            let _outcome = Element::parse(&text);
        }
    }
}
