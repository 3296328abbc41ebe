//! Looking up messages in SQLite.
//!
//! Pages follow one another by message id, so that a page costs the same however far behind the first it is. A customer's
//! messages are found by their conversation, those of staff by an index of their own, and a span of time is a span of ids
//! with few others in it; what else is asked for is looked at row by row.

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

/// See [`Store::archive`](crate::store::Store::archive).
pub(super) async fn list(store: &SqliteStore, filter: &ArchiveFilter) -> Result<Vec<ArchiveRow>, StoreError> {
    filter.check()?;
    let rows = query(filter).build().fetch_all(&store.readers).await?;
    rows.iter().map(read).collect()
}

fn query(filter: &ArchiveFilter) -> QueryBuilder<Sqlite> {
    // CROSS JOIN keeps the order of the tables. Left to itself, SQLite gathers and sorts all that the bot has ever said.
    let tables = match filter.customer_id {
        Some(_) => "conversations c CROSS JOIN messages m ON m.conversation_id = c.id",
        None => "messages m CROSS JOIN conversations c ON c.id = m.conversation_id",
    };
    let mut sql = QueryBuilder::new(format!(
        "SELECT m.*, c.bot, c.channel, c.customer_id FROM {tables} WHERE c.bot = "
    ));
    sql.push_bind(&filter.bot);
    whose(&mut sql, filter);
    by(&mut sql, filter);
    when(&mut sql, filter);
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

fn by(sql: &mut QueryBuilder<Sqlite>, filter: &ArchiveFilter) {
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
    if matches!(author, "agent" | "system") && filter.customer_id.is_none() {
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
fn when(sql: &mut QueryBuilder<Sqlite>, filter: &ArchiveFilter) {
    // A customer's messages are few; and of where a page begins, the page before knows more.
    let starts = filter.after.is_none();
    let (is_low, is_high) = match (&filter.customer_id, filter.order) {
        (Some(_), _) => (false, false),
        (None, ArchiveOrder::OldestFirst) => (starts, true),
        (None, ArchiveOrder::NewestFirst) => (true, starts),
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
    use super::*;

    #[test]
    fn signs_that_stand_for_others_stand_for_themselves() {
        assert_eq!(pattern("100%_\\"), r"%100\%\_\\%");
        assert_eq!(pattern(&in_json("说\"好\"\n")), r#"%说\\"好\\"\\n%"#);
    }
}
