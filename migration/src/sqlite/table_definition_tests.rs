use super::set_foreign_key_action;
use crate::foreign_key_fix::{ForeignKeyFix, ReferentialAction};

const FIX: ForeignKeyFix = ForeignKeyFix {
    table: "t",
    column: "group_id",
    referenced_table: "whatsapp_groups",
    action: ReferentialAction::Cascade,
    final_action: ReferentialAction::Cascade,
};

fn set_cascade(sql: &str) -> String {
    set_foreign_key_action(sql, &FIX, ReferentialAction::Cascade).unwrap()
}

#[test]
fn a_rule_is_added_behind_the_parent() {
    assert_eq!(
        set_cascade("CREATE TABLE t (id text, group_id text NOT NULL REFERENCES whatsapp_groups(id), x)"),
        "CREATE TABLE t (id text, group_id text NOT NULL REFERENCES whatsapp_groups(id) ON DELETE CASCADE, x)"
    );
    assert_eq!(
        set_cascade("CREATE TABLE t (group_id REFERENCES whatsapp_groups ON UPDATE CASCADE NOT NULL)"),
        "CREATE TABLE t (group_id REFERENCES whatsapp_groups ON DELETE CASCADE ON UPDATE CASCADE NOT NULL)"
    );
}

#[test]
fn a_rule_is_replaced_and_all_else_stays() {
    assert_eq!(
        set_cascade(
            "CREATE TABLE t(group_id REFERENCES whatsapp_groups(id) MATCH FULL ON UPDATE SET NULL ON DELETE /* why */ NO ACTION NOT DEFERRABLE CHECK (1))"
        ),
        "CREATE TABLE t(group_id REFERENCES whatsapp_groups(id) MATCH FULL ON UPDATE SET NULL ON DELETE /* why */ CASCADE NOT DEFERRABLE CHECK (1))"
    );
}

#[test]
fn table_constraints_keep_their_names() {
    assert_eq!(
        set_cascade(
            "CREATE TABLE t (group_id, CONSTRAINT fk FOREIGN KEY (\"group_id\") REFERENCES [whatsapp_groups] ('id') ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED) STRICT, WITHOUT ROWID"
        ),
        "CREATE TABLE t (group_id, CONSTRAINT fk FOREIGN KEY (\"group_id\") REFERENCES [whatsapp_groups] ('id') ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED) STRICT, WITHOUT ROWID"
    );
}

#[test]
fn only_the_reference_that_is_meant_is_touched() {
    let sql = "CREATE TABLE t (a text DEFAULT 'group_id REFERENCES whatsapp_groups(id)', -- group_id REFERENCES whatsapp_groups(id)\n \
               \"REFERENCES\" text CHECK (\"REFERENCES\" <> ')'), other REFERENCES whatsapp_groups(id), \
               [group_id] TEXT COLLATE NOCASE REFERENCES \"WhatsApp_Groups\" (id), g AS (group_id || '(') STORED, \
               FOREIGN KEY (group_id, a) REFERENCES whatsapp_groups(id, a), FOREIGN KEY (group_id) REFERENCES elsewhere(id))";
    let changed = set_cascade(sql);
    assert_eq!(changed, sql.replace("\"WhatsApp_Groups\" (id)", "\"WhatsApp_Groups\" (id) ON DELETE CASCADE"));
}

#[test]
fn a_missing_key_is_put_before_the_bracket() {
    assert_eq!(
        set_cascade("CREATE TABLE t (id, group_id text CHECK (group_id <> '') -- the group\n)"),
        "CREATE TABLE t (id, group_id text CHECK (group_id <> ''), FOREIGN KEY (\"group_id\") REFERENCES \"whatsapp_groups\" (\"id\") ON DELETE CASCADE -- the group\n)"
    );
}

#[test]
fn of_doubled_keys_the_first_stays() {
    let key = "FOREIGN KEY (group_id) REFERENCES whatsapp_groups(id)";
    let kept = format!("{key} ON DELETE CASCADE");
    for (sql, expected) in [
        // column and table constraint
        (
            format!("CREATE TABLE t (group_id NOT NULL REFERENCES whatsapp_groups(id), CONSTRAINT b {key})"),
            "CREATE TABLE t (group_id NOT NULL REFERENCES whatsapp_groups(id) ON DELETE CASCADE)".to_owned(),
        ),
        // twice on the column
        (
            "CREATE TABLE t (group_id REFERENCES whatsapp_groups(id) CONSTRAINT b REFERENCES whatsapp_groups(id) ON DELETE CASCADE NOT NULL, c)".to_owned(),
            "CREATE TABLE t (group_id REFERENCES whatsapp_groups(id) ON DELETE CASCADE  NOT NULL, c)".to_owned(),
        ),
        // between others
        (format!("CREATE TABLE t (group_id, {key}, {key}, UNIQUE (group_id))"), format!("CREATE TABLE t (group_id, {kept}, UNIQUE (group_id))")),
        // without commas
        (format!("CREATE TABLE t (group_id, {key} {key} UNIQUE (group_id))"), format!("CREATE TABLE t (group_id, {kept}  UNIQUE (group_id))")),
        (format!("CREATE TABLE t (group_id, {key}, {key} UNIQUE (group_id))"), format!("CREATE TABLE t (group_id, {kept},  UNIQUE (group_id))")),
    ] {
        assert_eq!(set_cascade(&sql), expected);
    }
}

#[test]
fn a_text_that_is_not_understood_is_refused() {
    for sql in [
        "CREATE VIRTUAL TABLE t USING fts5 (group_id)",
        "CREATE TABLE t (group_id REFERENCES",
        "CREATE TABLE t (group_id 'open)",
        "CREATE TABLE t (FOREIGN KEY group_id)",
        "",
    ] {
        assert!(set_foreign_key_action(sql, &FIX, ReferentialAction::Cascade).is_err(), "{sql}");
    }
}
