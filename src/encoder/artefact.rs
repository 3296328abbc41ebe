//! Weights on disk: a safetensors file in half precision, whose head says what it is and what it adds up to.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;

use candle_core::DType;
use candle_core::Device;
use candle_core::Tensor;
use safetensors::SafeTensors;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Digest;
use sha2::Sha256;

use crate::encoder::Encoder;
use crate::encoder::EncoderError;
use crate::encoder::Shape;
use crate::encoder::vocabulary::Vocabulary;
use crate::text::hex;

/// Name of the file in a model's folder.
pub const FILE: &str = "encoder.safetensors";

/// Written into every file; another number means another layout.
const FORMAT: u32 = 2;

/// Why a file gives no weights. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum ArtefactError {
    /// The file cannot be read or written.
    #[error("{}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It is no safetensors file, or not all of it.
    #[error("{} is no whole safetensors file", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// It is a safetensors file of somebody else, or of another version.
    #[error("{} is not a file of ours: {detail}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is missing.
        detail: String,
    },
    /// Head or body are not what was written.
    #[error("{} is damaged: it has the checksum {found}, expected {expected}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Checksum of head and body.
        found: String,
        /// Checksum that the head names.
        expected: String,
    },
    /// The weights do not make an encoder.
    #[error("{}", path.display())]
    Encoder {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: EncoderError,
    },
}

/// What the head of an encoder's file says.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    shape: Shape,
    pieces: Vec<String>,
    scores: Vec<f32>,
    origin: String,
}

/// A loaded encoder and the name by which models refer to it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The encoder.
    pub encoder: Encoder,
    /// SHA-256 of head and weights, in hexadecimal digits.
    pub checksum: String,
    /// Where its weights come from, in words.
    pub origin: String,
}

/// Writes an encoder to `folder`.
///
/// * `origin`: where the weights come from, for the reader of the file.
/// * Returns the checksum.
///
/// # Errors
/// The folder cannot be written.
pub fn save(encoder: &Encoder, origin: &str, folder: &Path) -> Result<String, ArtefactError> {
    let path = folder.join(FILE);
    let head = Head {
        shape: encoder.shape(),
        pieces: encoder.vocabulary().pieces().to_vec(),
        scores: encoder.vocabulary().scores().to_vec(),
        origin: origin.to_owned(),
    };
    write(&path, "encoder", &head, &encoder.tensors(), Precision::Half)
}

/// Reads the encoder of `folder`.
///
/// # Errors
/// The file is missing, damaged, foreign, or its weights make no encoder.
pub fn load(folder: &Path) -> Result<Loaded, ArtefactError> {
    let path = folder.join(FILE);
    let (head, tensors, checksum): (Head, _, _) = read(&path, "encoder")?;
    let wrong = |source: EncoderError| ArtefactError::Encoder { path: path.clone(), source };
    let vocabulary = Vocabulary::new(head.pieces, head.scores).map_err(|source| wrong(source.into()))?;
    let encoder = Encoder::new(head.shape, vocabulary, &tensors).map_err(wrong)?;
    Ok(Loaded { encoder, checksum, origin: head.origin })
}

/// How many bits a weight has on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 16: enough to answer with.
    Half,
    /// 32: what training goes on from.
    Full,
}

impl Precision {
    /// As the format writes it.
    fn name(self) -> &'static str {
        match self {
            Self::Half => "F16",
            Self::Full => "F32",
        }
    }
}

