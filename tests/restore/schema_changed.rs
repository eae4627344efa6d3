//! Tests of a restore after each kind of schema change: a change without loss is allowed, one with a loss is named.

use api::db::Dialect;
use api::deletion::Deletion;

use super::{STALE, delete, find_first_group, find_only_conflict, id_type, restore_deletion};
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

/// Creates a table whose rows are deleted with a group, and deletes the group's session.
async fn create_pins_and_delete(db: &TestDb) -> Deletion {
    let group = find_first_group(db, STALE).await;
    create_pins_table(db, "amount numeric(10,2), label text, note text").await;
    db.exec(&format!("INSERT INTO pins VALUES (1, '{group}', 1.5, 'one', NULL), (2, '{group}', 2, '2', NULL)")).await;
    let deletion = delete(db, STALE).await;
    assert_eq!(db.count("pins").await, 0);
    deletion
}

async fn create_pins_table(db: &TestDb, columns: &str) {
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "DROP TABLE IF EXISTS pins; CREATE TABLE pins (id integer PRIMARY KEY, \
         group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE, {columns})"
    ))
    .await;
}

/// Restores, and asserts that the rows are as before and that the columns in `select` have the expected values.
async fn assert_restored(db: &TestDb, deletion: &Deletion, select: &str, expected: [&str; 2]) {
    restore_deletion(db, deletion).await;
    let rows = db.rows(&format!("SELECT {select} FROM pins WHERE group_id IS NOT NULL ORDER BY id")).await;
    // On SQLite, text that looks like a number is quoted.
    let rows: Vec<String> = rows.iter().map(|row| row.join(" ").replace('\'', "")).collect();
    assert_eq!(rows, expected);
}

async fn conflict_message(db: &TestDb, deletion: &Deletion) -> String {
    let (table, _, message, first) = find_only_conflict(db, deletion).await;
    assert_eq!((table.as_str(), first), ("pins", None));
    message
}

async fn a_table_that_is_gone(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    db.exec("DROP TABLE pins").await;
    assert_eq!(
        conflict_message(&db, &deletion).await,
        "The table no longer exists. Create it as it was, then restore again."
    );
    create_pins_table(&db, "amount numeric(10,2), label text, note text").await;
    assert_restored(&db, &deletion, "label", ["one", "2"]).await;
}

async fn a_column_that_is_gone_with_what_was_in_it(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    db.exec("ALTER TABLE pins DROP COLUMN label").await;
    assert_eq!(
        conflict_message(&db, &deletion).await,
        "The column label no longer exists; add it again, or values of 2 rows would be lost."
    );
    db.exec("ALTER TABLE pins ADD COLUMN label text").await;
    assert_restored(&db, &deletion, "label", ["one", "2"]).await;
}

async fn a_column_that_is_gone_and_held_nothing(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    db.exec("ALTER TABLE pins DROP COLUMN note").await;
    assert_restored(&db, &deletion, "label", ["one", "2"]).await;
}

async fn a_new_column_with_a_default(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    db.exec("ALTER TABLE pins ADD COLUMN colour text NOT NULL DEFAULT 'red'").await;
    assert_restored(&db, &deletion, "label, colour", ["one red", "2 red"]).await;
}

async fn a_new_column_that_wants_a_value(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    create_pins_table(&db, "amount numeric(10,2), label text, note text, colour text NOT NULL").await;
    let message = conflict_message(&db, &deletion).await;
    assert!(message.starts_with("The database refused: ") && message.contains("colour"), "{message}");
}

async fn a_type_that_takes_more(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    let (amount, kind) = match db.dialect() {
        Dialect::Postgres => (["1.5000 one", "2.0000 2"], "numeric(12,4)"),
        Dialect::Sqlite => (["1.5 one", "2.0 2"], "real"),
    };
    create_pins_table(&db, &format!("amount {kind}, label varchar(90), note text")).await;
    assert_restored(&db, &deletion, "amount, label", amount).await;
}

async fn a_type_that_loses_something(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    create_pins_table(&db, "amount integer, label integer, note text").await;
    let expected = match db.dialect() {
        // On SQLite, an integer column stores 1.5 without a loss.
        Dialect::Sqlite => {
            "The column label had the type TEXT and now has the type INTEGER; change it back, or values of 1 row \
             would be lost."
                .to_owned()
        }
        Dialect::Postgres => String::new(),
    };
    let found = super::find_conflicts(&db, &deletion).await;
    let messages: Vec<String> = found.into_iter().map(|(.., message, _)| message).collect();
    if db.dialect() == Dialect::Postgres {
        assert_eq!(
            messages,
            [
                "The column amount had the type numeric(10,2) and now has the type integer; change it back, or values \
                 of some rows would be lost.",
                "The column label had the type text and now has the type integer; change it back, or values of some \
                 rows would be lost."
            ]
        );
    } else {
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(messages[0].to_lowercase(), expected.to_lowercase());
    }
    create_pins_table(&db, "amount numeric(10,2), label text, note text").await;
    assert_restored(&db, &deletion, "label", ["one", "2"]).await;
}

