//! The kernels as operations that candle can differentiate.
//!
//! Sentences of a batch stand one after another, without padding: tensors are `[n_tokens, width]`, and the
//! operations that look across tokens know where each sentence begins.

use std::sync::Arc;

use candle_core::CpuStorage;
use candle_core::CustomOp1;
use candle_core::CustomOp2;
use candle_core::CustomOp3;
use candle_core::DType;
use candle_core::Device;
use candle_core::Layout;
use candle_core::Result;
use candle_core::Shape;
use candle_core::Storage;
use candle_core::Tensor;

use crate::encoder::kernel;

/// Borders of the sentences of a batch: sentence `i` has the tokens `borders[i]..borders[i + 1]`.
pub type Borders = Arc<[usize]>;

/// `[n_tokens, 3·width]` queries, keys, values and their bias `[3·width]` to the context `[n_tokens, width]`.
#[derive(Debug)]
pub struct Attention {
    /// Where the sentences begin.
    pub borders: Borders,
    /// Heads; divides the width.
    pub n_heads: usize,
}

impl CustomOp2 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        qkv: &CpuStorage,
        l1: &Layout,
        bias: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut qkv = values(qkv, l1)?.to_vec();
        kernel::add_bias(&mut qkv, values(bias, l2)?);
        let width = kernel::WIDTH;
        let mut context = vec![0.0; qkv.len() / 3];
        for pair in self.borders.windows(2) {
            kernel::attention(
                &qkv[pair[0] * 3 * width..pair[1] * 3 * width],
                self.n_heads,
                &mut context[pair[0] * width..pair[1] * width],
            );
        }
        let n_tokens = context.len() / width;
        Ok((CpuStorage::F32(context), (n_tokens, width).into()))
    }

    fn bwd(
        &self,
        qkv: &Tensor,
        bias: &Tensor,
        _context: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let width = kernel::WIDTH;
        let mut biased = numbers(qkv)?;
        let bias_values = numbers(bias)?;
        kernel::add_bias(&mut biased, &bias_values);
        let grad = numbers(grad)?;
        let mut grad_qkv = vec![0.0; biased.len()];
        for pair in self.borders.windows(2) {
            let wide = pair[0] * 3 * width..pair[1] * 3 * width;
            kernel::attention_backward(
                &biased[wide.clone()],
                self.n_heads,
                &grad[pair[0] * width..pair[1] * width],
                &mut grad_qkv[wide],
            );
        }
        let mut grad_bias = vec![0.0; bias_values.len()];
        kernel::add_rows(&grad_qkv, &mut grad_bias);
        Ok((Some(tensor(grad_qkv, qkv)?), Some(tensor(grad_bias, bias)?)))
    }
}

/// Layer normalisation of `x + bias + residual`; parameters `[3, width]`: bias, scale, shift.
#[derive(Debug)]
pub struct AddNorm {
    /// Added to the variance.
    pub epsilon: f32,
}

