//! Tests that values of every PostgreSQL type are restored exactly, whatever the settings of the host are.

use super::round_trip::{delete_session, restore_deletion};
use super::{STALE, find_first_group};
use crate::support::{TestDb, only, skip};

only!(postgres Adopted: every_value_comes_back_bit_by_bit);

/// Settings that change how values are written as text, some with a loss unless the archive overrides them.
const SETTINGS: [(&str, &str); 9] = [
    ("datestyle", "SQL, DMY"),
    ("intervalstyle", "sql_standard"),
    ("timezone", "Asia/Kathmandu"),
    ("extra_float_digits", "-3"),
    ("bytea_output", "escape"),
    ("xmloption", "document"),
    ("array_nulls", "off"),
    ("transform_null_equals", "on"),
    ("quote_all_identifiers", "on"),
];

/// Types that a host application may define.
const OWN_TYPES: &str = r#"
    CREATE SCHEMA "Odd ones";
    CREATE TYPE "Odd ones"."Mood" AS ENUM ('so so', 'it''s "fine"', 'NULL', '');
    CREATE DOMAIN positive AS numeric CHECK (VALUE > 0);
    CREATE DOMAIN "Odd ones".filled AS text NOT NULL;
    CREATE DOMAIN some_numbers AS integer[] CHECK (array_length(VALUE, 1) < 5);
    CREATE TYPE pair AS (a integer, "b C" text, at timestamptz, took interval);
    CREATE DOMAIN with_blanks AS bpchar;
    CREATE TYPE cast_otherwise AS (a integer, b text);
    CREATE FUNCTION cast_otherwise_text(cast_otherwise) RETURNS text LANGUAGE sql AS $$ SELECT 'otherwise' $$;
    CREATE CAST (cast_otherwise AS text) WITH FUNCTION cast_otherwise_text (cast_otherwise);
    CREATE TYPE nested AS (one pair, many pair[], mood "Odd ones"."Mood");
    CREATE TYPE float_range AS RANGE (subtype = float8)"#;

