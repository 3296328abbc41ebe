//! 客户联系: what its calls are asked and what they answer. Limits are checked before a call, because WeCom tells some of
//! them with a number only, and cuts silently at others.
//!
//! Source: WeCom developer centre, 客户联系 (paths 92114 to 92229, 92130, 92137, 94088).

mod advice;
mod customer;
mod limit;
mod tag;
mod transfer;
mod way;
mod welcome;

pub use advice::{Advice, advice};
pub use customer::{Details, Follower, FollowerTag, Remark, add_way};
pub use limit::LimitError;
pub use tag::{CorpTag, Mark, NewTags, TagGroup, deletion, renaming, tag_groups};
pub use transfer::{Transfer, Transferred, fate, transferred};
pub use way::{ContactWay, JoinWay, Scene, Temporary};
pub use welcome::welcome;
