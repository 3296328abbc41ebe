//! A small transformer: text to one vector a token and one a sentence.
//!
//! BERT's architecture (post-normalised, exact GELU) with the shapes of multilingual-e5-small. One forward pass
//! serves training and answering; what makes it fast is in [`kernel`], what makes it differentiable in [`ops`].
//!
//! Sentences are packed one behind another, never padded.

pub mod artefact;
pub mod kernel;
pub mod lanes;
pub mod ops;
pub mod package;
pub mod peer;
pub mod shelf;
pub mod vocabulary;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use candle_core::Device;
use candle_core::Tensor;

use crate::encoder::ops::AddNorm;
use crate::encoder::ops::Attention;
use crate::encoder::ops::BiasGelu;
use crate::encoder::ops::Borders;
use crate::encoder::ops::Mean;
use crate::encoder::vocabulary::Tokens;
use crate::encoder::vocabulary::Vocabulary;

/// Sizes that a file of weights is checked against.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Shape {
    /// Layers, from 1.
    pub n_layers: usize,
    /// Attention heads; divides [`kernel::WIDTH`].
    pub n_heads: usize,
    /// Added to the variance when normalising.
    pub epsilon: f32,
}

/// The transformer.
#[derive(Clone, Debug)]
pub struct Encoder {
    shape: Shape,
    vocabulary: Arc<Vocabulary>,
    word: Tensor,
    position: Tensor,
    norm: Tensor,
    layers: Vec<Layer>,
}

/// One layer; matrices are `[in, out]`.
#[derive(Clone, Debug)]
struct Layer {
    qkv: Tensor,
    qkv_bias: Tensor,
    out: Tensor,
    out_norm: Tensor,
    up: Tensor,
    up_bias: Tensor,
    down: Tensor,
    down_norm: Tensor,
}

/// Sentences between two layers.
#[derive(Clone, Debug)]
pub struct States {
    /// `[n_tokens, width]`, all sentences one behind another.
    pub tokens: Tensor,
    /// Where each sentence begins, and the end of the last.
    pub borders: Borders,
}

