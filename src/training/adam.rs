//! The optimiser: Adam with decoupled weight decay, in place.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use candle_core::CpuStorage;
use candle_core::InplaceOp1;
use candle_core::Layout;
use candle_core::Tensor;
use candle_core::Var;

use crate::encoder::ops;

/// Settings that stay the same during training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// Decay of the mean gradient, `0.0..1.0`.
    pub beta1: f32,
    /// Decay of the mean squared gradient, `0.0..1.0`.
    pub beta2: f32,
    /// Share of a weight that is taken off at learning rate 1; not for vectors and rows of three.
    pub decay: f32,
    /// Longest gradient, all variables together; a longer one is shortened.
    pub norm_max: f32,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.98, decay: 0.01, norm_max: 1.0 }
    }
}

/// Variables with the moments of their gradients.
///
/// Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
#[derive(Debug)]
pub struct Adam {
    settings: AdamSettings,
    /// By name, so that the order is the same in every run.
    parameters: BTreeMap<String, Parameter>,
    n_steps: u32,
}

#[derive(Debug)]
struct Parameter {
    var: Var,
    /// Learning rate relative to the step's.
    rate: f32,
    mean: Mutex<Vec<f32>>,
    square: Mutex<Vec<f32>>,
}

/// What a resumed training needs of the optimiser.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    /// By variable: mean and mean square of its gradient.
    pub by_name: HashMap<String, (Vec<f32>, Vec<f32>)>,
    /// Steps taken.
    pub n_steps: u32,
}

/// One update of one variable.
struct Update<'a> {
    /// Gradients, added up.
    shards: &'a [Vec<f32>],
    mean: &'a Mutex<Vec<f32>>,
    square: &'a Mutex<Vec<f32>>,
    settings: AdamSettings,
    /// Multiplies the gradient.
    scale: f32,
    /// Learning rate, corrected for the start of the means.
    rate: f32,
    /// Square root of the correction of the mean square.
    correction: f32,
    /// Factor of the weights.
    keep: f32,
}

impl Adam {
    /// Takes variables with the rate of each relative to the step's.
    #[must_use]
    pub fn new(settings: AdamSettings, variables: Vec<(String, Var, f32)>) -> Self {
        let parameters = variables.into_iter().map(|(name, var, rate)| {
            let n = var.elem_count();
            let zeros = || Mutex::new(vec![0.0; n]);
            (name, Parameter { var, rate, mean: zeros(), square: zeros() })
        });
        Self { settings, parameters: parameters.collect(), n_steps: 0 }
    }

    /// Moves every variable against its gradient.
    ///
    /// * `gradients`: for each shard of the batch, by place of the variable in [`Self::variables`]; `None` where
    ///   the loss does not depend on it. They are added up.
    /// * `rate`: learning rate of this step, not negative.
    ///
    /// # Errors
    /// A gradient that is no number; as candle's.
    pub fn step(&mut self, gradients: &[Vec<Option<Tensor>>], rate: f32) -> candle_core::Result<()> {
        self.n_steps += 1;
        let mut sums = Vec::with_capacity(self.parameters.len());
        for place in 0..self.parameters.len() {
            let shards = gradients.iter().filter_map(|shard| shard[place].as_ref());
            sums.push(shards.map(ops::numbers).collect::<candle_core::Result<Vec<_>>>()?);
        }
        let norm = sums.iter().map(|shards| f64::from(square_of_sum(shards))).sum::<f64>().sqrt() as f32;
        let scale = if norm > self.settings.norm_max { self.settings.norm_max / norm } else { 1.0 };
        if !norm.is_finite() {
            candle_core::bail!("the gradient is not finite at step {}", self.n_steps);
        }
        let n_steps = self.n_steps as i32;
        for (parameter, shards) in self.parameters.values().zip(&sums) {
            if shards.is_empty() {
                continue;
            }
            let rate = rate * parameter.rate;
            let dims = parameter.var.dims();
            // Biases and the rows of a normalisation are not weights.
            let decay = if dims.len() < 2 || dims[0] == 3 { 0.0 } else { self.settings.decay };
            let update = Update {
                shards,
                mean: &parameter.mean,
                square: &parameter.square,
                settings: self.settings,
                scale,
                rate: rate / (1.0 - self.settings.beta1.powi(n_steps)),
                correction: (1.0 - self.settings.beta2.powi(n_steps)).sqrt(),
                keep: 1.0 - rate * decay,
            };
            parameter.var.inplace_op1(&update)?;
        }
        Ok(())
    }

