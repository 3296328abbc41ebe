//! How good a network is on held-out rows while it is trained.

use candle_core::Tensor;
use serde::Deserialize;
use serde::Serialize;

use crate::nlu::model::Labels;
use crate::nlu::tag;
use crate::training::example::Example;
use crate::training::fit::Fit;
use crate::training::fit::FitError;
use crate::training::metrics::best;
use crate::training::metrics::scope;

/// Measures of the network alone, after a pass.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Passes done.
    pub epoch: usize,
    /// Share of right intents among in-scope rows; 1 where there are none.
    pub intent_accuracy: f32,
    /// F1 of exact spans; 1 where there are none.
    pub slot_f1: f32,
    /// Area under the out-of-scope curve; 1 where there is none.
    pub scope_auroc: f32,
}

/// First token, the one behind the last, and the entity.
type Span = (usize, usize, usize);

impl Standing {
    /// Runs the network as it is now over prepared examples.
    ///
    /// # Errors
    /// As candle's.
    pub fn of(fit: &Fit<'_>, held: &[Example], labels: &Labels) -> Result<Self, FitError> {
        let outputs = fit.outputs(held)?;
        let n_slots = labels.slots.len();
        let (mut right, mut of) = (0, 0);
        let (mut found, mut predicted, mut gold) = (0, 0, 0);
        let (mut inside, mut foreign) = (Vec::new(), Vec::new());
        for (one, outputs) in held.iter().zip(&outputs) {
            let flat =
                |tensor: &Tensor| -> Result<Vec<f32>, FitError> { Ok(tensor.flatten_all()?.to_vec1()?) };
            if !one.intents.is_empty() {
                of += 1;
                let said = best(&flat(&outputs.intents)?);
                right += usize::from(said.is_some_and(|said| one.intents.contains(&said)));
            }
            let foreign_logit = flat(&outputs.foreign)?[0];
            match one.foreign {
                Some(true) => foreign.push(foreign_logit),
                Some(false) => inside.push(foreign_logit),
                None => {}
            }
            if let Some(tags) = &one.tags {
                let wanted = spans(&certain(tags, n_slots), n_slots);
                let said = spans(&flat(&outputs.tags)?, n_slots);
                found += said.iter().filter(|span| wanted.contains(span)).count();
                predicted += said.len();
                gold += wanted.len();
            }
        }
        let share = |part: usize, whole: usize| if whole == 0 { 1.0 } else { part as f32 / whole as f32 };
        Ok(Self {
            epoch: fit.epoch(),
            intent_accuracy: share(right, of),
            slot_f1: share(2 * found, predicted + gold),
            scope_auroc: scope(&inside, &foreign).map_or(1.0, |scope| scope.auroc),
        })
    }

    /// What early stopping looks at.
    #[must_use]
    pub fn score(&self) -> f32 {
        (self.intent_accuracy + self.slot_f1 + 0.5 * self.scope_auroc) / 2.5
    }
}

fn spans(log_probs: &[f32], n_slots: usize) -> Vec<Span> {
    tag::decode(log_probs, n_slots).iter().map(|span| (span.first, span.behind, span.slot)).collect()
}

/// Log-probabilities of a reader who is sure of these tags.
fn certain(tags: &[u32], n_slots: usize) -> Vec<f32> {
    let mut log_probs = vec![-9.0; tags.len() * tag::n_tags(n_slots)];
    for (row, tag) in log_probs.chunks_exact_mut(tag::n_tags(n_slots)).zip(tags) {
        row[*tag as usize] = 0.0;
    }
    log_probs
}
