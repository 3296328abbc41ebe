//! The loops between the matrix products: bias, GELU, layer normalisation, attention; forward and backward.
//!
//! Plain safe Rust over slices, written so that the compiler makes vector code of it; [`pulp`] chooses the widest
//! instructions of the machine at run time. Each kernel takes rows of `width` numbers one after another.

use std::marker::PhantomData;
use std::sync::LazyLock;

use pulp::Arch;
use pulp::NullaryFnOnce;

static ARCH: LazyLock<Arch> = LazyLock::new(Arch::new);

/// Runs a loop with the widest registers of the machine.
///
/// The loop is the body of a method that is always inlined into what [`pulp`] compiles for each width; the body of a
/// closure is not, and would be compiled for the narrowest.
macro_rules! widest {
    (|$($name:ident: $kind:ty),*| $body:block) => {{
        struct Loop<'a> {
            $($name: $kind,)*
            borrows: PhantomData<&'a ()>,
        }
        impl NullaryFnOnce for Loop<'_> {
            type Output = ();

            #[inline(always)]
            fn call(self) {
                let Self { $($name,)* borrows: PhantomData } = self;
                $body
            }
        }
        ARCH.dispatch(Loop { $($name,)* borrows: PhantomData });
    }};
}

/// Numbers that are summed side by side: enough for two registers of the widest kind.
const LANES: usize = 32;

/// Gaussian error linear unit of `x + bias`, exact form: `x · Φ(x)`.
///
/// * `x`: rows of `bias.len()` numbers; overwritten by the result.
///
/// The error function is that of Abramowitz and Stegun, 7.1.26, within 2e-7.
pub fn bias_gelu(x: &mut [f32], bias: &[f32]) {
    widest!(|x: &'a mut [f32], bias: &'a [f32]| {
        for row in x.chunks_exact_mut(bias.len()) {
            for (x, bias) in row.iter_mut().zip(bias) {
                let value = *x + bias;
                *x = value * phi(value).0;
            }
        }
    });
}

/// Gradient of [`bias_gelu`]: overwrites `grad` (of the result) by that of `x`.
///
/// * `x`: what went in, without the bias.
pub fn bias_gelu_backward(x: &[f32], bias: &[f32], grad: &mut [f32]) {
    widest!(|x: &'a [f32], bias: &'a [f32], grad: &'a mut [f32]| {
        for (row, grad) in x.chunks_exact(bias.len()).zip(grad.chunks_exact_mut(bias.len())) {
            for ((x, bias), grad) in row.iter().zip(bias).zip(grad) {
                let value = x + bias;
                let (cumulative, density) = phi(value);
                *grad *= cumulative + value * density;
            }
        }
    });
}

/// Layer normalisation of `x + bias + residual`, scaled and shifted.
///
/// * `x`: rows of `width` numbers; overwritten by the result.
/// * `params`: `[3 · width]`: bias, scale, shift.
/// * `epsilon`: added to the variance.
pub fn add_norm(x: &mut [f32], residual: &[f32], params: &[f32], epsilon: f32) {
    widest!(|x: &'a mut [f32], residual: &'a [f32], params: &'a [f32], epsilon: f32| {
        let width = params.len() / 3;
        let (bias, rest) = params.split_at(width);
        let (scale, shift) = rest.split_at(width);
        for (x, residual) in x.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
            for ((x, residual), bias) in x.iter_mut().zip(residual).zip(bias) {
                *x += residual + bias;
            }
            let (mean, rstd) = moments(x, epsilon);
            for ((x, scale), shift) in x.iter_mut().zip(scale).zip(shift) {
                *x = (*x - mean) * rstd * scale + shift;
            }
        }
    });
}

/// Gradient of [`add_norm`]: that of `x` (and of the residual, which is the same) overwrites `grad`; that of the
/// parameters is added to `grad_params`.
pub fn add_norm_backward(
    x: &[f32],
    residual: &[f32],
    params: &[f32],
    epsilon: f32,
    grad: &mut [f32],
    grad_params: &mut [f32],
) {
    let mut unit = vec![0.0; params.len() / 3];
    let unit = unit.as_mut_slice();
    widest!(|x: &'a [f32],
             residual: &'a [f32],
             params: &'a [f32],
             epsilon: f32,
             grad: &'a mut [f32],
             grad_params: &'a mut [f32],
             unit: &'a mut [f32]| {
        let width = params.len() / 3;
        let (bias, rest) = params.split_at(width);
        let scale = &rest[..width];
        let (grad_bias, rest) = grad_params.split_at_mut(width);
        let (grad_scale, grad_shift) = rest.split_at_mut(width);
        let rows = x.chunks_exact(width).zip(residual.chunks_exact(width));
        for ((x, residual), grad) in rows.zip(grad.chunks_exact_mut(width)) {
            for (((unit, x), residual), bias) in unit.iter_mut().zip(x).zip(residual).zip(bias) {
                *unit = x + residual + bias;
            }
            let (mean, rstd) = moments(unit, epsilon);
            for ((((unit, grad), scale), grad_scale), grad_shift) in unit
                .iter_mut()
                .zip(grad.iter_mut())
                .zip(scale)
                .zip(grad_scale.iter_mut())
                .zip(grad_shift.iter_mut())
            {
                *unit = (*unit - mean) * rstd;
                *grad_shift += *grad;
                *grad_scale += *grad * *unit;
                *grad *= scale;
            }
            let mean_grad = sum(grad) / width as f32;
            let mean_along = dot(grad, unit) / width as f32;
            for ((grad, unit), grad_bias) in grad.iter_mut().zip(unit.iter()).zip(grad_bias.iter_mut()) {
                *grad = (*grad - mean_grad - unit * mean_along) * rstd;
                *grad_bias += *grad;
            }
        }
    });
}

