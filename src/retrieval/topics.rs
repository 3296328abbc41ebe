//! Messages that mean the same, found by their sentence vectors.

use crate::encoder::kernel;
use crate::retrieval::nearest::Cosine;

/// From here on a centred vector counts as the same topic. Of the pairs of `models/encoder/paraphrases/held-out.jsonl` and
/// as many unrelated ones 0.36 divides the most rightly, 85 % (2026-11-23, `yingda eval pairs --centred`); chosen higher by
/// hand, because a topic of two things misleads more than a thing in two topics.
pub const SAME_TOPIC: Cosine = Cosine(0.5);

/// Puts vectors into topics: each joins the topic whose mean lies nearest, if that is near enough, else begins one; then
/// every vector is placed once more among the topics that came out, so that the order of messages counts little.
///
/// * `vectors`: of length 1, the most frequent messages first.
/// * `weights`: how often each was said, as many.
/// * Returns the topics as places in `vectors`, the heaviest first; within a topic nearest to its mean first.
#[must_use]
pub fn topics(vectors: &[Vec<f32>], weights: &[f32], same: Cosine) -> Vec<Vec<usize>> {
    assert_eq!(vectors.len(), weights.len(), "one weight a vector");
    let mut means: Vec<Mean> = Vec::new();
    for (vector, weight) in vectors.iter().zip(weights) {
        match nearest(&means, vector) {
            Some((at, cosine)) if cosine >= same => means[at].add(vector, *weight),
            _ => means.push(Mean::new(vector, *weight)),
        }
    }
    let mut topics: Vec<Vec<(usize, Cosine)>> = vec![Vec::new(); means.len()];
    for (at, vector) in vectors.iter().enumerate() {
        if let Some((topic, cosine)) = nearest(&means, vector) {
            topics[topic].push((at, cosine));
        }
    }
    topics.retain(|topic| !topic.is_empty());
    let weight = |topic: &[(usize, Cosine)]| topic.iter().map(|(at, _)| weights[*at]).sum::<f32>();
    topics.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then(a[0].0.cmp(&b[0].0)));
    topics
        .into_iter()
        .map(|mut topic| {
            topic.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then(a.0.cmp(&b.0)));
            topic.into_iter().map(|(at, _)| at).collect()
        })
        .collect()
}

/// Sum of the vectors of a topic, and its length.
struct Mean {
    sum: Vec<f32>,
    length: f32,
}

impl Mean {
    fn new(vector: &[f32], weight: f32) -> Self {
        let mut mean = Self { sum: vec![0.0; vector.len()], length: 0.0 };
        mean.add(vector, weight);
        mean
    }

    fn add(&mut self, vector: &[f32], weight: f32) {
        self.sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += weight * x);
        self.length = kernel::product(&self.sum, &self.sum).sqrt();
    }
}

fn nearest(means: &[Mean], vector: &[f32]) -> Option<(usize, Cosine)> {
    let cosine =
        |mean: &Mean| Cosine(kernel::product(&mean.sum, vector) / mean.length.max(f32::MIN_POSITIVE));
    means
        .iter()
        .enumerate()
        .map(|(at, mean)| (at, cosine(mean)))
        .max_by(|a, b| a.1.0.total_cmp(&b.1.0).then(b.0.cmp(&a.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(degrees: f32) -> Vec<f32> {
        let radians = degrees.to_radians();
        vec![radians.cos(), radians.sin()]
    }

    #[test]
    fn near_vectors_are_one_topic_and_the_heaviest_comes_first() {
        let vectors = [at(0.0), at(90.0), at(4.0), at(95.0), at(92.0), at(180.0)];
        let weights = [1.5, 2.0, 1.0, 1.0, 1.0, 3.5];
        let found = topics(&vectors, &weights, Cosine(0.9));
        assert_eq!(found, [vec![4, 1, 3], vec![5], vec![0, 2]]);
    }

    #[test]
    fn nothing_has_no_topics() {
        assert_eq!(topics(&[], &[], SAME_TOPIC), Vec::<Vec<usize>>::new());
    }
}
