//! A restore after each kind of schema change: what loses nothing is no hindrance, what does is named.

use api::db::Dialect;
use api::deletion::Deletion;

use super::{STALE, delete, group_of, id_type, one_in_the_way, restored};
use crate::support::{TestDb, on_both, only};

on_both!(Adopted:
    a_table_that_is_gone,
    a_column_that_is_gone_with_what_was_in_it,
    a_column_that_is_gone_and_held_nothing,
    a_new_column_with_a_default,
    a_new_column_that_wants_a_value,
    a_type_that_takes_more,
    a_type_that_loses_something,
    a_table_that_is_no_longer_referred_to,
    columns_in_another_order,
);
only!(postgres Adopted:
    an_enum_that_became_text,
    a_word_that_an_enum_has_lost,
    a_word_that_an_enum_has_renamed,
    a_domain_with_a_new_check,
    a_column_that_became_generated,
    a_column_that_is_no_longer_generated,
    a_time_that_became_a_moment,
    columns_that_have_each_other_s_name,
);

/// A table whose rows go with a group.
async fn pins(db: &TestDb) -> Deletion {
    let group = group_of(db, STALE).await;
    make(db, "amount numeric(10,2), label text, note text").await;
    db.exec(&format!("INSERT INTO pins VALUES (1, '{group}', 1.5, 'one', NULL), (2, '{group}', 2, '2', NULL)")).await;
    let deletion = delete(db, STALE).await;
    assert_eq!(db.count("pins").await, 0);
    deletion
}

async fn make(db: &TestDb, columns: &str) {
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "DROP TABLE IF EXISTS pins; CREATE TABLE pins (id integer PRIMARY KEY, \
         group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE, {columns})"
    ))
    .await;
}

/// All is as it was; the columns in `select` too.
async fn comes_back(db: &TestDb, deletion: &Deletion, select: &str, expected: [&str; 2]) {
    restored(db, deletion).await;
    let rows = db.rows(&format!("SELECT {select} FROM pins WHERE group_id IS NOT NULL ORDER BY id")).await;
    // Text that looks like a number is quoted on SQLite.
    let rows: Vec<String> = rows.iter().map(|row| row.join(" ").replace('\'', "")).collect();
    assert_eq!(rows, expected);
}

async fn message(db: &TestDb, deletion: &Deletion) -> String {
    let (table, _, message, first) = one_in_the_way(db, deletion).await;
    assert_eq!((table.as_str(), first), ("pins", None));
    message
}

async fn a_table_that_is_gone(db: TestDb) {
    let deletion = pins(&db).await;
    db.exec("DROP TABLE pins").await;
    assert_eq!(message(&db, &deletion).await, "The table is gone. Make it again as it was, then restore again.");
    make(&db, "amount numeric(10,2), label text, note text").await;
    comes_back(&db, &deletion, "label", ["one", "2"]).await;
}

async fn a_column_that_is_gone_with_what_was_in_it(db: TestDb) {
    let deletion = pins(&db).await;
    db.exec("ALTER TABLE pins DROP COLUMN label").await;
    assert_eq!(
        message(&db, &deletion).await,
        "The column label is gone; add it back, or 2 rows would lose what they have in it."
    );
    db.exec("ALTER TABLE pins ADD COLUMN label text").await;
    comes_back(&db, &deletion, "label", ["one", "2"]).await;
}

async fn a_column_that_is_gone_and_held_nothing(db: TestDb) {
    let deletion = pins(&db).await;
    db.exec("ALTER TABLE pins DROP COLUMN note").await;
    comes_back(&db, &deletion, "label", ["one", "2"]).await;
}

async fn a_new_column_with_a_default(db: TestDb) {
    let deletion = pins(&db).await;
    db.exec("ALTER TABLE pins ADD COLUMN colour text NOT NULL DEFAULT 'red'").await;
    comes_back(&db, &deletion, "label, colour", ["one red", "2 red"]).await;
}

