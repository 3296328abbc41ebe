//! A batch on several threads, with the same sums on every machine.

use candle_core::Tensor;
use candle_core::Var;
use rayon::ThreadPool;
use rayon::ThreadPoolBuildError;
use rayon::ThreadPoolBuilder;

/// Parts of a batch. Fixed, not the machine's cores: sums of floating-point numbers depend on their order, and the
/// same seed must give the same weights everywhere.
pub const SHARDS: usize = 2;

/// One thread a part; candle shares its matrix products within the pool that it is called from.
#[derive(Debug)]
pub struct Shards {
    pools: Vec<ThreadPool>,
}

/// Gradients of one part of a batch, by place of the variable.
pub type Gradients = Vec<Option<Tensor>>;

impl Shards {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system has none left.
    pub fn new() -> Result<Self, ThreadPoolBuildError> {
        let pool = |_| ThreadPoolBuilder::new().num_threads(1).build();
        Ok(Self { pools: (0..SHARDS).map(pool).collect::<Result<_, _>>()? })
    }

    /// How many of `n` things each part gets; at least 1.
    #[must_use]
    pub fn size(n: usize) -> usize {
        n.div_ceil(SHARDS).max(1)
    }

    /// Does the same to every part, each on its thread, and gives the results in order.
    ///
    /// # Errors
    /// The first error of a part.
    pub fn run<T: Send, R: Send>(
        &self,
        parts: impl Iterator<Item = T>,
        work: impl Fn(T) -> candle_core::Result<R> + Sync,
    ) -> candle_core::Result<Vec<R>> {
        let work = &work;
        std::thread::scope(|scope| {
            let workers: Vec<_> = parts
                .zip(&self.pools)
                .map(|(part, pool)| scope.spawn(move || pool.install(|| work(part))))
                .collect();
            workers.into_iter().map(|worker| worker.join().expect("the work does not panic")).collect()
        })
    }

    /// Losses and gradients of the parts of a batch.
    ///
    /// * `loss`: of one part; those of all parts add up to the batch's.
    /// * Returns the sum of the losses, and a list of gradients for each part.
    ///
    /// # Errors
    /// As candle's.
    pub fn gradients<T: Send>(
        &self,
        parts: impl Iterator<Item = T>,
        variables: &[&Var],
        loss: impl Fn(T) -> candle_core::Result<Tensor> + Sync,
    ) -> candle_core::Result<(f32, Vec<Gradients>)> {
        let shards = self.run(parts, |part| {
            let loss = loss(part)?;
            let gradients = loss.backward()?;
            let by_variable: Gradients = variables.iter().map(|var| gradients.get(var).cloned()).collect();
            Ok((loss.to_scalar::<f32>()?, by_variable))
        })?;
        let total = shards.iter().map(|(loss, _)| loss).sum();
        Ok((total, shards.into_iter().map(|(_, gradients)| gradients).collect()))
    }
}