impl CustomOp3 for AddNorm {
    fn name(&self) -> &'static str {
        "add-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        l1: &Layout,
        residual: &CpuStorage,
        l2: &Layout,
        params: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut x = values(x, l1)?.to_vec();
        kernel::add_norm(&mut x, values(residual, l2)?, values(params, l3)?, self.epsilon);
        Ok((CpuStorage::F32(x), l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        residual: &Tensor,
        params: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut grad = numbers(grad)?;
        let params_values = numbers(params)?;
        let mut grad_params = vec![0.0; params_values.len()];
        kernel::add_norm_backward(
            &numbers(x)?,
            &numbers(residual)?,
            &params_values,
            self.epsilon,
            &mut grad,
            &mut grad_params,
        );
        let grad = tensor(grad, x)?;
        Ok((Some(grad.clone()), Some(grad), Some(tensor(grad_params, params)?)))
    }
}

/// GELU of `x + bias`; `x` `[n_tokens, n]`, bias `[n]`.
#[derive(Debug)]
pub struct BiasGelu;

impl CustomOp2 for BiasGelu {
    fn name(&self) -> &'static str {
        "bias-gelu"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        l1: &Layout,
        bias: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut x = values(x, l1)?.to_vec();
        kernel::bias_gelu(&mut x, values(bias, l2)?);
        Ok((CpuStorage::F32(x), l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut grad = numbers(grad)?;
        let bias_values = numbers(bias)?;
        kernel::bias_gelu_backward(&numbers(x)?, &bias_values, &mut grad);
        let mut grad_bias = vec![0.0; bias_values.len()];
        kernel::add_rows(&grad, &mut grad_bias);
        Ok((Some(tensor(grad, x)?), Some(tensor(grad_bias, bias)?)))
    }
}

/// The mean over stretches of tokens: `[n_tokens, n]` to `[n_stretches, n]`; a stretch without tokens gives zeros.
#[derive(Debug)]
pub struct Mean {
    /// Each stretch, its first token and the one behind its last.
    pub stretches: Arc<[(usize, usize)]>,
}

impl CustomOp1 for Mean {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = layout.shape().dims2()?;
        let x = values(x, layout)?;
        let mut means = vec![0.0; self.stretches.len() * width];
        for ((start, end), mean) in self.stretches.iter().zip(means.chunks_exact_mut(width)) {
            kernel::add_rows(&x[start * width..end * width], mean);
            let n_tokens = (end - start).max(1) as f32;
            mean.iter_mut().for_each(|mean| *mean /= n_tokens);
        }
        Ok((CpuStorage::F32(means), (self.stretches.len(), width).into()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (n_tokens, width) = x.dims2()?;
        let mut spread = vec![0.0; n_tokens * width];
        for ((start, end), grad) in self.stretches.iter().zip(numbers(grad)?.chunks_exact(width)) {
            let share = 1.0 / (end - start).max(1) as f32;
            for row in spread[start * width..end * width].chunks_exact_mut(width) {
                for (spread, grad) in row.iter_mut().zip(grad) {
                    *spread += grad * share;
                }
            }
        }
        Ok(Some(tensor(spread, x)?))
    }
}

/// The numbers of a contiguous `f32` storage.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("a kernel was given a tensor that is not contiguous: {layout:?}")
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// The numbers of a tensor, row by row, whatever its strides.
///
/// # Errors
/// The tensor is not on the CPU or holds no `f32`.
pub fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(values(storage, layout)?.to_vec()),
        _ => candle_core::bail!("the kernels run on the CPU"),
    }
}

fn tensor(values: Vec<f32>, like: &Tensor) -> Result<Tensor> {
    debug_assert_eq!(like.dtype(), DType::F32);
    Tensor::from_vec(values, like.shape(), &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;

    /// A number that looks random and is not.
    fn noise(i: usize, seed: usize) -> f32 {
        let x = (i as f32 * 12.9898 + seed as f32 * 78.233).sin() * 43_758.547;
        (x - x.floor()) * 2.0 - 1.0
    }

    fn var(shape: (usize, usize), seed: usize) -> Var {
        let values: Vec<f32> = (0..shape.0 * shape.1).map(|i| noise(i, seed)).collect();
        Var::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    /// Compares the gradient of `loss` with finite differences at some places of every variable.
    #[track_caller]
    fn check(vars: &[Var], loss: &dyn Fn() -> Tensor) {
        let grads = loss().backward().unwrap();
        for (n, var) in vars.iter().enumerate() {
            let grad: Vec<f32> = grads.get(var).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            let before: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
            for place in [0, before.len() / 3, before.len() / 2, before.len() - 1] {
                let at = |by: f32| {
                    let mut moved = before.clone();
                    moved[place] += by;
                    var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap()).unwrap();
                    loss().to_scalar::<f32>().unwrap()
                };
                let step = 1e-2;
                let slope = (at(step) - at(-step)) / (2.0 * step);
                at(0.0);
                let error = (slope - grad[place]).abs();
                assert!(
                    error < 2e-2 * (1.0 + slope.abs()),
                    "variable {n} place {place}: {slope} against {}",
                    grad[place]
                );
            }
        }
    }

    /// A scalar that depends on every number of `x`.
    fn weigh(x: &Tensor) -> Tensor {
        let weights: Vec<f32> = (0..x.elem_count()).map(|i| noise(i, 99)).collect();
        let weights = Tensor::from_vec(weights, x.shape(), &Device::Cpu).unwrap();
        (x * weights).unwrap().sum_all().unwrap()
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let width = kernel::WIDTH;
        let borders: Borders = [0, 2, 2, 5].into();
        let qkv = var((5, 3 * width), 1);
        let bias = var((1, 3 * width), 2);
        check(&[qkv.clone(), bias.clone()], &|| {
            let op = Attention { borders: borders.clone(), n_heads: 12 };
            weigh(&qkv.apply_op2(&bias.flatten_all().unwrap(), op).unwrap())
        });
        let (x, residual, params) = (var((3, 40), 3), var((3, 40), 4), var((3, 40), 5));
        check(&[x.clone(), residual.clone(), params.clone()], &|| {
            weigh(&x.apply_op3(&residual, &params, AddNorm { epsilon: 1e-12 }).unwrap())
        });
        let bias = var((1, 40), 6);
        check(&[x.clone(), bias.clone()], &|| {
            weigh(&x.apply_op2(&bias.flatten_all().unwrap(), BiasGelu).unwrap())
        });
        check(std::slice::from_ref(&x), &|| {
            weigh(&x.apply_op1(Mean { stretches: [(0, 2), (1, 3)].into() }).unwrap())
        });
    }
}
