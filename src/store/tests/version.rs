//! Versions of knowledge: kept once, published one after another.

use std::sync::Arc;

use crate::store::NewPublication;
use crate::store::NewVersion;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::VERSION_BYTES_MAX;
use crate::store::VersionFiles;
use crate::store::VersionNumber;
use crate::store::tests::at;

fn files(list: &[(&str, &str)]) -> VersionFiles {
    list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn version(bot: &str, list: &[(&str, &str)]) -> NewVersion {
    NewVersion {
        bot: bot.to_owned(),
        files: files(list),
        author: "小李".to_owned(),
        reason: "新品".to_owned(),
    }
}

fn publication(bot: &str, number: VersionNumber, instead_of: Option<VersionNumber>) -> NewPublication {
    NewPublication {
        bot: bot.to_owned(),
        number,
        instead_of,
        author: "小李".to_owned(),
        reason: "上线".to_owned(),
    }
}

pub(super) async fn the_same_files_are_the_same_version(store: &dyn Store) {
    let one = version("versions-same", &[("bot.toml", "a"), ("faq/x.csv", "b")]);
    let other = version("versions-same", &[("bot.toml", "a"), ("faq/x.csv", "c")]);
    let first = store.version_add(&one, at(0)).await.unwrap();
    let second = store.version_add(&other, at(1)).await.unwrap();
    let again =
        store.version_add(&NewVersion { author: "小王".to_owned(), ..one.clone() }, at(2)).await.unwrap();
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(again, first, "who brings the same files later made nothing new");
    assert_eq!(store.version_files("versions-same", 1).await.unwrap(), one.files);
    assert_eq!(store.version_files("versions-same", 2).await.unwrap(), other.files);
    let listed: Vec<_> =
        store.versions("versions-same", 10).await.unwrap().iter().map(|row| row.number).collect();
    assert_eq!(listed, [2, 1]);
    let elsewhere = store.version_add(&version("versions-other", &[("bot.toml", "a")]), at(3)).await.unwrap();
    assert_eq!(elsewhere.number, 1);
    // Two lists that would read the same one after another are two.
    let cut = |at| version("versions-cut", &[(at, "")]);
    assert_ne!(
        store.version_add(&cut("ab"), at(0)).await.unwrap().fingerprint,
        store.version_add(&cut("a"), at(0)).await.unwrap().fingerprint
    );
}

pub(super) async fn of_two_publications_one_is_told_to_look_again(store: &Arc<dyn Store>) {
    const BOT: &str = "versions-race";
    for text in ["a", "b", "c"] {
        store.version_add(&version(BOT, &[("bot.toml", text)]), at(0)).await.unwrap();
    }
    assert_eq!(store.published().await.unwrap().get(BOT), None);
    store.publish(&publication(BOT, 1, None), at(1)).await.unwrap();
    let tasks: Vec<_> = [2, 3]
        .map(|number| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.publish(&publication(BOT, number, Some(1)), at(2)).await })
        })
        .into_iter()
        .collect();
    let mut refused = Vec::new();
    for task in tasks {
        refused.extend(task.await.unwrap().err());
    }
    let standing = store.published().await.unwrap()[BOT];
    assert!(
        matches!(
            refused.as_slice(),
            [StoreError::Outdated { expected: Some(1), found: Some(found), .. }] if *found == standing
        ),
        "{refused:?}"
    );
    store.publish(&publication(BOT, 1, Some(standing)), at(3)).await.unwrap();
    let numbers: Vec<_> =
        store.publications(BOT, 10).await.unwrap().iter().map(|row| (row.number, row.at)).collect();
    assert_eq!(numbers, [(1, at(3)), (standing, at(2)), (1, at(1))], "newest first");
    let rows = store.versions(BOT, 10).await.unwrap();
    let published: Vec<_> = rows.iter().map(|row| (row.number, row.published_at)).collect();
    let draft = 5 - standing;
    assert!(published.contains(&(draft, None)) && published.contains(&(1, Some(at(3)))), "{published:?}");
}

pub(super) async fn what_is_no_version_is_refused(store: &dyn Store) {
    const BOT: &str = "versions-bad";
    let error = store.version_add(&version(BOT, &[]), at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::Empty { what: "version" }), "{error:?}");
    let mut large = version(BOT, &[]);
    large.files.insert("faq/x.csv".to_owned(), vec![0; VERSION_BYTES_MAX + 1]);
    let error = store.version_add(&large, at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLong { what: "version", .. }), "{error:?}");
    let error = store.publish(&publication(BOT, 7, None), at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "version", id: 7 }), "{error:?}");
    let error = store.version_files(BOT, 7).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "version", id: 7 }), "{error:?}");
    assert_eq!(store.versions(BOT, 10).await.unwrap(), []);
}

pub(super) async fn a_folder_is_seen_as_one_version(store: &dyn Store) {
    const BOT: &str = "versions-folder";
    for text in ["a", "b"] {
        store.version_add(&version(BOT, &[("bot.toml", text)]), at(0)).await.unwrap();
    }
    assert_eq!(store.folder_seen(BOT, 1).await.unwrap(), None);
    assert_eq!(store.folder_seen(BOT, 1).await.unwrap(), Some(1));
    assert_eq!(store.folder_seen(BOT, 2).await.unwrap(), Some(1));
    assert_eq!(store.folder_seen(BOT, 1).await.unwrap(), Some(2));
    assert!(store.folder_seen(BOT, 9).await.is_err(), "there is no such version");
}