/// Adds `bias` to every row of `x`.
pub fn add_bias(x: &mut [f32], bias: &[f32]) {
    widest!(|x: &'a mut [f32], bias: &'a [f32]| {
        for row in x.chunks_exact_mut(bias.len()) {
            for (x, bias) in row.iter_mut().zip(bias) {
                *x += bias;
            }
        }
    });
}

/// The sum of the rows of `x`, added to `total`.
pub fn add_rows(x: &[f32], total: &mut [f32]) {
    widest!(|x: &'a [f32], total: &'a mut [f32]| {
        for row in x.chunks_exact(total.len()) {
            for (total, x) in total.iter_mut().zip(row) {
                *total += x;
            }
        }
    });
}

/// Products of a vector of small whole numbers with many others.
///
/// * `rows`: `[n, of.len()]`.
/// * `products`: `[n]`; overwritten.
pub fn products(rows: &[i8], of: &[i8], products: &mut [i32]) {
    assert_eq!(rows.len(), of.len() * products.len(), "one product a row");
    widest!(|rows: &'a [i8], of: &'a [i8], products: &'a mut [i32]| {
        for (row, product) in rows.chunks_exact(of.len().max(1)).zip(products.iter_mut()) {
            *product = row.iter().zip(of).map(|(a, b)| i32::from(i16::from(*a) * i16::from(*b))).sum();
        }
    });
}

/// Product of two vectors of the same length.
#[must_use]
pub fn product(a: &[f32], b: &[f32]) -> f32 {
    let mut found = 0.0;
    let result = &mut found;
    widest!(|a: &'a [f32], b: &'a [f32], result: &'a mut f32| {
        *result = dot(a, b);
    });
    found
}

/// Multi-head self-attention of one sequence.
///
/// * `qkv`: `[n_tokens, 3 · width]`: query, key, value of every token, biases added.
/// * `context`: `[n_tokens, width]`: overwritten by the values, mixed by the softmax of query · key / √head.
pub fn attention(qkv: &[f32], n_heads: usize, context: &mut [f32]) {
    let Some((n_tokens, width, head)) = attention_shape(qkv, n_heads, context) else { return };
    let mut weights = vec![0.0; n_tokens];
    let weights = weights.as_mut_slice();
    widest!(|qkv: &'a [f32],
             n_heads: usize,
             context: &'a mut [f32],
             weights: &'a mut [f32],
             width: usize,
             head: usize| {
        for h in 0..n_heads {
            for (i, context) in context.chunks_exact_mut(width).enumerate() {
                attend(qkv, (h, i), (width, head), weights);
                let context = &mut context[h * head..(h + 1) * head];
                context.fill(0.0);
                for (j, weight) in weights.iter().enumerate() {
                    let value = &qkv[j * 3 * width + 2 * width + h * head..][..head];
                    for (context, value) in context.iter_mut().zip(value) {
                        *context += weight * value;
                    }
                }
            }
        }
    });
}

/// Gradient of [`attention`]: adds that of `qkv` to `grad_qkv`.
///
/// * `grad`: `[n_tokens, width]`, of the context.
pub fn attention_backward(qkv: &[f32], n_heads: usize, grad: &[f32], grad_qkv: &mut [f32]) {
    let Some((n_tokens, width, head)) = attention_shape(qkv, n_heads, grad) else { return };
    let (mut weights, mut grad_weights) = (vec![0.0; n_tokens], vec![0.0; n_tokens]);
    let (weights, grad_weights) = (weights.as_mut_slice(), grad_weights.as_mut_slice());
    widest!(|qkv: &'a [f32],
             n_heads: usize,
             grad: &'a [f32],
             grad_qkv: &'a mut [f32],
             weights: &'a mut [f32],
             grad_weights: &'a mut [f32],
             width: usize,
             head: usize| {
        let scale = 1.0 / (head as f32).sqrt();
        for h in 0..n_heads {
            for (i, grad) in grad.chunks_exact(width).enumerate() {
                attend(qkv, (h, i), (width, head), weights);
                let grad = &grad[h * head..(h + 1) * head];
                for (j, (weight, grad_weight)) in weights.iter().zip(grad_weights.iter_mut()).enumerate() {
                    let at = j * 3 * width + 2 * width + h * head;
                    *grad_weight = dot(grad, &qkv[at..at + head]);
                    for (grad_value, grad) in grad_qkv[at..at + head].iter_mut().zip(grad) {
                        *grad_value += weight * grad;
                    }
                }
                let along = dot(weights, grad_weights);
                for (j, (weight, grad_weight)) in weights.iter().zip(grad_weights.iter()).enumerate() {
                    let grad_score = weight * (grad_weight - along) * scale;
                    let query = i * 3 * width + h * head;
                    let key = j * 3 * width + width + h * head;
                    for d in 0..head {
                        grad_qkv[query + d] += grad_score * qkv[key + d];
                        grad_qkv[key + d] += grad_score * qkv[query + d];
                    }
                }
            }
        }
    });
}

