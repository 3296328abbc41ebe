//! Positions in a text.

/// Bytes `start..end` of a text; both fall on character borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteSpan {
    /// First byte.
    pub start: usize,
    /// One past the last byte; never before `start`.
    pub end: usize,
}

impl ByteSpan {
    /// A span.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end, "span {start}..{end} runs backwards");
        Self { start, end }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// The same place counted in characters, as rows, predictions and interfaces give it.
    ///
    /// * `text`: what the span lies in.
    #[must_use]
    pub fn chars(&self, text: &str) -> std::ops::Range<usize> {
        let start = text[..self.start].chars().count();
        start..start + self.of(text).chars().count()
    }

    /// Whether it covers nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether the two share at least one byte.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The bytes it covers of `text`.
    #[must_use]
    pub fn of<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_and_not_bytes() {
        // Two bytes, three bytes, four bytes a character.
        let text = "é黑😀色";
        assert_eq!(ByteSpan::new(2, 9).chars(text), 1..3);
        assert_eq!(ByteSpan::new(12, 12).chars(text), 4..4);
    }
}
