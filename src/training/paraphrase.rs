//! Messages that mean the same, and others that only look it: what sentence vectors learn nearness from.

use std::collections::HashMap;
use std::path::Path;

use candle_core::DType;
use candle_core::Device;
use candle_core::Tensor;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde::Deserialize;

use crate::encoder::Encoder;
use crate::encoder::unit;
use crate::text::normalise::normalise;
use crate::training::fit::log_softmax;
use crate::training::lines;
use crate::training::lines::LinesError;

/// Groups a step, each with two of its messages and one that only looks like them.
const GROUPS: usize = 48;

/// Pairs a step that do not mean the same, where files hold such pairs.
const PAIRS_APART: usize = 16;

/// Cosines are divided by it before they are compared; the usual value for such a loss.
const TEMPERATURE: f64 = 0.05;

/// Most characters of a message that are read.
const CHARS_MAX: usize = 60;

/// A row of a file.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ParaphraseRow {
    Group {
        texts: Vec<String>,
        #[serde(default)]
        near: Vec<String>,
    },
    Pair {
        a: String,
        b: String,
        label: u8,
    },
}

/// Messages that one answer settles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// At least two.
    pub texts: Vec<String>,
    /// Messages that look like them and need another answer.
    pub near: Vec<String>,
}

/// All that is learned from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paraphrases {
    groups: Vec<Group>,
    /// Pairs that do not mean the same.
    apart: Vec<(String, String)>,
}

/// What one thread learns from in one step.
#[derive(Clone, Debug, Default)]
pub struct Lesson<'a> {
    /// Two messages that mean the same, and one that only looks like the first.
    same: Vec<(&'a str, &'a str, Option<&'a str>)>,
    apart: Vec<(&'a str, &'a str)>,
}

impl Paraphrases {
    /// Reads files with rows `{"texts": [..], "near": [..]}` or `{"a", "b", "label": 0 or 1}`.
    ///
    /// # Errors
    /// Names the lines.
    pub fn read(paths: &[impl AsRef<Path>]) -> Result<Self, LinesError> {
        let fault = |row: &ParaphraseRow| match row {
            ParaphraseRow::Group { texts, .. } if texts.len() < 2 => {
                Some(format!("a group needs two texts, this one has {}", texts.len()))
            }
            ParaphraseRow::Pair { label: 2.., .. } => Some("a label is 0 or 1".to_owned()),
            ParaphraseRow::Group { .. } | ParaphraseRow::Pair { .. } => None,
        };
        let cut = |text: &str| normalise(text).as_str().chars().take(CHARS_MAX).collect::<String>();
        let mut all = Self::default();
        for path in paths {
            for (_, row) in lines::read(path.as_ref(), fault)? {
                match row {
                    ParaphraseRow::Group { texts, near } => all.groups.push(Group {
                        texts: texts.iter().map(|text| cut(text)).collect(),
                        near: near.iter().map(|text| cut(text)).collect(),
                    }),
                    ParaphraseRow::Pair { a, b, label: 1 } => {
                        all.groups.push(Group { texts: vec![cut(&a), cut(&b)], near: Vec::new() });
                    }
                    ParaphraseRow::Pair { a, b, .. } => all.apart.push((cut(&a), cut(&b))),
                }
            }
        }
        all.attach();
        Ok(all)
    }

    /// Gives groups of two the messages that pairs say they do not mean.
    fn attach(&mut self) {
        let mut others: HashMap<&str, Vec<&str>> = HashMap::new();
        for (a, b) in &self.apart {
            others.entry(a).or_default().push(b);
            others.entry(b).or_default().push(a);
        }
        for group in &mut self.groups {
            let found = group.texts.iter().filter_map(|text| others.get(text.as_str())).flatten();
            let found: Vec<String> = found.map(|text| (*text).to_owned()).collect();
            group
                .near
                .extend(found.into_iter().filter(|text| !group.texts.contains(text)).collect::<Vec<_>>());
        }
    }

    /// All groups.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Number of groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is nothing to learn from.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Draws what is learned in one step, in as many parts as there are threads.
    #[must_use]
    pub fn lessons(&self, n_parts: usize, rng: &mut StdRng) -> Vec<Lesson<'_>> {
        let mut lessons = vec![Lesson::default(); n_parts];
        for at in 0..GROUPS {
            let group = &self.groups[rng.random_range(0..self.groups.len())];
            let two: Vec<&String> = group.texts.choose_multiple(rng, 2).collect();
            let near = group.near.choose(rng).map(String::as_str);
            lessons[at % n_parts].same.push((two[0], two[1], near));
        }
        for at in 0..PAIRS_APART.min(self.apart.len()) {
            let (a, b) = &self.apart[rng.random_range(0..self.apart.len())];
            lessons[at % n_parts].apart.push((a, b));
        }
        lessons
    }
}

