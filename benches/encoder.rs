//! Our forward pass against candle-transformers' BERT of the same shape, in one run, one thread each.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use candle_core::Device;
use candle_core::Tensor;
use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use yingda::encoder::Encoder;
use yingda::encoder::Shape;
use yingda::encoder::kernel::WIDTH;
use yingda::encoder::peer;
use yingda::encoder::tensor_shapes;
use yingda::encoder::vocabulary::SPECIAL;
use yingda::encoder::vocabulary::Vocabulary;
use yingda::retrieval::nearest::Nearest;

/// Rows of the vocabulary: speed does not depend on them.
const PIECES: usize = 200;

fn ours(n_layers: usize) -> Encoder {
    let special = SPECIAL.iter().map(|piece| (*piece).to_owned());
    let pieces: Vec<String> =
        special.chain(('\u{4E00}'..).take(PIECES - SPECIAL.len()).map(String::from)).collect();
    let vocabulary = Vocabulary::new(pieces, vec![-1.0; PIECES]).expect("begins with the special pieces");
    let shape = Shape { n_layers, n_heads: 12, epsilon: 1e-12 };
    let tensors: HashMap<String, Tensor> = tensor_shapes(shape, PIECES)
        .into_iter()
        .map(|(name, dims)| (name, Tensor::randn(0.0_f32, 0.02, dims, &Device::Cpu).expect("small")))
        .collect();
    Encoder::new(shape, vocabulary, &tensors).expect("all tensors are there")
}

fn forward(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let mut group = criterion.benchmark_group("encoder");
    for n_layers in [4, 6, 12] {
        let ours = ours(n_layers);
        let theirs = peer::bert(&ours).expect("the same weights");
        for n_tokens in [16_usize, 64] {
            let ids: Vec<u32> = (0..n_tokens as u32).map(|n| 4 + n % 100).collect();
            let name = format!("{n_layers} layers, {n_tokens} tokens");
            group.bench_function(BenchmarkId::new("ours", &name), |bencher| {
                pool.install(|| bencher.iter(|| ours.encode(&[black_box(&ids)]).expect("computes")));
            });
            let batch = Tensor::from_vec(ids.clone(), (1, n_tokens), &Device::Cpu).expect("one row");
            let types = batch.zeros_like().expect("one row");
            group.bench_function(BenchmarkId::new("candle-transformers", &name), |bencher| {
                pool.install(|| {
                    bencher.iter(|| theirs.forward(black_box(&batch), &types, None).expect("computes"));
                });
            });
        }
    }
    group.finish();
}

/// What it costs to find the nearest of many sentence vectors, beside making one: to be read as a ratio to `ours`, 6
/// layers, 16 tokens. How long quantising takes and how much memory it needs is told once on stderr.
fn nearest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("nearest");
    for n_vectors in [10_000, 100_000] {
        let found = LazyCell::new(|| {
            let mut state = 1_u64;
            // A generator of Lehmer's kind: the same vectors in every run.
            let mut number = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 40) as f32 / 16_777_216.0 - 0.5
            };
            let vectors: Vec<Vec<f32>> = (0..n_vectors)
                .map(|_| {
                    let raw: Vec<f32> = (0..WIDTH).map(|_| number()).collect();
                    let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
                    raw.iter().map(|x| x / length).collect()
                })
                .collect();
            let began = Instant::now();
            let nearest = Nearest::new(&vectors);
            let (ms, megabytes) = (began.elapsed().as_millis(), n_vectors * WIDTH * 5 / 1_000_000);
            writeln!(std::io::stderr(), "nearest/{n_vectors}: {ms} ms once, {megabytes} MB")
                .expect("stderr takes a line");
            let of = vectors[7].clone();
            assert_eq!(nearest.nearest(&of, &|_| true, 60)[0].0, 7);
            (nearest, of)
        });
        group.bench_function(BenchmarkId::from_parameter(n_vectors), |bencher| {
            let (nearest, of) = LazyCell::force(&found);
            bencher.iter(|| nearest.nearest(black_box(of), &|_| true, 60));
        });
    }
    group.finish();
}

criterion_group!(benches, forward, nearest);
criterion_main!(benches);