async fn a_new_column_that_wants_a_value(db: TestDb) {
    let deletion = pins(&db).await;
    make(&db, "amount numeric(10,2), label text, note text, colour text NOT NULL").await;
    let message = message(&db, &deletion).await;
    assert!(message.starts_with("The database refused: ") && message.contains("colour"), "{message}");
}

async fn a_type_that_takes_more(db: TestDb) {
    let deletion = pins(&db).await;
    let (amount, kind) = match db.dialect() {
        Dialect::Postgres => (["1.5000 one", "2.0000 2"], "numeric(12,4)"),
        Dialect::Sqlite => (["1.5 one", "2.0 2"], "real"),
    };
    make(&db, &format!("amount {kind}, label varchar(90), note text")).await;
    comes_back(&db, &deletion, "amount, label", amount).await;
}

async fn a_type_that_loses_something(db: TestDb) {
    let deletion = pins(&db).await;
    make(&db, "amount integer, label integer, note text").await;
    let expected = match db.dialect() {
        // What is 1.5 in an integer column there is 1.5.
        Dialect::Sqlite => {
            "The column label was TEXT and is INTEGER now; change it back, or 1 row would lose what they have in it."
                .to_owned()
        }
        Dialect::Postgres => String::new(),
    };
    let found = super::in_the_way(&db, &deletion).await;
    let messages: Vec<String> = found.into_iter().map(|(.., message, _)| message).collect();
    if db.dialect() == Dialect::Postgres {
        assert_eq!(
            messages,
            [
                "The column amount was numeric(10,2) and is integer now; change it back, or some rows would lose what they \
                 have in it.",
                "The column label was text and is integer now; change it back, or some rows would lose what they have in it."
            ]
        );
    } else {
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(messages[0].to_lowercase(), expected.to_lowercase());
    }
    make(&db, "amount numeric(10,2), label text, note text").await;
    comes_back(&db, &deletion, "label", ["one", "2"]).await;
}

async fn a_table_that_is_no_longer_referred_to(db: TestDb) {
    let deletion = pins(&db).await;
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "DROP TABLE pins; CREATE TABLE pins (id integer PRIMARY KEY, group_id {kind}, amount numeric(10,2), label text, note text)"
    ))
    .await;
    comes_back(&db, &deletion, "label", ["one", "2"]).await;
}

async fn columns_in_another_order(db: TestDb) {
    let deletion = pins(&db).await;
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "DROP TABLE pins; CREATE TABLE pins (label text, amount numeric(10,2), note text, \
         group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE, id integer PRIMARY KEY)"
    ))
    .await;
    comes_back(&db, &deletion, "id, label", ["1 one", "2 2"]).await;
}

/// A table with a column of an enum.
async fn coloured(db: &TestDb) -> Deletion {
    let group = group_of(db, STALE).await;
    db.exec("CREATE TYPE colour AS ENUM ('red', 'green')").await;
    make(db, "colour colour").await;
    db.exec(&format!("INSERT INTO pins VALUES (1, '{group}', 'red'), (2, '{group}', 'green')")).await;
    delete(db, STALE).await
}

async fn an_enum_that_became_text(db: TestDb) {
    let deletion = coloured(&db).await;
    db.exec("ALTER TABLE pins ALTER COLUMN colour TYPE text; DROP TYPE colour").await;
    comes_back(&db, &deletion, "colour", ["red", "green"]).await;
}

async fn a_word_that_an_enum_has_lost(db: TestDb) {
    let deletion = coloured(&db).await;
    db.exec(
        "ALTER TABLE pins ALTER COLUMN colour TYPE text; DROP TYPE colour; CREATE TYPE colour AS ENUM ('red'); \
         ALTER TABLE pins ALTER COLUMN colour TYPE colour USING colour::colour",
    )
    .await;
    let (.., message, _) = one_in_the_way(&db, &deletion).await;
    assert!(message.starts_with("A kept value does not fit its column any more: "), "{message}");
    assert!(message.contains("green"), "{message}");
}

