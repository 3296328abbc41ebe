//! The encoder: its numbers against another implementation of the same architecture, and its file.

use std::collections::HashMap;
use std::fs;

use candle_core::Device;
use candle_core::Tensor;
use safetensors::tensor::TensorView;
use yingda::encoder::Encoder;
use yingda::encoder::Shape;
use yingda::encoder::artefact;
use yingda::encoder::artefact::Precision;
use yingda::encoder::kernel::WIDTH;
use yingda::encoder::peer;
use yingda::encoder::tensor_shapes;
use yingda::encoder::vocabulary::SPECIAL;
use yingda::encoder::vocabulary::TOKENS_MAX;
use yingda::encoder::vocabulary::Vocabulary;

/// Largest distance of two states that differ in the order of their sums alone. With weights drawn alike, NumPy
/// 2.4 put single and double precision 3e-6 apart, the tanh form of GELU 8e-4.
const ROUNDING: f32 = 1e-4;

/// Largest distance of a state from the one before its weights were rounded to 11 bits; 3e-3 in the same trial.
const HALF: f32 = 1e-2;

/// Attention heads of all our encoders.
const N_HEADS: usize = 12;

/// What a random encoder knows; every other character is unknown to it.
const CHARACTERS: &str =
    "退货款寄回发票抬头税尺码大小长天气雨雪诗黑白红色这的吗呢啊了可以要多少钱衬衫我你很好,?a0\u{2581}";

