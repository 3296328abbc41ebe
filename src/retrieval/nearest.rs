//! Sentence vectors by nearness: scanned in eight bits, compared exactly.

use crate::encoder::kernel;

/// Cosine of two sentence vectors, `-1.0..=1.0`. Not a probability.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Cosine(pub f32);

/// Vectors of length 1 of the documents of an index, by their numbers.
///
/// The scan reads one byte a number. What it finds is compared again with the numbers themselves, so that rounding
/// decides only about documents far down the list.
///
/// Sentences of one world lie in a narrow cone, so the mean of all documents is taken off first: what is left tells them
/// apart. Source: Mu and Viswanath, "All-but-the-Top: Simple and Effective Postprocessing for Word Representations", ICLR
/// 2018, without the second step.
#[derive(Debug, Default)]
pub struct Nearest {
    width: usize,
    /// What all of them have in common, which is taken off before anything is compared.
    mean: Vec<f32>,
    /// `[n, width]`, each row divided by its scale.
    codes: Vec<i8>,
    /// The largest number of each row, divided by 127.
    scales: Vec<f32>,
    /// `[n, width]`.
    exact: Vec<f32>,
}

/// Documents of the scan that are compared exactly, relative to the number asked for.
const SPARE: usize = 4;

/// Documents from which on a mean says something.
const MEAN_OF_MIN: usize = 32;

/// Documents scanned at a time, so that their products stay near the processor.
const BLOCK: usize = 4_096;

impl Nearest {
    /// * `vectors`: of all documents in their order, each of length 1 and of the same width.
    #[must_use]
    pub fn new(vectors: &[Vec<f32>]) -> Self {
        let width = vectors.first().map_or(0, Vec::len);
        let mut nearest = Self { width, mean: mean(vectors, width), ..Self::default() };
        nearest.codes.reserve(vectors.len() * width);
        nearest.exact.reserve(vectors.len() * width);
        for vector in vectors {
            assert_eq!(vector.len(), width, "vectors of one encoder have one width");
            let vector = nearest.centred(vector);
            let scale = quantise(&vector, &mut nearest.codes);
            nearest.scales.push(scale);
            nearest.exact.extend(vector);
        }
        nearest
    }

    /// Documents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// A vector as it is compared: without what all documents have in common, of length 1.
    ///
    /// * `vector`: of the same encoder; one of another width is left as it is, and nothing lies near it.
    #[must_use]
    pub fn centred(&self, vector: &[f32]) -> Vec<f32> {
        let rest: Vec<f32> = vector.iter().zip(&self.mean).map(|(x, mean)| x - mean).collect();
        let length = kernel::product(&rest, &rest).sqrt().max(f32::MIN_POSITIVE);
        if rest.len() == vector.len() { rest.iter().map(|x| x / length).collect() } else { vector.to_vec() }
    }

    /// The centred vector of a document.
    ///
    /// * `document`: below [`Self::len`].
    #[must_use]
    pub fn vector(&self, document: usize) -> &[f32] {
        &self.exact[document * self.width..(document + 1) * self.width]
    }

    /// How near a document lies.
    ///
    /// * `of`: a centred vector.
    /// * `document`: below [`Self::len`].
    #[must_use]
    pub fn cosine(&self, of: &[f32], document: usize) -> Cosine {
        Cosine(kernel::product(of, self.vector(document)))
    }

    /// The documents that lie nearest, nearest first; equal ones in their order.
    ///
    /// * `of`: a centred vector.
    /// * `usable`: whether a document counts.
    #[must_use]
    pub fn nearest(
        &self,
        of: &[f32],
        usable: &dyn Fn(usize) -> bool,
        documents_max: usize,
    ) -> Vec<(usize, Cosine)> {
        if self.is_empty() || of.len() != self.width || documents_max == 0 {
            return Vec::new();
        }
        let mut code = Vec::with_capacity(self.width);
        quantise(of, &mut code);
        let n_kept = documents_max.saturating_mul(SPARE);
        // Kept at most twice as many as needed, then the lower half is thrown away.
        let mut kept: Vec<(f32, u32)> = Vec::with_capacity(2 * n_kept);
        let mut bar = f32::NEG_INFINITY;
        let mut products = vec![0; BLOCK.min(self.len())];
        for (block, codes) in self.codes.chunks(BLOCK * self.width).enumerate() {
            let first = block * BLOCK;
            let products = &mut products[..codes.len() / self.width];
            kernel::products(codes, &code, products);
            let scales = &self.scales[first..first + products.len()];
            for (at, (product, scale)) in products.iter().zip(scales).enumerate() {
                let near = *product as f32 * scale;
                if near > bar && usable(first + at) {
                    kept.push((near, (first + at) as u32));
                    if kept.len() == 2 * n_kept {
                        bar = best(&mut kept, n_kept);
                    }
                }
            }
        }
        best(&mut kept, n_kept);
        let mut found: Vec<(usize, Cosine)> =
            kept.iter().map(|(_, at)| (*at as usize, self.cosine(of, *at as usize))).collect();
        found.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then(a.0.cmp(&b.0)));
        found.truncate(documents_max);
        found
    }
}

