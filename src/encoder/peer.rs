//! The same weights in another implementation of the architecture, to compare numbers and speed with.

use std::collections::HashMap;

use candle_core::DType;
use candle_core::Device;
use candle_core::Tensor;
use candle_nn::VarBuilder;
use candle_transformers::models::bert::BertModel;
use candle_transformers::models::bert::Config;
use candle_transformers::models::bert::HiddenAct;
use candle_transformers::models::bert::PositionEmbeddingType;

use crate::encoder::Encoder;
use crate::encoder::kernel::WIDTH;
use crate::encoder::vocabulary::TOKENS_MAX;

/// Every token is of the first of this many kinds.
const KINDS: usize = 2;

/// candle-transformers' BERT with the weights of an encoder.
///
/// # Errors
/// As candle's.
pub fn bert(encoder: &Encoder) -> candle_core::Result<BertModel> {
    let ours = encoder.tensors();
    let mut theirs: HashMap<String, Tensor> = HashMap::new();
    let mut put = |name: &str, tensor: Tensor| {
        theirs.insert(name.to_owned(), tensor.contiguous()?);
        Ok::<(), candle_core::Error>(())
    };
    let row = |name: &str, at: usize| ours[name].get(at);
    put("embeddings.word_embeddings.weight", ours["word"].clone())?;
    put("embeddings.position_embeddings.weight", ours["position"].clone())?;
    // The kind of a token other than the first would be noticed.
    let kinds = Tensor::stack(&[row("norm", 0)?, Tensor::ones(WIDTH, DType::F32, &Device::Cpu)?], 0)?;
    put("embeddings.token_type_embeddings.weight", kinds)?;
    put("embeddings.LayerNorm.weight", row("norm", 1)?)?;
    put("embeddings.LayerNorm.bias", row("norm", 2)?)?;
    for layer in 0..encoder.shape().n_layers {
        let own = |part: &str| format!("l{layer}.{part}");
        let other = |part: &str| format!("encoder.layer.{layer}.{part}");
        for (at, part) in ["query", "key", "value"].into_iter().enumerate() {
            let weight = ours[&own("qkv")].narrow(1, at * WIDTH, WIDTH)?;
            let bias = ours[&own("qkv.bias")].narrow(0, at * WIDTH, WIDTH)?;
            put(&other(&format!("attention.self.{part}.weight")), weight.t()?)?;
            put(&other(&format!("attention.self.{part}.bias")), bias)?;
        }
        let dense = [("out", "out.norm", "attention.output"), ("down", "down.norm", "output")];
        for (matrix, norm, part) in dense {
            put(&other(&format!("{part}.dense.weight")), ours[&own(matrix)].t()?)?;
            put(&other(&format!("{part}.dense.bias")), row(&own(norm), 0)?)?;
            put(&other(&format!("{part}.LayerNorm.weight")), row(&own(norm), 1)?)?;
            put(&other(&format!("{part}.LayerNorm.bias")), row(&own(norm), 2)?)?;
        }
        put(&other("intermediate.dense.weight"), ours[&own("up")].t()?)?;
        put(&other("intermediate.dense.bias"), ours[&own("up.bias")].clone())?;
    }
    let config = Config {
        vocab_size: encoder.vocabulary().len(),
        hidden_size: WIDTH,
        num_hidden_layers: encoder.shape().n_layers,
        num_attention_heads: encoder.shape().n_heads,
        intermediate_size: 4 * WIDTH,
        hidden_act: HiddenAct::Gelu,
        hidden_dropout_prob: 0.0,
        max_position_embeddings: TOKENS_MAX,
        type_vocab_size: KINDS,
        initializer_range: 0.02,
        layer_norm_eps: f64::from(encoder.shape().epsilon),
        pad_token_id: 1,
        position_embedding_type: PositionEmbeddingType::Absolute,
        use_cache: false,
        classifier_dropout: None,
        model_type: None,
    };
    BertModel::load(VarBuilder::from_tensors(theirs, DType::F32, &Device::Cpu), &config)
}