/// A number between -1 and 1 that looks random and is the same everywhere.
///
/// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
fn noise(seed: usize, at: usize) -> f32 {
    let mut z = (((seed as u64) << 32) + at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
}

/// Numbers between `-reach` and `reach`.
pub(crate) fn random_tensor(seed: usize, dims: &[usize], reach: f32) -> Tensor {
    let n_values: usize = dims.iter().product();
    let values: Vec<f32> = (0..n_values).map(|at| noise(seed, at) * reach).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

/// An encoder of single characters that has learned nothing.
pub(crate) fn random_encoder(n_layers: usize, reach: f32) -> Encoder {
    let shape = Shape { n_layers, n_heads: N_HEADS, epsilon: 1e-12 };
    let special = SPECIAL.into_iter().map(|piece| (piece.to_owned(), 0.0));
    let characters = CHARACTERS.chars().map(|c| (c.to_string(), -4.0));
    let (pieces, scores) = special.chain(characters).unzip();
    let vocabulary = Vocabulary::new(pieces, scores).unwrap();
    let mut tensors = HashMap::new();
    for (seed, (name, dims)) in tensor_shapes(shape, vocabulary.len()).into_iter().enumerate() {
        let mut tensor = random_tensor(seed, &dims, reach);
        if name.ends_with("norm") {
            // Bias, scale, shift: the scale lies around 1.
            let scale: Vec<f32> = (0..3 * WIDTH).map(|at| f32::from(u8::from(at / WIDTH == 1))).collect();
            tensor = (tensor + Tensor::from_vec(scale, (3, WIDTH), &Device::Cpu).unwrap()).unwrap();
        }
        tensors.insert(name, tensor);
    }
    Encoder::new(shape, vocabulary, &tensors).unwrap()
}

/// Sentences of nothing, of one character, with blanks and unknown characters, and of the greatest length.
fn sentences() -> Vec<String> {
    let longest = CHARACTERS.chars().cycle().take(TOKENS_MAX - 2).collect();
    let short = ["", "退", "黑色的衬衫可以退货吗?", "鑫 a0 淼", "大", "要发票,多少钱"];
    short.into_iter().map(str::to_owned).chain([longest]).collect()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[track_caller]
fn assert_near(ours: &Tensor, theirs: &Tensor, limit: f32, what: &str) {
    assert_eq!(ours.dims(), theirs.dims(), "{what}");
    let (ours, theirs) = (values(ours), values(theirs));
    let distances: Vec<f32> = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).collect();
    let farthest = distances.iter().copied().fold(0.0, f32::max);
    // A state that is no number is near to none.
    assert!(distances.iter().all(|distance| *distance <= limit), "{farthest} apart: {what}");
}

// The forward pass.

#[test]
fn every_token_state_is_that_of_bert() {
    let encoder = random_encoder(2, 0.1);
    let bert = peer::bert(&encoder).unwrap();
    for sentence in sentences() {
        let tokens = encoder.tokens(&sentence).ids;
        let ours = encoder.encode(&[&tokens]).unwrap().tokens;
        let ids = Tensor::from_slice(&tokens, (1, tokens.len()), &Device::Cpu).unwrap();
        let (kinds, mask) = (ids.zeros_like().unwrap(), ids.ones_like().unwrap());
        let theirs = bert.forward(&ids, &kinds, Some(&mask)).unwrap().squeeze(0).unwrap();
        assert_near(&ours, &theirs, ROUNDING, &sentence);
    }
}

#[test]
fn a_batch_says_what_single_calls_say() {
    let encoder = random_encoder(2, 0.1);
    let sentences = sentences();
    let ids: Vec<Vec<u32>> = sentences.iter().map(|sentence| encoder.tokens(sentence).ids).collect();
    let rows: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
    let batch = encoder.encode(&rows).unwrap();
    let means = batch.means().unwrap();
    assert_eq!(batch.borders.len(), sentences.len() + 1);
    for (at, sentence) in sentences.iter().enumerate() {
        let single = encoder.encode(&rows[at..=at]).unwrap();
        let (start, end) = (batch.borders[at], batch.borders[at + 1]);
        let within = batch.tokens.narrow(0, start, end - start).unwrap();
        assert_near(&within, &single.tokens, ROUNDING, sentence);
        assert_near(&means.narrow(0, at, 1).unwrap(), &single.means().unwrap(), ROUNDING, sentence);
    }
}

// The file.

#[test]
fn a_loaded_encoder_says_what_the_saved_one_says() {
    let folder = tempfile::tempdir().unwrap();
    let saved = random_encoder(2, 0.1);
    let checksum = artefact::save(&saved, "seeded noise", folder.path()).unwrap();
    let loaded = artefact::load(folder.path()).unwrap();
    assert_eq!((loaded.checksum, loaded.origin.as_str()), (checksum, "seeded noise"));
    assert_eq!(loaded.encoder.shape(), saved.shape());
    assert_eq!(loaded.encoder.vocabulary(), saved.vocabulary());
    for sentence in sentences() {
        let tokens = saved.tokens(&sentence);
        assert_eq!(loaded.encoder.tokens(&sentence), tokens);
        let before = saved.encode(&[&tokens.ids]).unwrap().tokens;
        let after = loaded.encoder.encode(&[&tokens.ids]).unwrap().tokens;
        assert_near(&after, &before, HALF, &sentence);
    }
}

/// A whole file, byte by byte.
fn file_bytes() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    artefact::save(&random_encoder(1, 0.05), "seeded noise", folder.path()).unwrap();
    fs::read(folder.path().join(artefact::FILE)).unwrap()
}

#[test]
fn the_same_weights_make_the_same_file() {
    // An order that is drawn anew for every file may be the same by chance once, hardly three times.
    let first = file_bytes();
    for _ in 0..3 {
        assert!(file_bytes() == first, "the files differ");
    }
}

/// Checks that a file with these bytes gives no encoder, and that the error names the file and what is wrong.
#[track_caller]
fn assert_refused(bytes: &[u8], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(artefact::FILE);
    fs::write(&path, bytes).unwrap();
    let error = artefact::load(folder.path()).unwrap_err();
    let text = format!("{:#}", anyhow::Error::new(error));
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert!(text.contains(expected), "{expected:?} is not in: {text}");
}

#[test]
fn a_file_that_ends_early_or_late_is_refused() {
    let bytes = file_bytes();
    for n_bytes in [0, 7, 8, 20, bytes.len() / 2, bytes.len() - 1] {
        assert_refused(&bytes[..n_bytes], "is no whole safetensors file");
    }
    assert_refused(&[&bytes[..], b"x"].concat(), "is no whole safetensors file");
}

/// Where the weights begin: behind the length of the head and the head.
pub(crate) fn weights_at(file: &[u8]) -> usize {
    let length = file.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)).expect("a length of eight bytes");
    8 + usize::try_from(length).unwrap()
}

#[test]
fn a_changed_weight_is_noticed() {
    let bytes = file_bytes();
    let body = weights_at(&bytes);
    for place in [body, (body + bytes.len()) / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert_refused(&changed, "is damaged: it has the checksum");
    }
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    assert_refused(
        b"These are no weights but words, and more of them than eight.",
        "is no whole safetensors file",
    );
    let four = 1.0_f32.to_le_bytes();
    let view = TensorView::new(safetensors::Dtype::F32, vec![1], &four).unwrap();
    assert_refused(&safetensors::serialize([("word", view)], None).unwrap(), "is not a file of ours");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(artefact::FILE);
    artefact::write(&path, "checkpoint", &"a head", &HashMap::new(), Precision::Full).unwrap();
    assert_refused(
        &fs::read(&path).unwrap(),
        r#"is not a file of ours: it holds "checkpoint", expected "encoder""#,
    );
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = anyhow::Error::new(artefact::load(folder.path()).unwrap_err());
    let text = format!("{error:#}");
    assert!(text.contains(artefact::FILE) && text.contains("No such file"), "{text}");
}
