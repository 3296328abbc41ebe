//! One thread a sentence: products of matrices this small lose by being shared among threads.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use candle_core::Tensor;
use rayon::ThreadPool;
use rayon::ThreadPoolBuildError;
use rayon::ThreadPoolBuilder;

use crate::encoder::Encoder;
use crate::encoder::unit;

/// Sentences run through an encoder at once when there are many.
const BATCH: usize = 32;

/// Threads for an encoder, one a core. Candle shares a product of matrices within the pool that it is called from, so
/// each thread is a pool of its own.
#[derive(Debug)]
pub struct Lanes {
    pools: Vec<ThreadPool>,
    next: AtomicUsize,
}

impl Lanes {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system has none left.
    pub fn new() -> Result<Self, ThreadPoolBuildError> {
        let n_lanes = std::thread::available_parallelism().map_or(1, usize::from);
        let pool =
            |n| ThreadPoolBuilder::new().num_threads(1).thread_name(move |_| format!("nlu-{n}")).build();
        Ok(Self { pools: (0..n_lanes).map(pool).collect::<Result<_, _>>()?, next: AtomicUsize::new(0) })
    }

    /// Does something on one thread, and waits for it.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let lane = self.next.fetch_add(1, Ordering::Relaxed) % self.pools.len();
        self.pools[lane].install(work)
    }

    /// Sentence vectors of many texts in their order, each of length 1, on all threads.
    ///
    /// * `texts`: in normal form; may be empty.
    ///
    /// # Errors
    /// The computation failed, which weights that loaded do not let happen.
    pub fn vectors(&self, encoder: &Encoder, texts: &[&str]) -> candle_core::Result<Vec<Vec<f32>>> {
        let n_part = texts.len().div_ceil(self.pools.len()).max(1);
        let parts: Vec<Vec<Vec<f32>>> = std::thread::scope(|scope| {
            let workers: Vec<_> = texts
                .chunks(n_part)
                .zip(&self.pools)
                .map(|(part, pool)| scope.spawn(move || pool.install(|| vectors(encoder, part))))
                .collect();
            let done = workers.into_iter().map(|worker| worker.join().expect("the work does not panic"));
            done.collect::<candle_core::Result<_>>()
        })?;
        Ok(parts.into_iter().flatten().collect())
    }
}

fn vectors(encoder: &Encoder, texts: &[&str]) -> candle_core::Result<Vec<Vec<f32>>> {
    let mut found = Vec::with_capacity(texts.len());
    for batch in texts.chunks(BATCH) {
        let tokens: Vec<_> = batch.iter().map(|text| encoder.tokens(text)).collect();
        let ids: Vec<&[u32]> = tokens.iter().map(|tokens| tokens.ids.as_slice()).collect();
        let rows: Tensor = unit(&encoder.encode(&ids)?.means()?)?;
        found.extend(rows.to_vec2::<f32>()?);
    }
    Ok(found)
}
