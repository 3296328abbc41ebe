//! What an operator or the program itself puts down once: API keys and settings.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::store::Store;
use crate::store::StoreError;
use crate::store::tests::at;

pub(super) async fn api_keys_live_until_revoked(store: &dyn Store) {
    let (hash, other) = ([1; 32], [2; 32]);
    let id = store.key_add("admin", &hash, "运营后台", at(0)).await.unwrap();
    let second = store.key_add("chat", &other, "官网", at(1)).await.unwrap();
    let found = store.key_by_hash(&hash).await.unwrap().unwrap();
    assert_eq!((found.id, found.scope.as_str(), found.label.as_str()), (id, "admin", "运营后台"));
    assert_eq!((found.created_at, found.revoked), (at(0), false));
    assert_eq!(store.key_by_hash(&[3; 32]).await.unwrap(), None);

    store.key_revoke(id).await.unwrap();
    store.key_revoke(id).await.unwrap();
    assert_eq!(store.key_by_hash(&hash).await.unwrap(), None);
    let keys = store.keys().await.unwrap();
    let own = keys.iter().filter(|row| [id, second].contains(&row.id));
    let listed: Vec<_> = own.map(|row| (row.id, row.revoked)).collect();
    assert_eq!(listed, [(id, true), (second, false)]);

    let error = store.key_add("admin", &hash, "旧钥匙", at(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::KeyExists), "a revoked key does not come back: {error:?}");
    let error = store.key_revoke(i64::MAX).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "API key", .. }), "{error:?}");
}

pub(super) async fn a_setting_is_set_once(store: &Arc<dyn Store>) {
    assert_eq!(store.setting("link-key").await.unwrap(), None);
    let tasks: Vec<_> = (0..10)
        .map(|number| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                store.set_setting_if_absent("link-key", &number.to_string()).await.unwrap()
            })
        })
        .collect();
    let mut standing = BTreeSet::new();
    for task in tasks {
        standing.insert(task.await.unwrap());
    }
    assert_eq!(standing.len(), 1, "{standing:?}");
    assert_eq!(store.setting("link-key").await.unwrap(), standing.pop_first());
}