/// The mean of vectors; 0 of few.
fn mean(vectors: &[Vec<f32>], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0; width];
    if vectors.len() < MEAN_OF_MIN {
        return mean;
    }
    for vector in vectors {
        mean.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
    }
    mean.iter_mut().for_each(|sum| *sum /= vectors.len() as f32);
    mean
}

/// Keeps the highest; returns the lowest of them, where any were thrown away.
fn best(kept: &mut Vec<(f32, u32)>, n: usize) -> f32 {
    if kept.len() <= n {
        return f32::NEG_INFINITY;
    }
    let (_, lowest, _) = kept.select_nth_unstable_by(n - 1, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let lowest = lowest.0;
    kept.truncate(n);
    lowest
}

/// Appends a vector in eight bits; returns what its numbers were divided by.
fn quantise(vector: &[f32], codes: &mut Vec<i8>) -> f32 {
    let highest = vector.iter().fold(0.0_f32, |highest, x| highest.max(x.abs()));
    let scale = if highest > 0.0 { highest / 127.0 } else { 1.0 };
    codes.extend(vector.iter().map(|x| (x / scale).round() as i8));
    scale
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of length 1 that look random and are not.
    fn vectors(n: usize, width: usize) -> Vec<Vec<f32>> {
        let noise = |at: usize| ((at as f32 * 12.9898).sin() * 43_758.547).fract();
        (0..n)
            .map(|row| {
                let raw: Vec<f32> = (0..width).map(|at| noise(row * width + at + 1)).collect();
                let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
                raw.iter().map(|x| x / length).collect()
            })
            .collect()
    }

    #[test]
    fn the_scan_finds_what_a_plain_comparison_finds() {
        let vectors = vectors(9_000, 48);
        let nearest = Nearest::new(&vectors);
        let centred: Vec<Vec<f32>> = vectors.iter().map(|vector| nearest.centred(vector)).collect();
        for query in [0, 17, 4_095, 4_096, 8_999] {
            let of = &centred[query];
            let mut plain: Vec<(usize, f32)> = centred
                .iter()
                .map(|vector| vector.iter().zip(of).map(|(a, b)| a * b).sum())
                .enumerate()
                .collect();
            plain.sort_by(|a, b| b.1.total_cmp(&a.1));
            let found = nearest.nearest(of, &|_| true, 10);
            let places = |list: &[(usize, f32)]| list.iter().map(|(at, _)| *at).collect::<Vec<_>>();
            let found: Vec<(usize, f32)> = found.into_iter().map(|(at, cosine)| (at, cosine.0)).collect();
            assert_eq!(places(&found), places(&plain[..10]));
            assert!(found.iter().zip(&plain).all(|(a, b)| (a.1 - b.1).abs() < 1e-5), "{found:?}");
        }
    }

    #[test]
    fn what_all_have_in_common_does_not_count() {
        // All point the same way but for a little, and the little is what tells them apart.
        let little = vectors(40, 16);
        let narrow: Vec<Vec<f32>> = little
            .iter()
            .map(|vector| {
                let raw: Vec<f32> =
                    vector.iter().enumerate().map(|(at, x)| 0.1 * x + f32::from(at == 0)).collect();
                let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
                raw.iter().map(|x| x / length).collect()
            })
            .collect();
        let nearest = Nearest::new(&narrow);
        let others = |at: usize| {
            let near = nearest.nearest(&nearest.centred(&narrow[at]), &|other| other != at, 1);
            near[0].1.0
        };
        assert!((0..40).all(|at| others(at) < 0.9), "{:?}", (0..40).map(others).collect::<Vec<_>>());
        let own = nearest.nearest(&nearest.centred(&narrow[7]), &|_| true, 1);
        assert!(own[0].0 == 7 && own[0].1.0 > 0.999);
    }

    #[test]
    fn what_may_not_be_used_is_not_found() {
        let vectors = vectors(50, 16);
        let nearest = Nearest::new(&vectors);
        let found = nearest.nearest(&nearest.centred(&vectors[3]), &|at| at != 3 && at < 20, 50);
        assert_eq!(found.len(), 19);
        assert!(found.iter().all(|(at, _)| *at < 20 && *at != 3));
    }

    #[test]
    fn nothing_finds_nothing() {
        assert_eq!(Nearest::new(&[]).nearest(&[1.0], &|_| true, 3), []);
        let one = Nearest::new(&[vec![0.0, 1.0]]);
        assert_eq!(one.nearest(&[0.0, 1.0], &|_| true, 0), []);
        assert_eq!(one.nearest(&[1.0, 0.0], &|_| true, 3), [(0, Cosine(0.0))]);
    }
}
