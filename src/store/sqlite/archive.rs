//! Looking up messages in SQLite.
//!
//! Pages follow one another by message id, so that a page costs the same however far behind the first it is. Messages of a
//! customer, or of a bot that has few, are found by their conversations; those of staff by an index of their own; and a span
//! of time is a span of ids with few others in it. What else is asked for is looked at row by row.

use sqlx::QueryBuilder;
use sqlx::Sqlite;
use sqlx::sqlite::SqliteRow;

use crate::message::Channel;
use crate::store::ArchiveFilter;
use crate::store::ArchiveOrder;
use crate::store::ArchiveRow;
use crate::store::ArchivedBy;
use crate::store::StoreError;
use crate::store::limit;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::column;
use crate::store::sqlite::conversation;

/// Messages of a bot that are gathered and put in order for every page. Of a bot with more, the ids of all bots'
/// messages are followed. Chosen by hand.
const GATHERED_MAX: i64 = 5_000;

/// How messages are come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// From their conversations, to be put in order.
    Talks,
    /// In the order of their ids.
    Ids,
}

/// See [`Store::archive`](crate::store::Store::archive).
pub(super) async fn list(store: &SqliteStore, filter: &ArchiveFilter) -> Result<Vec<ArchiveRow>, StoreError> {
    filter.check()?;
    let is_few = filter.customer_id.is_some() || has_few(store, &filter.bot).await?;
    find(store, filter, if is_few { Way::Talks } else { Way::Ids }).await
}

async fn find(store: &SqliteStore, filter: &ArchiveFilter, way: Way) -> Result<Vec<ArchiveRow>, StoreError> {
    let rows = query(filter, way).build().fetch_all(&store.readers).await?;
    rows.iter().map(read).collect()
}

async fn has_few(store: &SqliteStore, bot: &str) -> Result<bool, StoreError> {
    let n: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 FROM conversations c CROSS JOIN messages m ON m.conversation_id = c.id
             WHERE c.bot = ? LIMIT ?)",
    )
    .bind(bot)
    .bind(GATHERED_MAX + 1)
    .fetch_one(&store.readers)
    .await?;
    Ok(n <= GATHERED_MAX)
}

fn query(filter: &ArchiveFilter, way: Way) -> QueryBuilder<Sqlite> {
    // CROSS JOIN keeps the order of the tables. Left to itself, SQLite gathers and sorts all that the bot has ever said.
    let tables = match way {
        Way::Talks => "conversations c CROSS JOIN messages m ON m.conversation_id = c.id",
        Way::Ids => "messages m CROSS JOIN conversations c ON c.id = m.conversation_id",
    };
    let mut sql = QueryBuilder::new(format!(
        "SELECT m.*, c.bot, c.channel, c.customer_id FROM {tables} WHERE c.bot = "
    ));
    sql.push_bind(&filter.bot);
    whose(&mut sql, filter);
    by(&mut sql, filter, way);
    when(&mut sql, filter, way);
    filter.words.iter().for_each(|word| with_word(&mut sql, word));
    let (behind, order) = match filter.order {
        ArchiveOrder::OldestFirst => (" AND m.id > ", " ORDER BY m.id"),
        ArchiveOrder::NewestFirst => (" AND m.id < ", " ORDER BY m.id DESC"),
    };
    if let Some(after) = filter.after {
        sql.push(behind).push_bind(after);
    }
    sql.push(order).push(" LIMIT ").push_bind(limit::rows(filter.limit));
    sql
}

fn whose(sql: &mut QueryBuilder<Sqlite>, filter: &ArchiveFilter) {
    if let Some(channel) = filter.channel {
        sql.push(" AND c.channel = ").push_bind(channel.as_str());
    }
    if let Some(customer_id) = &filter.customer_id {
        if filter.channel.is_none() {
            // All of them, named: the index of conversations has the channel ahead of the customer.
            let [first, others @ ..] = Channel::ALL;
            sql.push(" AND c.channel IN (").push_bind(first.as_str());
            others.iter().for_each(|channel| {
                sql.push(", ").push_bind(channel.as_str());
            });
            sql.push(")");
        }
        sql.push(" AND c.customer_id = ").push_bind(customer_id);
    }
}

fn by(sql: &mut QueryBuilder<Sqlite>, filter: &ArchiveFilter, way: Way) {
    if let Some(direction) = filter.direction {
        sql.push(" AND +m.direction = ").push_bind(column::direction_name(direction));
    }
    let Some(by) = filter.by else { return };
    let (author, agent) = match by {
        ArchivedBy::Customer => ("customer", None),
        ArchivedBy::Bot => ("bot", None),
        ArchivedBy::Agents => ("agent", None),
        ArchivedBy::Agent(id) => ("agent", Some(id)),
        ArchivedBy::System => ("system", None),
    };
    if matches!(author, "agent" | "system") && way == Way::Ids {
        // The condition of `messages_of_staff`, word by word: without it the index is not used.
        sql.push(" AND m.author IN ('agent', 'system')");
    }
    // Not bound, for the same reason.
    sql.push(" AND m.author = '").push(author).push("'");
    if let Some(id) = agent {
        sql.push(" AND +m.agent_id = ").push_bind(id);
    }
}

