//! What was read of foreign files, put into the files of a version; rows that the knowledge's own rules refuse are found and
//! named by where they came from.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::knowledge::finding::Finding;
use crate::knowledge::finding::Severity;
use crate::knowledge::import;
use crate::knowledge::import::Imported;
use crate::knowledge::import::Placed;
use crate::knowledge::import::goods;
use crate::knowledge::import::goods::Others;
use crate::knowledge::import::goods::Stocked;
use crate::knowledge::snapshot::Files;
use crate::service::version::Opened;
use crate::service::version::VersionError;
use crate::service::version::Versions;

/// Rounds in which rows that the rules of the knowledge refuse are left out.
const ROUNDS_MAX: usize = 5;

/// What becomes of the rest when a row is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It is refused as well.
    Refused,
    /// It is taken.
    Taken,
}

/// What an import makes of a version.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    /// The files of the version to be; `None` where they cannot be one.
    pub files: Option<Files>,
    /// Tables of questions, one for each source with any; behind them the catalogue where there are goods.
    pub placed: Vec<Placed>,
    /// What became of the catalogue.
    pub stocked: Option<Stocked>,
    /// Rows that were left out, each with its place and the reason.
    pub refused: Vec<String>,
    /// What is worth a look.
    pub notes: Vec<String>,
}

/// Puts imports into the files of a version.
///
/// * `base`: the version they are added to.
///
/// # Errors
/// See [`VersionError`]; rows that are refused are none.
pub async fn merge(
    imported: &[Imported],
    base: &Opened,
    (others, rest): (Others, Rest),
    versions: &Versions,
    now: Timestamp,
) -> Result<Merged, VersionError> {
    let mut skipped: BTreeSet<String> = BTreeSet::new();
    let mut merged = Merged::default();
    for _round in 0..ROUNDS_MAX {
        let files = put(imported, base, others, &skipped, &mut merged);
        match versions.check(&base.knowledge.bot, files.clone(), now).await {
            Ok(findings) => {
                let own = findings.iter().filter_map(|finding| {
                    Some(format!("{}：{}", place(finding, &merged.placed)?, finding.message))
                });
                merged.notes.extend(own);
                merged.files = Some(files);
                return Ok(merged);
            }
            Err(VersionError::Unfit { findings, .. }) => {
                let n_before = skipped.len();
                for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
                    match place(finding, &merged.placed) {
                        Some(place) => {
                            merged.refused.push(format!("{place}：{}", finding.message));
                            skipped.insert(place);
                        }
                        None => merged.refused.push(finding.to_string()),
                    }
                }
                if rest == Rest::Refused || skipped.len() == n_before {
                    return Ok(merged);
                }
            }
            Err(error) => return Err(error),
        }
    }
    merged.refused.push(format!("去掉这些行以后还有错，试了 {ROUNDS_MAX} 遍；请一个一个文件导入"));
    Ok(merged)
}

/// The files with all that is not skipped.
fn put(
    imported: &[Imported],
    base: &Opened,
    others: Others,
    skipped: &BTreeSet<String>,
    merged: &mut Merged,
) -> Files {
    let mut files = base.files.clone();
    let mut topics = base.knowledge.profile.topics.clone();
    merged.placed.clear();
    let skipped = |place: &str| skipped.contains(place);
    for one in imported.iter().filter(|one| !one.drafts.is_empty()) {
        let own = import::place(one, &mut files, &topics, &skipped);
        topics.extend(own.new_topics.clone());
        merged.placed.push(own);
    }
    if imported.iter().any(|one| !one.goods.is_empty()) {
        let goods = imported.iter().flat_map(|one| &one.goods);
        let (own, numbers) = goods::stock(goods, others, &mut files, &skipped);
        merged.placed.push(own);
        merged.stocked = Some(numbers);
    }
    files
}

/// Where a finding of an imported table comes from.
fn place(finding: &Finding, placed: &[Placed]) -> Option<String> {
    let own = placed.iter().find(|placed| placed.file == finding.source.file)?;
    let places: &BTreeMap<usize, String> = &own.places;
    places.range(..=finding.source.line).next_back().map(|(_, place)| place.clone())
}