    /// The variables in their order.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.parameters.iter().map(|(name, parameter)| (name.as_str(), &parameter.var))
    }

    /// The variables as they are now, sharing their memory, so that a loss over them has gradients.
    #[must_use]
    pub fn tensors(&self) -> HashMap<String, Tensor> {
        self.variables().map(|(name, var)| (name.to_owned(), var.as_tensor().clone())).collect()
    }

    /// Copies of the variables as they are now.
    ///
    /// # Errors
    /// As candle's.
    pub fn copies(&self) -> candle_core::Result<HashMap<String, Tensor>> {
        self.variables().map(|(name, var)| Ok((name.to_owned(), var.as_detached_tensor().copy()?))).collect()
    }

    /// What a checkpoint keeps.
    #[must_use]
    pub fn moments(&self) -> Moments {
        let values = |lock: &Mutex<Vec<f32>>| lock.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let by_name = self
            .parameters
            .iter()
            .map(|(name, parameter)| (name.clone(), (values(&parameter.mean), values(&parameter.square))));
        Moments { by_name: by_name.collect(), n_steps: self.n_steps }
    }

    /// Goes on from a checkpoint; variables that it does not know start anew.
    pub fn restore(&mut self, moments: Moments) {
        self.n_steps = moments.n_steps;
        for (name, (mean, square)) in moments.by_name {
            if let Some(parameter) = self.parameters.get_mut(&name)
                && parameter.var.elem_count() == mean.len()
            {
                parameter.mean = Mutex::new(mean);
                parameter.square = Mutex::new(square);
            }
        }
    }
}

/// The squared length of the sum of some gradients of one variable.
fn square_of_sum(shards: &[Vec<f32>]) -> f32 {
    let Some((first, rest)) = shards.split_first() else { return 0.0 };
    pulp::Arch::new().dispatch(|| {
        let mut lanes = [0.0_f32; 32];
        for (block, values) in first.chunks(32).enumerate() {
            let mut sum = [0.0_f32; 32];
            sum[..values.len()].copy_from_slice(values);
            for shard in rest {
                for (sum, value) in sum.iter_mut().zip(&shard[block * 32..]) {
                    *sum += value;
                }
            }
            for (lane, sum) in lanes.iter_mut().zip(sum) {
                *lane += sum * sum;
            }
        }
        lanes.iter().sum()
    })
}

impl InplaceOp1 for Update<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(&self, weights: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("variables are contiguous")
        };
        let CpuStorage::F32(weights) = weights else { candle_core::bail!("variables are f32") };
        let weights = &mut weights[start..end];
        let mut mean = self.mean.lock().unwrap_or_else(PoisonError::into_inner);
        let mut square = self.square.lock().unwrap_or_else(PoisonError::into_inner);
        let AdamSettings { beta1, beta2, .. } = self.settings;
        let mut sum = self.shards[0].clone();
        pulp::Arch::new().dispatch(|| {
            for shard in &self.shards[1..] {
                for (sum, value) in sum.iter_mut().zip(shard) {
                    *sum += value;
                }
            }
            let moments = mean.iter_mut().zip(square.iter_mut());
            for ((weight, gradient), (mean, square)) in weights.iter_mut().zip(&sum).zip(moments) {
                let gradient = gradient * self.scale;
                *mean = beta1 * *mean + (1.0 - beta1) * gradient;
                *square = beta2 * *square + (1.0 - beta2) * gradient * gradient;
                let length = square.sqrt() / self.correction + 1e-8;
                *weight = *weight * self.keep - self.rate * *mean / length;
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn it_finds_the_bottom_of_a_bowl() {
        let var = Var::from_vec(vec![3.0_f32, -2.0], (1, 2), &Device::Cpu).unwrap();
        let mut adam = Adam::new(AdamSettings::default(), vec![("x".into(), var.clone(), 1.0)]);
        for _ in 0..400 {
            let loss = (var.as_tensor() - 1.0).unwrap().sqr().unwrap().sum_all().unwrap();
            let gradients = loss.backward().unwrap();
            adam.step(&[vec![gradients.get(&var).cloned()]], 0.05).unwrap();
        }
        let found: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
        assert!(found.iter().all(|x| (x - 1.0).abs() < 0.05), "{found:?}");
    }

    #[test]
    fn two_steps_by_hand() {
        // A matrix, so that it decays; gradients of length 0.5 and 0.25 are not cut.
        let var = Var::from_vec(vec![2.0_f32], (1, 1), &Device::Cpu).unwrap();
        let mut adam = Adam::new(AdamSettings::default(), vec![("x".into(), var.clone(), 1.0)]);
        let mut step = |gradient: f32| {
            let gradient = Tensor::from_vec(vec![gradient], (1, 1), &Device::Cpu).unwrap();
            adam.step(&[vec![Some(gradient)]], 0.1).unwrap();
            var.to_vec2::<f32>().unwrap()[0][0]
        };
        // m = 0.05, v = 0.005, both corrected to 0.5 and 0.25: 2 · (1 − 0.1 · 0.01) − 0.1 · 0.5 / 0.5.
        assert!((step(0.5) - 1.898).abs() < 1e-5);
        // m = 0.02, corrected by 0.19; v = 0.00615, corrected by 0.0396: 1.898 · 0.999 − 0.1 · 0.105263 / 0.394085.
        assert!((step(-0.25) - 1.869_391).abs() < 1e-5);
    }

    #[test]
    fn a_gradient_that_is_no_number_stops_it() {
        let var = Var::from_vec(vec![3.0_f32], 1, &Device::Cpu).unwrap();
        let mut adam = Adam::new(AdamSettings::default(), vec![("x".into(), var.clone(), 1.0)]);
        let gradient = Tensor::from_vec(vec![f32::NAN], 1, &Device::Cpu).unwrap();
        assert!(adam.step(&[vec![Some(gradient)]], 0.1).is_err());
        assert_eq!(var.to_vec1::<f32>().unwrap(), [3.0]);
    }
}