async fn a_table_that_is_no_longer_referred_to(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "DROP TABLE pins; CREATE TABLE pins (id integer PRIMARY KEY, group_id {kind}, amount numeric(10,2), label text, note text)"
    ))
    .await;
    assert_restored(&db, &deletion, "label", ["one", "2"]).await;
}

async fn columns_in_another_order(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "DROP TABLE pins; CREATE TABLE pins (label text, amount numeric(10,2), note text, \
         group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE, id integer PRIMARY KEY)"
    ))
    .await;
    assert_restored(&db, &deletion, "id, label", ["1 one", "2 2"]).await;
}

/// Creates a table with an enum column, and deletes the session of its rows.
async fn create_coloured_and_delete(db: &TestDb) -> Deletion {
    let group = find_first_group(db, STALE).await;
    db.exec("CREATE TYPE colour AS ENUM ('red', 'green')").await;
    create_pins_table(db, "colour colour").await;
    db.exec(&format!("INSERT INTO pins VALUES (1, '{group}', 'red'), (2, '{group}', 'green')")).await;
    delete(db, STALE).await
}

async fn an_enum_that_became_text(db: TestDb) {
    let deletion = create_coloured_and_delete(&db).await;
    db.exec("ALTER TABLE pins ALTER COLUMN colour TYPE text; DROP TYPE colour").await;
    assert_restored(&db, &deletion, "colour", ["red", "green"]).await;
}

async fn a_word_that_an_enum_has_lost(db: TestDb) {
    let deletion = create_coloured_and_delete(&db).await;
    db.exec(
        "ALTER TABLE pins ALTER COLUMN colour TYPE text; DROP TYPE colour; CREATE TYPE colour AS ENUM ('red'); \
         ALTER TABLE pins ALTER COLUMN colour TYPE colour USING colour::colour",
    )
    .await;
    let (.., message, _) = find_only_conflict(&db, &deletion).await;
    assert!(message.starts_with("An archived value no longer fits its column: "), "{message}");
    assert!(message.contains("green"), "{message}");
}

async fn a_word_that_an_enum_has_renamed(db: TestDb) {
    let deletion = create_coloured_and_delete(&db).await;
    // Other conflicts cannot be searched for with such rows, which must not cause an error.
    db.exec("ALTER TYPE colour RENAME VALUE 'green' TO 'verde'; CREATE UNIQUE INDEX one_colour ON pins (colour)").await;
    let message = conflict_message(&db, &deletion).await;
    assert!(
        message.contains("green") && message.contains(" Change the column colour or its type colour "),
        "{message}"
    );
}

async fn a_domain_with_a_new_check(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    db.exec("CREATE DOMAIN short AS text").await;
    create_pins_table(&db, "label short").await;
    db.exec(&format!("INSERT INTO pins VALUES (1, '{group}', 'long'), (2, '{group}', 'ok')")).await;
    let deletion = delete(&db, STALE).await;
    db.exec("ALTER DOMAIN short ADD CONSTRAINT shorter CHECK (length(VALUE) < 3)").await;
    let message = conflict_message(&db, &deletion).await;
    assert!(
        message.contains("shorter") && message.contains(" Change the column label or its type short "),
        "{message}"
    );
}

async fn a_column_that_became_generated(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    create_pins_table(&db, "amount numeric(10,2), label text GENERATED ALWAYS AS ('x') STORED, note text").await;
    assert_eq!(
        conflict_message(&db, &deletion).await,
        "The column label is now computed by the database; make it an ordinary column, or values of 2 rows would be \
         lost."
    );
}

async fn a_column_that_is_no_longer_generated(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    let columns = "label text, note text GENERATED ALWAYS AS (label || '!') STORED, \
                   loud text GENERATED ALWAYS AS (upper(label)) STORED";
    create_pins_table(&db, columns).await;
    db.exec(&format!("INSERT INTO pins VALUES (1, '{group}', 'one'), (2, '{group}', 'two')")).await;
    let deletion = delete(&db, STALE).await;
    db.exec("ALTER TABLE pins ALTER COLUMN note DROP EXPRESSION; ALTER TABLE pins DROP COLUMN loud").await;
    assert_restored(&db, &deletion, "label, note", ["one one!", "two two!"]).await;
}

async fn a_time_that_became_a_moment(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    create_pins_table(&db, "at timestamp, nothing timestamp[], label text").await;
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
        conflict_message(&db, &deletion).await,
        "The column at had the type timestamp without time zone and now has the type timestamp with time zone; change \
         it back, or values of 1 row would be lost."
    );
    db.exec("ALTER TABLE pins ALTER COLUMN at TYPE timestamp USING NULL").await;
    assert_restored(&db, &deletion, "at, label", ["2024-01-02 03:04:00 one", "NULL 2"]).await;
}

async fn columns_that_have_each_other_s_name(db: TestDb) {
    let deletion = create_pins_and_delete(&db).await;
    let swap = "ALTER TABLE pins RENAME label TO other; ALTER TABLE pins RENAME note TO label; ALTER TABLE pins RENAME other TO note";
    db.exec(swap).await;
    assert_eq!(
        conflict_message(&db, &deletion).await,
        "The column label is now called note; rename it back, or values of 2 rows would be lost."
    );
    db.exec(swap).await;
    assert_restored(&db, &deletion, "label", ["one", "2"]).await;
}
