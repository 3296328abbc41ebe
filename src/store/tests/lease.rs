//! Leases, tokens and models of every back end.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::secret::Secret;
use crate::store::Lease;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TokenRow;
use crate::store::fingerprint;
use crate::store::tests::at;

fn lease(name: &str, holder: &str) -> Lease {
    Lease { name: name.to_owned(), holder: holder.to_owned() }
}

pub(super) async fn a_lease_has_one_holder_until_its_end(store: &dyn Store) {
    let (one, two) = (lease("lead:a", "one"), lease("lead:a", "two"));
    assert!(store.lease_take(&one, at(0), at(8)).await.unwrap());
    assert!(!store.lease_take(&two, at(7), at(15)).await.unwrap(), "not yet");
    assert!(store.lease_take(&one, at(7), at(15)).await.unwrap(), "its holder goes on");
    assert!(store.lease_take(&lease("lead:b", "two"), at(7), at(15)).await.unwrap(), "another one");
    assert!(!store.lease_take(&two, at(14), at(22)).await.unwrap());
    assert!(store.lease_take(&two, at(15), at(23)).await.unwrap(), "it has run out");
    store.lease_drop(&one).await.unwrap();
    assert!(!store.lease_take(&one, at(16), at(24)).await.unwrap(), "nobody gives back what is another's");
    store.lease_drop(&two).await.unwrap();
    assert!(store.lease_take(&one, at(16), at(24)).await.unwrap(), "given back");
    assert_eq!(store.leases_prune(at(24)).await.unwrap(), 1, "the other one had run out");
    let nobody = store.lease_take(&lease("", "one"), at(0), at(8)).await;
    assert!(matches!(nobody, Err(StoreError::Empty { what: "lease" })));
}

/// * `stores`: over the same rows.
pub(in crate::store) async fn of_many_one_gets_a_lease(stores: &[Arc<dyn Store>]) {
    let takers = (0..16).map(|number: usize| {
        let store = Arc::clone(&stores[number % stores.len()]);
        tokio::spawn(async move {
            store.lease_take(&lease("lead:many", &number.to_string()), at(0), at(8)).await.unwrap()
        })
    });
    let mut n_taken = 0;
    for taker in takers.collect::<Vec<_>>() {
        n_taken += usize::from(taker.await.unwrap());
    }
    assert_eq!(n_taken, 1);
}

pub(super) async fn a_token_is_exchanged_whole(store: &dyn Store) {
    assert!(store.token("wecom:a").await.unwrap().is_none());
    for (value, good_until) in [("first", at(10)), ("second", at(20))] {
        let token = TokenRow { value: Secret::new(value), good_until };
        store.token_keep("wecom:a", &token).await.unwrap();
        let kept = store.token("wecom:a").await.unwrap().unwrap();
        assert_eq!((kept.value.expose(), kept.good_until), (value, good_until));
    }
    assert!(store.token("wecom:b").await.unwrap().is_none());
}

pub(super) async fn the_newest_models_count(store: &dyn Store) {
    assert_eq!(store.models().await.unwrap(), None);
    let set = |head: &[u8]| {
        BTreeMap::from([
            ("encoder/encoder.safetensors".to_owned(), vec![7; 1000]),
            ("shop/model.safetensors".to_owned(), head.to_vec()),
        ])
    };
    for number in 0..5_u8 {
        let files = set(&[number; 3]);
        let kept = store.models_keep(&files, at(i64::from(number))).await.unwrap();
        assert_eq!(kept, fingerprint(&files));
        assert_eq!(store.models().await.unwrap(), Some(kept));
        assert_eq!(store.models_files(&kept).await.unwrap(), files);
    }
    let before = store.models_files(&fingerprint(&set(&[3; 3]))).await.unwrap();
    assert_eq!(before, set(&[3; 3]), "somebody may still read from the one before");
    let first = store.models_files(&fingerprint(&set(&[0; 3]))).await.unwrap();
    assert_eq!(first, BTreeMap::new(), "nobody reads from the first any more");
    // Back to one that was there: it is the newest again.
    let again = store.models_keep(&set(&[3; 3]), at(9)).await.unwrap();
    assert_eq!(store.models().await.unwrap(), Some(again));
    let empty = store.models_keep(&BTreeMap::new(), at(9)).await;
    assert!(matches!(empty, Err(StoreError::Empty { what: "set of models" })));
}