/// Tokens, width and numbers a head; `None` for a sequence without tokens.
fn attention_shape(qkv: &[f32], n_heads: usize, context: &[f32]) -> Option<(usize, usize, usize)> {
    assert_eq!(qkv.len(), 3 * context.len(), "queries, keys and values are three times the context");
    if context.is_empty() {
        return None;
    }
    // The rows are told apart by the caller's shapes: a sequence is whole, so its length divides.
    let width = WIDTH;
    assert_eq!(context.len() % width, 0, "rows of {width}");
    Some((context.len() / width, width, width / n_heads))
}

/// Numbers a token has in every layer. One constant for all our encoders lets the compiler unroll.
pub const WIDTH: usize = 384;

/// How much token `i` listens to each token, in head `h`; sums to 1.
#[inline(always)]
fn attend(qkv: &[f32], (h, i): (usize, usize), (width, head): (usize, usize), weights: &mut [f32]) {
    let scale = 1.0 / (head as f32).sqrt();
    let query = &qkv[i * 3 * width + h * head..][..head];
    let mut highest = f32::NEG_INFINITY;
    for (j, weight) in weights.iter_mut().enumerate() {
        *weight = dot(query, &qkv[j * 3 * width + width + h * head..][..head]) * scale;
        highest = highest.max(*weight);
    }
    for weight in weights.iter_mut() {
        *weight = exp(*weight - highest);
    }
    let total = 1.0 / sum(weights);
    for weight in weights.iter_mut() {
        *weight *= total;
    }
}

/// Mean and reciprocal standard deviation.
#[inline(always)]
fn moments(x: &[f32], epsilon: f32) -> (f32, f32) {
    let mean = sum(x) / x.len() as f32;
    let mut lanes = [0.0; LANES];
    let mut chunks = x.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += (x - mean) * (x - mean);
        }
    }
    let rest: f32 = chunks.remainder().iter().map(|x| (x - mean) * (x - mean)).sum();
    let variance = (lanes.iter().sum::<f32>() + rest) / x.len() as f32;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

#[inline(always)]
fn sum(x: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let mut chunks = x.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    lanes.iter().sum::<f32>() + chunks.remainder().iter().sum::<f32>()
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (mut a, mut b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (a, b) in (&mut a).zip(&mut b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

/// The normal distribution at `x`: cumulative probability and density.
#[inline(always)]
fn phi(x: f32) -> (f32, f32) {
    const INV_SQRT_2: f32 = std::f32::consts::FRAC_1_SQRT_2;
    const INV_SQRT_TAU: f32 = 0.398_942_3;
    let bell = exp(-0.5 * x * x);
    let t = 1.0 / (1.0 + 0.327_591_1 * INV_SQRT_2 * x.abs());
    let poly =
        ((((1.061_405_4 * t - 1.453_152_1) * t + 1.421_413_8) * t - 0.284_496_72) * t + 0.254_829_6) * t;
    let upper = 0.5 * poly * bell;
    (if x >= 0.0 { 1.0 - upper } else { upper }, INV_SQRT_TAU * bell)
}

/// The exponential function, within 3e-7 relative for `x <= 88`; below -87 it stays at e^-87.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding and taking it away rounds to whole numbers; its low bits then hold the number.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = (x - whole * 0.693_359_4) + whole * 2.121_944_4e-4;
    let poly = ((((0.001_388_95 * r + 0.008_333_7) * r + 0.041_666_5) * r + 0.166_666_65) * r + 0.5) * r * r
        + r
        + 1.0;
    let power = f32::from_bits(shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23);
    poly * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_function_is_the_libraries_within_rounding() {
        for step in -8_700..=8_800 {
            let x = step as f32 / 100.0;
            let (ours, theirs) = (exp(x), x.exp());
            assert!((ours - theirs).abs() <= 1e-6 * theirs, "exp({x}): {ours} against {theirs}");
        }
        assert_eq!(exp(f32::NEG_INFINITY), exp(-87.0));
    }

    #[test]
    fn gelu_has_its_known_values() {
        // torch.nn.functional.gelu(torch.tensor([-3., -1., -0.5, 0., 0.5, 1., 3.]))
        let mut x = [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0];
        let expected =
            [-0.004_049_69, -0.158_655_26, -0.154_268_77, 0.0, 0.345_731_23, 0.841_344_7, 2.995_950_3];
        bias_gelu(&mut x, &[0.0; 7]);
        for (found, expected) in x.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} against {expected}");
        }
    }
}