/// Ids rise with time but for clocks that were set and turns that overtook one another, so that the time itself is looked at
/// as well.
fn when(sql: &mut QueryBuilder<Sqlite>, filter: &ArchiveFilter, way: Way) {
    // Of where a page begins, the page before knows more.
    let starts = filter.after.is_none();
    let (is_low, is_high) = match (way, filter.order) {
        (Way::Talks, _) => (false, false),
        (Way::Ids, ArchiveOrder::OldestFirst) => (starts, true),
        (Way::Ids, ArchiveOrder::NewestFirst) => (true, starts),
    };
    if let Some(from) = filter.from {
        sql.push(" AND +m.at_ms >= ").push_bind(from.as_millisecond());
        if is_low {
            sql.push(" AND m.id >= (SELECT min(id) FROM messages INDEXED BY messages_by_age WHERE at_ms >= ")
                .push_bind(from.as_millisecond())
                .push(")");
        }
    }
    if let Some(until) = filter.until {
        sql.push(" AND +m.at_ms < ").push_bind(until.as_millisecond());
        if is_high {
            sql.push(" AND m.id <= (SELECT max(id) FROM messages INDEXED BY messages_by_age WHERE at_ms < ")
                .push_bind(until.as_millisecond())
                .push(")");
        }
    }
}

/// The word stands in a text that people read: of a customer, or in a part of a reply. An address is read where it leads to the
/// web; those of the bot's own files are not what the customer saw.
fn with_word(sql: &mut QueryBuilder<Sqlite>, word: &str) {
    // As it stands in JSON, which rules out nearly every row before one is taken apart.
    sql.push(" AND m.body LIKE ").push_bind(pattern(&in_json(word))).push(r" ESCAPE '\'");
    sql.push(" AND (json_extract(m.body, '$.text') LIKE ").push_bind(pattern(word)).push(r" ESCAPE '\'");
    sql.push(
        " OR EXISTS (SELECT 1 FROM json_tree(m.body, '$.parts') t WHERE t.type = 'text'
             AND (t.key IN ('text', 'prompt', 'title', 'description') OR t.path GLOB '*.options'
                  OR (t.key = 'url' AND t.value GLOB 'http*'))
             AND t.value LIKE ",
    );
    sql.push_bind(pattern(word)).push(r" ESCAPE '\'))");
}

/// A word as JSON holds it between its quotation marks.
fn in_json(word: &str) -> String {
    let quoted = serde_json::Value::from(word).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// What a text is like that has the word in it; signs that stand for others stand for themselves.
fn pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for sign in word.chars() {
        if matches!(sign, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern.push('%');
    pattern
}

fn read(row: &SqliteRow) -> Result<ArchiveRow, StoreError> {
    Ok(ArchiveRow { customer: column::customer_key(row)?, message: conversation::read_message(row)? })
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use super::*;
    use crate::store::tests::archive;
    use crate::store::tests::at;

    #[tokio::test]
    async fn both_ways_find_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path()).await.unwrap();
        for (bot, name) in [("one", 1), ("other", 2)] {
            let agent = archive::agent(&store, bot, name).await;
            archive::fill(&store, bot, agent).await;
        }
        let mut n_found = 0;
        for filter in archive::filters("one", 1) {
            let told = find(&store, &filter, Way::Talks).await.unwrap();
            assert_eq!(find(&store, &filter, Way::Ids).await.unwrap(), told, "{filter:?}");
            n_found += told.len();
        }
        assert!(n_found > 50, "{n_found} messages in all");
    }

    #[tokio::test]
    async fn what_has_an_index_is_found_by_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path()).await.unwrap();
        let check = async |filter: ArchiveFilter, way: Way, expected: &[&str]| {
            let sql = format!("EXPLAIN QUERY PLAN {}", query(&filter, way).into_string());
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&store.readers).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            for step in expected {
                assert!(plan.iter().any(|one| one.contains(step)), "{step} is not in {plan:?}");
            }
            let is_sorted = plan.iter().any(|one| one.contains("ORDER BY"));
            assert_eq!(is_sorted, way == Way::Talks, "{plan:?}");
        };
        let base = || archive::everything("one");
        let of = ArchiveFilter { customer_id: Some("amy".to_owned()), ..base() };
        let by_talk = "m USING INDEX messages_of_conversation (conversation_id=?";
        check(of, Way::Talks, &["(bot=? AND channel=? AND customer_id=?)", by_talk]).await;
        check(base(), Way::Talks, &["(bot=?)", by_talk]).await;
        check(base(), Way::Ids, &["SCAN m"]).await;
        let agents = ArchiveFilter { by: Some(ArchivedBy::Agents), after: Some(1), ..base() };
        check(agents, Way::Ids, &["messages_of_staff (author=? AND rowid>?)"]).await;
        let (from, until) = (Some(at(1)), Some(at(2)));
        let span = ArchiveFilter { from, until, ..base() };
        let by_age = "COVERING INDEX messages_by_age";
        check(span, Way::Ids, &["m USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", by_age]).await;
    }

    #[test]
    fn signs_that_stand_for_others_stand_for_themselves() {
        assert_eq!(pattern("100%_\\"), r"%100\%\_\\%");
        assert_eq!(pattern(&in_json("说\"好\"\n")), r#"%说\\"好\\"\\n%"#);
    }
}