async fn a_word_that_an_enum_has_renamed(db: TestDb) {
    let deletion = coloured(&db).await;
    // What else is in the way cannot be asked of such rows; that must not be an error.
    db.exec("ALTER TYPE colour RENAME VALUE 'green' TO 'verde'; CREATE UNIQUE INDEX one_colour ON pins (colour)").await;
    let message = message(&db, &deletion).await;
    assert!(message.contains("green") && message.contains(" Change colour, or its type colour, "), "{message}");
}

async fn a_domain_with_a_new_check(db: TestDb) {
    let group = group_of(&db, STALE).await;
    db.exec("CREATE DOMAIN short AS text").await;
    make(&db, "label short").await;
    db.exec(&format!("INSERT INTO pins VALUES (1, '{group}', 'long'), (2, '{group}', 'ok')")).await;
    let deletion = delete(&db, STALE).await;
    db.exec("ALTER DOMAIN short ADD CONSTRAINT shorter CHECK (length(VALUE) < 3)").await;
    let message = message(&db, &deletion).await;
    assert!(message.contains("shorter") && message.contains(" Change label, or its type short, "), "{message}");
}

async fn a_column_that_became_generated(db: TestDb) {
    let deletion = pins(&db).await;
    make(&db, "amount numeric(10,2), label text GENERATED ALWAYS AS ('x') STORED, note text").await;
    assert_eq!(
        message(&db, &deletion).await,
        "The column label is worked out by the database now; make it an ordinary column, or 2 rows would lose what they \
         have in it."
    );
}

async fn a_column_that_is_no_longer_generated(db: TestDb) {
    let group = group_of(&db, STALE).await;
    make(&db, "label text, note text GENERATED ALWAYS AS (label || '!') STORED, loud text GENERATED ALWAYS AS (upper(label)) STORED")
        .await;
    db.exec(&format!("INSERT INTO pins VALUES (1, '{group}', 'one'), (2, '{group}', 'two')")).await;
    let deletion = delete(&db, STALE).await;
    db.exec("ALTER TABLE pins ALTER COLUMN note DROP EXPRESSION; ALTER TABLE pins DROP COLUMN loud").await;
    comes_back(&db, &deletion, "label, note", ["one one!", "two two!"]).await;
}

async fn a_time_that_became_a_moment(db: TestDb) {
    let group = group_of(&db, STALE).await;
    make(&db, "at timestamp, nothing timestamp[], label text").await;
    db.exec(&format!(
        "INSERT INTO pins VALUES (1, '{group}', '2024-01-02 03:04', NULL, 'one'), (2, '{group}', NULL, NULL, '2')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec(
        "ALTER TABLE pins ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'Asia/Tokyo', \
         ALTER COLUMN nothing TYPE timestamptz[] USING NULL",
    )
    .await;
    assert_eq!(
        message(&db, &deletion).await,
        "The column at was timestamp without time zone and is timestamp with time zone now; change it back, or 1 row would \
         lose what they have in it."
    );
    db.exec("ALTER TABLE pins ALTER COLUMN at TYPE timestamp USING NULL").await;
    comes_back(&db, &deletion, "at, label", ["2024-01-02 03:04:00 one", "NULL 2"]).await;
}

async fn columns_that_have_each_other_s_name(db: TestDb) {
    let deletion = pins(&db).await;
    let swap = "ALTER TABLE pins RENAME label TO other; ALTER TABLE pins RENAME note TO label; ALTER TABLE pins RENAME other TO note";
    db.exec(swap).await;
    assert_eq!(
        message(&db, &deletion).await,
        "The column label is called note now; rename it back, or 2 rows would lose what they have in it."
    );
    db.exec(swap).await;
    comes_back(&db, &deletion, "label", ["one", "2"]).await;
}