/// Why there is no encoder.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// A matrix is missing.
    #[error("tensor {name} is missing")]
    Missing {
        /// Its name.
        name: String,
    },
    /// A matrix has another shape.
    #[error("tensor {name} has the shape {found:?}, expected {expected:?}")]
    Shaped {
        /// Its name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that belongs there.
        expected: Vec<usize>,
    },
    /// The pieces are no vocabulary.
    #[error(transparent)]
    Vocabulary(#[from] vocabulary::VocabularyError),
    /// The package is not what it should be.
    #[error(transparent)]
    Package(#[from] package::PackageError),
    /// A computation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// Which layers of a deep encoder make a shallower one: evenly spread, the lowest among them.
///
/// * `n_kept`: at most `n_layers`.
#[must_use]
pub fn spread(n_kept: usize, n_layers: usize) -> Vec<usize> {
    (0..n_kept).map(|layer| layer * n_layers / n_kept.max(1)).collect()
}

/// Names and shapes of all tensors of an encoder.
#[must_use]
pub fn tensor_shapes(shape: Shape, n_pieces: usize) -> Vec<(String, Vec<usize>)> {
    let width = kernel::WIDTH;
    let mut all = vec![
        ("word".to_owned(), vec![n_pieces, width]),
        ("position".to_owned(), vec![vocabulary::TOKENS_MAX, width]),
        ("norm".to_owned(), vec![3, width]),
    ];
    for layer in 0..shape.n_layers {
        let parts: [(&str, &[usize]); 8] = [
            ("qkv", &[width, 3 * width]),
            ("qkv.bias", &[3 * width]),
            ("out", &[width, width]),
            ("out.norm", &[3, width]),
            ("up", &[width, 4 * width]),
            ("up.bias", &[4 * width]),
            ("down", &[4 * width, width]),
            ("down.norm", &[3, width]),
        ];
        all.extend(parts.iter().map(|(part, shape)| (format!("l{layer}.{part}"), shape.to_vec())));
    }
    all
}

impl Encoder {
    /// Puts an encoder together.
    ///
    /// * `tensors`: all of [`tensor_shapes`]; others are ignored. Variables among them are trained through.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn new(
        shape: Shape,
        vocabulary: Vocabulary,
        tensors: &HashMap<String, Tensor>,
    ) -> Result<Self, EncoderError> {
        Self::assemble(shape, Arc::new(vocabulary), tensors)
    }

    fn assemble(
        shape: Shape,
        vocabulary: Arc<Vocabulary>,
        tensors: &HashMap<String, Tensor>,
    ) -> Result<Self, EncoderError> {
        for (name, expected) in tensor_shapes(shape, vocabulary.len()) {
            let tensor = tensors.get(&name).ok_or_else(|| EncoderError::Missing { name: name.clone() })?;
            if tensor.dims() != expected {
                return Err(EncoderError::Shaped { name, found: tensor.dims().to_vec(), expected });
            }
        }
        let get = |name: &str| {
            tensors.get(name).cloned().ok_or_else(|| EncoderError::Missing { name: name.to_owned() })
        };
        let layers = (0..shape.n_layers).map(|layer| {
            let part = |name: &str| get(&format!("l{layer}.{name}"));
            Ok(Layer {
                qkv: part("qkv")?,
                qkv_bias: part("qkv.bias")?,
                out: part("out")?,
                out_norm: part("out.norm")?,
                up: part("up")?,
                up_bias: part("up.bias")?,
                down: part("down")?,
                down_norm: part("down.norm")?,
            })
        });
        Ok(Self {
            shape,
            word: get("word")?,
            position: get("position")?,
            norm: get("norm")?,
            layers: layers.collect::<Result<_, EncoderError>>()?,
            vocabulary,
        })
    }

    /// The same encoder with some tensors exchanged, for training or for a trained model.
    ///
    /// # Errors
    /// A tensor has another shape.
    pub fn with(&self, changed: &HashMap<String, Tensor>) -> Result<Self, EncoderError> {
        let mut tensors = self.tensors();
        tensors.extend(changed.iter().map(|(name, tensor)| (name.clone(), tensor.clone())));
        Self::assemble(self.shape, self.vocabulary.clone(), &tensors)
    }

    /// The encoder with some of its layers only.
    ///
    /// * `layers`: from the lowest, each below [`Shape::n_layers`].
    #[must_use]
    pub fn thinned(&self, layers: &[usize]) -> Self {
        let kept: Vec<Layer> = layers.iter().filter_map(|layer| self.layers.get(*layer)).cloned().collect();
        Self { shape: Shape { n_layers: kept.len(), ..self.shape }, layers: kept, ..self.clone() }
    }

    /// All tensors by name.
    #[must_use]
    pub fn tensors(&self) -> HashMap<String, Tensor> {
        let own = [("word", &self.word), ("position", &self.position), ("norm", &self.norm)];
        let mut all: HashMap<String, Tensor> =
            own.into_iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
        for (n, layer) in self.layers.iter().enumerate() {
            let parts = [
                ("qkv", &layer.qkv),
                ("qkv.bias", &layer.qkv_bias),
                ("out", &layer.out),
                ("out.norm", &layer.out_norm),
                ("up", &layer.up),
                ("up.bias", &layer.up_bias),
                ("down", &layer.down),
                ("down.norm", &layer.down_norm),
            ];
            all.extend(parts.into_iter().map(|(part, tensor)| (format!("l{n}.{part}"), tensor.clone())));
        }
        all
    }

    /// Sizes.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The pieces of text it knows.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Cuts a text (in normal form) into tokens.
    #[must_use]
    pub fn tokens(&self, text: &str) -> Tokens {
        self.vocabulary.tokens(text)
    }

    /// Looks the tokens up: what the lowest layer reads.
    ///
    /// * `batch`: sentences of at most [`vocabulary::TOKENS_MAX`] tokens each, at least one.
    ///
    /// # Errors
    /// A token is outside of the vocabulary.
    pub fn embed(&self, batch: &[&[u32]]) -> candle_core::Result<States> {
        let mut borders = vec![0];
        let mut ids = Vec::new();
        let mut positions = Vec::new();
        for sentence in batch {
            ids.extend_from_slice(sentence);
            positions.extend(0..sentence.len() as u32);
            borders.push(ids.len());
        }
        let rows = |table: &Tensor, at: Vec<u32>| {
            let n = at.len();
            table.index_select(&Tensor::from_vec(at, n, &Device::Cpu)?, 0)
        };
        let word = rows(&self.word, ids)?;
        let position = rows(&self.position, positions)?;
        let tokens = word.apply_op3(&position, &self.norm, self.add_norm())?;
        Ok(States { tokens, borders: borders.into() })
    }

    /// Runs some layers.
    ///
    /// * `layers`: counted from 0, at most [`Shape::n_layers`].
    ///
    /// # Errors
    /// The states do not have the encoder's width.
    pub fn run(&self, states: &States, layers: Range<usize>) -> candle_core::Result<States> {
        let mut x = states.tokens.clone();
        for layer in &self.layers[layers] {
            let attention = Attention { borders: states.borders.clone(), n_heads: self.shape.n_heads };
            let context = x.matmul(&layer.qkv)?.apply_op2(&layer.qkv_bias, attention)?;
            x = context.matmul(&layer.out)?.apply_op3(&x, &layer.out_norm, self.add_norm())?;
            let inner = x.matmul(&layer.up)?.apply_op2(&layer.up_bias, BiasGelu)?;
            x = inner.matmul(&layer.down)?.apply_op3(&x, &layer.down_norm, self.add_norm())?;
        }
        Ok(States { tokens: x, borders: states.borders.clone() })
    }

    /// All layers over a batch of token rows.
    ///
    /// # Errors
    /// As [`Self::embed`].
    pub fn encode(&self, batch: &[&[u32]]) -> candle_core::Result<States> {
        self.run(&self.embed(batch)?, 0..self.shape.n_layers)
    }

    fn add_norm(&self) -> AddNorm {
        AddNorm { epsilon: self.shape.epsilon }
    }
}

impl States {
    /// The mean over each sentence's tokens, `[n_sentences, width]`: before normalisation the sentence vector.
    ///
    /// # Errors
    /// As candle's.
    pub fn means(&self) -> candle_core::Result<Tensor> {
        let stretches: Vec<(usize, usize)> = self.borders.windows(2).map(|pair| (pair[0], pair[1])).collect();
        self.tokens.apply_op1(Mean { stretches: stretches.into() })
    }

    /// The first token of each sentence, `[n_sentences, width]`.
    ///
    /// # Errors
    /// As candle's.
    pub fn firsts(&self) -> candle_core::Result<Tensor> {
        let n = self.borders.len() - 1;
        let at: Vec<u32> = self.borders[..n].iter().map(|border| *border as u32).collect();
        self.tokens.index_select(&Tensor::from_vec(at, n, &Device::Cpu)?, 0)
    }

    /// The tokens between the first and the last of each sentence, `[n_tokens, width]`, and where each sentence
    /// begins among them.
    ///
    /// # Errors
    /// As candle's.
    pub fn inner(&self) -> candle_core::Result<States> {
        let mut at = Vec::new();
        let mut borders = vec![0];
        for pair in self.borders.windows(2) {
            at.extend(pair[0] as u32 + 1..pair[1] as u32 - 1);
            borders.push(at.len());
        }
        let n = at.len();
        let tokens = self.tokens.index_select(&Tensor::from_vec(at, n, &Device::Cpu)?, 0)?;
        Ok(States { tokens, borders: borders.into() })
    }
}

/// Rows scaled to length 1; a row of zeros stays.
///
/// # Errors
/// As candle's.
pub fn unit(rows: &Tensor) -> candle_core::Result<Tensor> {
    let length = (rows.sqr()?.sum_keepdim(1)? + 1e-12)?.sqrt()?;
    rows.broadcast_div(&length)
}