/// Types with values in SQL. Every column also has a null.
const TYPES: &[(&str, &[&str])] = &[
    ("smallint", &["-32768", "32767"]),
    ("integer", &["-2147483648", "0"]),
    ("bigint", &["-9223372036854775808", "9223372036854775807"]),
    (
        "numeric",
        &["'NaN'", "'1.000'", "'-0.00'", "'Infinity'", "repeat('9', 400) || '.' || repeat('123', 300)", "'1e-300'"],
    ),
    ("numeric(10,2)", &["'1.10'", "'-99999999.99'", "'NaN'"]),
    ("real", &["'0.1'", "'-0'", "'NaN'", "'Infinity'", "'1.17549435e-38'", "'1e-45'", "'3.4028235e38'"]),
    (
        "double precision",
        &["0.1::float8 + 0.2", "'-0'", "'NaN'", "'-Infinity'", "'5e-324'", "'1.7976931348623157e308'", "1::float8/3"],
    ),
    ("money", &["'12.34'::numeric::money", "'-92233720368547758.08'::numeric::money"]),
    ("boolean", &["true", "false"]),
    (
        "text",
        &[
            "''",
            "'NULL'",
            r#"E'a\\b\'c"d\ne\tf {g,h} (i) \U0001F642 \u00e9 e\u0301'"#,
            r"'\\000 \\x41'",
            "repeat('long ', 20000)",
        ],
    ),
    ("varchar(20)", &["''", "'  blanks  '"]),
    ("char(5)", &["'ab'", "''", "'  c'"]),
    ("bpchar", &["'ab  '", "''", "'  x   '"]),
    ("with_blanks", &["'ab  '", "''"]),
    ("cast_otherwise", &["'(1,)'", "'(,)'"]),
    ("\"char\"", &["'a'", "''", r"'\377'"]),
    ("name", &["'it''s a \"name\"'", "''"]),
    ("bytea", &[r"'\x00ff5c27'", "''", r"decode(repeat('005c', 5000), 'hex')"]),
    ("date", &["'0044-03-15 BC'", "'infinity'", "'-infinity'", "'5874897-12-31'", "'2024-02-03'"]),
    ("time", &["'23:59:59.999999'", "'24:00:00'"]),
    ("time(3)", &["'00:00:00.001'"]),
    ("timetz", &["'12:34:56.789012-11:30:15'", "'00:00:00+15:59'"]),
    (
        "timestamp",
        &["'2024-03-02 01:02:03.456789'", "'infinity'", "'4713-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'"],
    ),
    (
        "timestamptz",
        &[
            "'2024-10-27 02:30:00.000001+02'",
            "'-infinity'",
            "'infinity'",
            "'0001-12-31 23:59:59+00 BC'",
            "'1883-11-18 12:03:57+00'",
        ],
    ),
    (
        "interval",
        &[
            "'-1 year +2 days -03:04:05.678901'",
            "'1 mon -1 day +00:00:00.000001'",
            "'-00:00:01'",
            "'178000000 years'",
            "'30 days'",
            "'720:00:00'",
            "'0'",
        ],
    ),
    ("json", &[r#"'{"a" : 1,  "a":2, "b":  null }'"#, "'null'", r#"'"\u0041"'"#, "'1e400'", "'  [1 ,2]  '"]),
    ("jsonb", &["'null'", r#"'{"b": 1.100, "a": [null, {}, ""]}'"#, r#"'"\u00e9"'"#]),
    ("uuid", &["'00000000-0000-0000-0000-000000000000'"]),
    ("inet", &["'10.0.0.1'", "'10.0.0.1/24'", "'::ffff:1.2.3.4/128'"]),
    ("cidr", &["'10.0.0.0/8'", "'2001:db8::/32'"]),
    ("macaddr", &["'08:00:2b:01:02:03'"]),
    ("macaddr8", &["'08:00:2b:ff:fe:01:02:03'"]),
    ("bit(5)", &["B'10101'"]),
    ("bit varying", &["B''", "B'0000000001'"]),
    (
        "xml",
        &[
            "xmlparse(content 'a<b c=\"&lt;\"/> &amp; d')",
            "xmlparse(document '<?xml version=\"1.0\" encoding=\"UTF-8\"?><a> </a>')",
            "xmlparse(content '')",
        ],
    ),
    ("tsvector", &[r"'''a b'':1A,2 ''it''''s'':3C ''back\\slash'''", "''"]),
    ("tsquery", &["'a & (!b | c:*A) <-> d'"]),
    ("point", &["'(0.1,-0)'", "'(Infinity,NaN)'"]),
    ("line", &["'{1,-1,0.30000000000000004}'"]),
    ("lseg", &["'[(0,0),(1e-300,1e300)]'"]),
    ("box", &["'(1,1),(0.1,0)'"]),
    ("path", &["'((0,0),(1,1))'", "'[(0,0),(1,1)]'"]),
    ("polygon", &["'((0,0),(1,1),(0.1,0.7))'"]),
    ("circle", &["'<(0.1,0.2),0.3>'"]),
    ("oid", &["'4294967295'"]),
    ("xid8", &["'18446744073709551615'"]),
    ("pg_lsn", &["'16/B374D848'"]),
    ("tid", &["'(4294967295,65535)'"]),
    ("pg_snapshot", &["'10:20:10,14,15'"]),
    ("int2vector", &["'1 2 3'", "''"]),
    ("regclass", &["'whatsapp_groups'", "'pg_class'"]),
    ("regtype", &["'integer'", "'\"Odd ones\".\"Mood\"'"]),
    ("int4range", &["'[1,5)'", "'empty'", "'(,)'"]),
    ("numrange", &["'[1.10,2.200)'", "'(,0]'"]),
    ("tstzrange", &["'[2024-01-01 00:00:00.000001+00,infinity)'", "'(,)'"]),
    ("daterange", &["'[2024-02-01,2024-02-29)'", "'[0044-03-15 BC,)'"]),
    ("float_range", &["float_range(0.1::float8 + 0.2, 'Infinity', '()')"]),
    ("int4multirange", &["'{[1,3),[5,7)}'", "'{}'"]),
    ("tsmultirange", &["'{[2024-01-01,2024-01-02),(2024-02-01,)}'"]),
    ("integer[]", &["'[0:2]={1,2,3}'", "'{}'", "'{{1,NULL},{3,4}}'", "'[-2:-1][5:6]={{1,2},{3,4}}'"]),
    ("text[]", &[r#"ARRAY[NULL, 'NULL', '', 'a"b', 'c\d', '{e,f}', ' g ', E'h\ni']"#]),
    ("timestamptz[]", &["ARRAY['2024-10-27 02:30:00.000001+02', 'infinity', NULL]::timestamptz[]"]),
    ("bytea[]", &[r"ARRAY['\x00'::bytea, '', '\x5c22']"]),
    ("json[]", &[r#"ARRAY['{"a" : 1, "a":2}', 'null', NULL]::json[]"#]),
    ("float8[]", &["ARRAY[0.1::float8 + 0.2, '-0', 'NaN']"]),
    ("box[]", &["ARRAY['(1,1),(0,0)', '(2,2),(0.1,0)']::box[]"]),
    ("\"Odd ones\".\"Mood\"", &["'it''s \"fine\"'", "'NULL'", "''"]),
    ("\"Odd ones\".\"Mood\"[]", &["ARRAY['so so', NULL, 'NULL', '']::\"Odd ones\".\"Mood\"[]"]),
    ("positive", &["1.500"]),
    ("some_numbers", &["'[3:4]={1,NULL}'"]),
    (
        "pair",
        &[
            "ROW(NULL, NULL, NULL, NULL)",
            r#"ROW(1, E'a,"b")\\', '2024-10-27 02:30:00.000001+02', '-1 day +00:00:01')"#,
            "ROW(NULL, '', 'infinity', NULL)",
        ],
    ),
    ("pair[]", &["ARRAY[NULL, ROW(NULL, NULL, NULL, NULL), ROW(1, 'a', now(), '1 mon')]::pair[]"]),
    (
        "nested",
        &[
            r#"ROW(ROW(1, '"', NULL, '-1 year +2 days'), ARRAY[ROW(2, '{', '-infinity', NULL)]::pair[], 'so so')"#,
            "ROW(ROW(NULL, NULL, NULL, NULL), NULL, NULL)",
        ],
    ),
];

/// Types of extensions, for servers that have them.
const EXTENSIONS: &[(&str, &str, &[&str])] = &[
    ("hstore", "elsewhere.hstore", &[r#"'"a b"=>"c\"d", e=>NULL, f=>"NULL", g=>""'"#, "''"]),
    ("citext", "elsewhere.citext", &["'MiXed'", "''"]),
    ("ltree", "elsewhere.ltree", &["'Top.Science'"]),
    ("cube", "elsewhere.cube", &["'(0.1,-0),(1e-300,3)'"]),
];

/// Creates all types, including those of the available extensions, and returns them with their values.
pub(super) async fn create_types(db: &TestDb) -> Vec<(&'static str, &'static [&'static str])> {
    for (name, value) in SETTINGS {
        db.exec(&format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {name} = {}', current_database()); END $$",
            if name == "datestyle" { value.to_owned() } else { format!("''{value}''") }
        ))
        .await;
    }
    db.exec(OWN_TYPES).await;
    let mut types = TYPES.to_vec();
    db.exec("CREATE SCHEMA elsewhere").await;
    for (extension, name, values) in EXTENSIONS {
        // The queue has already created hstore in its own schema.
        let statement = format!(
            "CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA elsewhere; ALTER EXTENSION {extension} SET SCHEMA elsewhere"
        );
        if db.attempt(&statement).await.is_ok() {
            types.push((name, values));
        } else {
            skip(&format!("PostgreSQL's extension {extension} is not installed"));
        }
    }
    types
}

/// Returns each value in the binary format of its type, which contains all of it.
async fn read_binary_values(db: &TestDb, columns: &[String]) -> Vec<Vec<String>> {
    let texts: Vec<String> =
        columns.iter().map(|column| format!("encode(record_send(ROW(t.\"{column}\")), 'hex')")).collect();
    db.rows(&format!("SELECT {} FROM every_type t ORDER BY t.\"always\"", texts.join(", "))).await
}

async fn every_value_comes_back_bit_by_bit(db: TestDb) {
    let types = create_types(&db).await;
    let group = find_first_group(&db, STALE).await;
    let columns: Vec<String> = types.iter().map(|(name, _)| format!("it's {}", name.replace('"', "”"))).collect();
    let listed: Vec<String> =
        columns.iter().zip(&types).map(|(column, (name, _))| format!(", \"{column}\" {name}")).collect();
    db.exec(&format!(
        "CREATE TABLE every_type (\
           \"always\" integer GENERATED ALWAYS AS IDENTITY (START 7 INCREMENT 3), \
           by_default bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, \
           group_id uuid NOT NULL REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
           filled \"Odd ones\".filled, dropped integer, \
           worked_out text GENERATED ALWAYS AS (filled || by_default) STORED{}); \
         ALTER TABLE every_type DROP COLUMN dropped",
        listed.concat()
    ))
    .await;
    let most = types.iter().map(|(_, values)| values.len()).max().unwrap();
    for row in 0..=most {
        let values: Vec<String> = types
            .iter()
            .map(|(name, values)| {
                let value = values.get(row).map_or("NULL", |value| value);
                format!(", CAST({value} AS {name})")
            })
            .collect();
        let named: Vec<String> = columns.iter().map(|column| format!(", \"{column}\"")).collect();
        db.exec(&format!(
            "INSERT INTO every_type (group_id, filled{}) VALUES ('{group}', 'row {row}'{})",
            named.concat(),
            values.concat()
        ))
        .await;
    }
    let mut compared = columns.clone();
    compared.extend(["always", "by_default", "group_id", "filled", "worked_out"].map(str::to_owned));
    let before = read_binary_values(&db, &compared).await;
    let deletion = delete_session(db.database().await, STALE).await;
    assert_eq!(db.count("every_type").await, 0);
    restore_deletion(db.database().await, &deletion).await;
    let after = read_binary_values(&db, &compared).await;
    assert_eq!(before.len(), after.len());
    for (row, (before, after)) in before.iter().zip(&after).enumerate() {
        for (column, (before, after)) in compared.iter().zip(before.iter().zip(after)) {
            assert_eq!(before, after, "{column} of row {row}");
        }
    }
}