impl Lesson<'_> {
    /// How far sentence vectors are from what the lesson says, a mean over its groups: each message is to lie nearer
    /// to its paraphrase than to all others of the lesson, and all pairs of the same meaning nearer than all pairs
    /// of another.
    ///
    /// Source: van den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018, section 2.3,
    /// with the messages that only look alike among the others; for pairs, Su's CoSENT loss, 2022.
    ///
    /// # Errors
    /// As candle's.
    pub fn loss(&self, encoder: &Encoder) -> candle_core::Result<Tensor> {
        let n = self.same.len();
        let looks: Vec<(usize, &str)> =
            self.same.iter().enumerate().filter_map(|(at, (_, _, near))| Some((at, (*near)?))).collect();
        let texts = self
            .same
            .iter()
            .map(|(a, _, _)| *a)
            .chain(self.same.iter().map(|(_, b, _)| *b))
            .chain(looks.iter().map(|(_, near)| *near))
            .chain(self.apart.iter().map(|(a, _)| *a))
            .chain(self.apart.iter().map(|(_, b)| *b));
        let ids: Vec<Vec<u32>> = texts.map(|text| encoder.tokens(text).ids).collect();
        let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        let vectors = unit(&encoder.encode(&ids)?.means()?)?;
        let (own, other) = (vectors.narrow(0, 0, n)?, vectors.narrow(0, n, n)?);
        let among = vectors.narrow(0, n, n + looks.len())?;
        let right = Tensor::arange(0, n as u32, &Device::Cpu)?.reshape((n, 1))?;
        // The same message may have been drawn twice: then the other one is no wrong answer.
        let twins = twins(&self.same)?;
        let choose = |near: &Tensor, mask: &Tensor| -> candle_core::Result<Tensor> {
            let logits = ((near / TEMPERATURE)? - mask)?;
            log_softmax(&logits)?.gather(&right, 1)?.sum_all()?.neg()? / (2.0 * n as f64)
        };
        let wide = match looks.len() {
            0 => twins.clone(),
            n_looks => Tensor::cat(&[&twins, &Tensor::zeros((n, n_looks), DType::F32, &Device::Cpu)?], 1)?,
        };
        let there = choose(&own.matmul(&among.t()?)?, &wide)?;
        let back = choose(&other.matmul(&own.t()?)?, &twins)?;
        let along = |a: &Tensor, b: &Tensor| (a * b)?.sum(1);
        let same = along(&own, &other)?;
        let mut apart = Vec::new();
        if !looks.is_empty() {
            let at: Vec<u32> = looks.iter().map(|(at, _)| *at as u32).collect();
            let seen = own.index_select(&Tensor::new(at, &Device::Cpu)?, 0)?;
            apart.push(along(&seen, &vectors.narrow(0, 2 * n, looks.len())?)?);
        }
        let n_apart = self.apart.len();
        if n_apart > 0 {
            let first = 2 * n + looks.len();
            apart.push(along(
                &vectors.narrow(0, first, n_apart)?,
                &vectors.narrow(0, first + n_apart, n_apart)?,
            )?);
        }
        let chosen = (there + back)?;
        if apart.is_empty() {
            return Ok(chosen);
        }
        let apart = Tensor::cat(&apart, 0)?;
        let above = (apart.unsqueeze(0)?.broadcast_sub(&same.unsqueeze(1)?)? / TEMPERATURE)?;
        // ln(1 + sum of exponentials), the largest taken out first.
        let highest = above.max_all()?.detach().relu()?;
        let sum = above.broadcast_sub(&highest)?.exp()?.sum_all()?;
        let order = ((sum + highest.neg()?.exp()?)?.log()? + highest)?;
        // A sum over pairs beside means over groups.
        chosen + (order * 0.2)?
    }
}

/// A large number where another row of the lesson holds the same message, 0 elsewhere: `[n, n]`.
fn twins(same: &[(&str, &str, Option<&str>)]) -> candle_core::Result<Tensor> {
    const FAR: f32 = 1e4;
    let n = same.len();
    let mut mask = vec![0.0; n * n];
    for (i, (a, b, _)) in same.iter().enumerate() {
        for (j, (c, d, _)) in same.iter().enumerate() {
            if i != j && (a == c || a == d || b == c || b == d) {
                mask[i * n + j] = FAR;
            }
        }
    }
    Tensor::from_vec(mask, (n, n), &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use rand::SeedableRng as _;

    use super::*;

    fn read(text: &str) -> Result<Paraphrases, LinesError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Paraphrases::read(&[file.path()])
    }

    #[test]
    fn pairs_become_groups_and_traps() {
        let all = read(
            "{\"a\": \"怎么还款\", \"b\": \"还款方法\", \"label\": 1}\n\
             {\"a\": \"怎么还款\", \"b\": \"怎么借款\", \"label\": 0}\n\
             {\"texts\": [\"退货\", \"想退\", \"ＡＢ\"], \"near\": [\"退款\"]}",
        )
        .unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all.groups[0].near, ["怎么借款"]);
        assert_eq!(all.groups[1].texts[2], "ab");
        let lessons = all.lessons(2, &mut StdRng::seed_from_u64(1));
        assert_eq!(lessons.iter().map(|lesson| lesson.same.len()).sum::<usize>(), GROUPS);
        assert!(lessons.iter().flat_map(|lesson| &lesson.same).all(|(a, b, near)| a != b && near.is_some()));
        assert_eq!(lessons[0].apart, [("怎么还款", "怎么借款")]);
    }

    #[test]
    fn a_group_of_one_is_refused_with_its_line() {
        let error = read("{\"texts\": [\"a\", \"b\"]}\n{\"texts\": [\"退货\"]}").unwrap_err().to_string();
        assert!(error.contains(":2: a group needs two texts, this one has 1"), "{error}");
        let error = read("{\"a\": \"x\", \"b\": \"y\", \"label\": 3}").unwrap_err().to_string();
        assert!(error.contains("a label is 0 or 1"), "{error}");
    }
}