/// Writes tensors with a head that says what they are. The file appears whole or not at all.
///
/// * `kind`: what [`read`] must ask for.
/// * Returns the SHA-256 of head and body.
///
/// # Errors
/// The file cannot be written.
pub fn write<H: Serialize>(
    path: &Path,
    kind: &str,
    head: &H,
    tensors: &HashMap<String, Tensor>,
    precision: Precision,
) -> Result<String, ArtefactError> {
    let io = |source: std::io::Error| ArtefactError::Io { path: path.to_owned(), source };
    let tensor_error =
        |source: candle_core::Error| ArtefactError::Encoder { path: path.to_owned(), source: source.into() };
    let mut names: Vec<&String> = tensors.keys().collect();
    names.sort();
    let mut bodies = Vec::new();
    for name in names {
        let tensor = &tensors[name];
        let (dtype, bytes) = encoded(tensor, precision).map_err(tensor_error)?;
        bodies.push((name, tensor.dims().to_vec(), dtype, bytes));
    }
    let head = serde_json::to_string(head).map_err(|error| io(error.into()))?;
    let checksum = checksum(
        kind,
        &head,
        bodies.iter().map(|(name, shape, dtype, bytes)| Part { name, shape, dtype, bytes }),
    );
    let mut header = serde_json::Map::new();
    let mut start = 0;
    for (name, shape, dtype, bytes) in &bodies {
        let end = start + bytes.len();
        let entry = serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] });
        header.insert((*name).clone(), entry);
        start = end;
    }
    header.insert(
        "__metadata__".to_owned(),
        serde_json::json!({
            "yingda.format": FORMAT.to_string(),
            "yingda.kind": kind,
            "yingda.head": head,
            "yingda.sha256": checksum,
        }),
    );
    // The crate's own writer takes the metadata as a hash map, and so writes it in another order every time; the same
    // weights are to make the same file.
    let mut header = serde_json::Value::Object(header).to_string();
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.into_bytes());
    bodies.iter().for_each(|(_, _, _, body)| bytes.extend(body));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    let partial = path.with_extension("partial");
    let written = std::fs::File::create(&partial).and_then(|mut file| {
        std::io::Write::write_all(&mut file, &bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| std::fs::rename(&partial, path)) {
        // The half-written file is of no use; that it may not be removable either changes nothing.
        let _ = std::fs::remove_file(&partial);
        return Err(io(error));
    }
    Ok(checksum)
}

/// A tensor as it lies in the file, after the name of its type: whole numbers as they are, others as `precision` says.
fn encoded(tensor: &Tensor, precision: Precision) -> candle_core::Result<(&'static str, Vec<u8>)> {
    let flat = tensor.flatten_all()?;
    if flat.dtype() == DType::U32 {
        return Ok(("U32", flat.to_vec1::<u32>()?.iter().flat_map(|value| value.to_le_bytes()).collect()));
    }
    let values: Vec<f32> = flat.to_vec1()?;
    let bytes = match precision {
        Precision::Half => {
            values.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect()
        }
        Precision::Full => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    };
    Ok((precision.name(), bytes))
}

/// Reads what [`write`] wrote: whole numbers as they are, others as `f32`.
///
/// # Errors
/// The file is missing, damaged, of another kind or version.
pub fn read<H: DeserializeOwned>(
    path: &Path,
    kind: &str,
) -> Result<(H, HashMap<String, Tensor>, String), ArtefactError> {
    let bytes = std::fs::read(path).map_err(|source| ArtefactError::Io { path: path.to_owned(), source })?;
    let damaged = |source| ArtefactError::Damaged { path: path.to_owned(), source };
    let foreign = |detail: String| ArtefactError::Foreign { path: path.to_owned(), detail };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let metadata = metadata.metadata().clone().unwrap_or_default();
    let entry = |name: &str| {
        metadata.get(name).map(String::as_str).ok_or_else(|| foreign(format!("its head has no {name}")))
    };
    if entry("yingda.format")? != FORMAT.to_string() {
        return Err(foreign(format!("its format is {}, expected {FORMAT}", entry("yingda.format")?)));
    }
    if entry("yingda.kind")? != kind {
        return Err(foreign(format!("it holds {:?}, expected {kind:?}", entry("yingda.kind")?)));
    }
    let file = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let mut views = file.tensors();
    views.sort_by(|a, b| a.0.cmp(&b.0));
    let head = entry("yingda.head")?;
    let dtypes: Vec<String> = views.iter().map(|(_, view)| format!("{:?}", view.dtype())).collect();
    let parts = views.iter().zip(&dtypes).map(|((name, view), dtype)| Part {
        name,
        shape: view.shape(),
        dtype,
        bytes: view.data(),
    });
    let found = checksum(kind, head, parts);
    let expected = entry("yingda.sha256")?;
    if found != expected {
        return Err(ArtefactError::Checksum { path: path.to_owned(), found, expected: expected.to_owned() });
    }
    let head = serde_json::from_str(head).map_err(|error| foreign(error.to_string()))?;
    let mut tensors = HashMap::new();
    for (name, view) in views {
        let (dtype, wanted) = match view.dtype() {
            safetensors::Dtype::F16 => (DType::F16, DType::F32),
            safetensors::Dtype::F32 => (DType::F32, DType::F32),
            safetensors::Dtype::U32 => (DType::U32, DType::U32),
            other => return Err(foreign(format!("tensor {name} has the type {other:?}"))),
        };
        let tensor = Tensor::from_raw_buffer(view.data(), dtype, view.shape(), &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(wanted))
            .map_err(|source| ArtefactError::Encoder { path: path.to_owned(), source: source.into() })?;
        tensors.insert(name, tensor);
    }
    Ok((head, tensors, found))
}

/// A tensor in a file.
struct Part<'a> {
    name: &'a str,
    shape: &'a [usize],
    dtype: &'a str,
    bytes: &'a [u8],
}

/// SHA-256 of what a file holds: its kind and head, and name, type, shape and numbers of every tensor, each after a
/// line that tells its length.
fn checksum<'a>(kind: &str, head: &str, parts: impl Iterator<Item = Part<'a>>) -> String {
    let mut sum = Sha256::new();
    let mut add = |bytes: &[u8]| {
        sum.update(format!("{}\n", bytes.len()));
        sum.update(bytes);
    };
    add(kind.as_bytes());
    add(head.as_bytes());
    for part in parts {
        add(part.name.as_bytes());
        add(format!("{} {:?}", part.dtype, part.shape).as_bytes());
        add(part.bytes);
    }
    hex::lower_hex(&sum.finalize())
}
