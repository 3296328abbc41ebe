//! Files that WeCom keeps.

use crate::store::MediaKey;
use crate::store::MediaRow;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::tests::at;

pub(super) async fn files_are_found_until_they_are_forgotten(store: &dyn Store) {
    let key = |corp_id: &str, kind: &str, byte| MediaKey {
        corp_id: corp_id.to_owned(),
        kind: kind.to_owned(),
        hash: [byte; 32],
    };
    let chart = key("ww1", "image", 1);
    assert_eq!(store.media(&chart).await.unwrap(), None);
    store.media_keep(&chart, "m1", at(0)).await.unwrap();
    store.media_keep(&chart, "m2", at(9)).await.unwrap();
    let row = MediaRow { media_id: "m2".to_owned(), uploaded_at: at(9) };
    assert_eq!(store.media(&chart).await.unwrap(), Some(row), "the later one counts");
    for other in [key("ww2", "image", 1), key("ww1", "file", 1), key("ww1", "image", 2)] {
        assert_eq!(store.media(&other).await.unwrap(), None, "{other:?}");
    }
    store.media_forget("m2").await.unwrap();
    assert_eq!(store.media(&chart).await.unwrap(), None);
    let nobody = store.media_keep(&key("", "image", 1), "m", at(0)).await;
    assert!(matches!(nobody, Err(StoreError::Empty { .. })), "{nobody:?}");
}
