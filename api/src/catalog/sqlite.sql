-- Tables, columns, foreign keys and indexes of an SQLite database, as one JSON document. The pragmas are read as
-- table-valued functions (https://www.sqlite.org/pragma.html#pragfunc), so that the names of tables are bound and not
-- concatenated.
WITH names AS MATERIALIZED (
  SELECT table_list.name, table_list.wr AS without_rowid, table_list.strict
  FROM pragma_table_list table_list
  WHERE table_list.schema = 'main' AND table_list.type = 'table' AND table_list.name NOT LIKE 'sqlite\_%' ESCAPE '\'
)
SELECT json_object(
  'tables', (SELECT json_group_array(json_object(
      'name', names.name, 'without_rowid', names.without_rowid, 'strict', names.strict,
      'triggers', json((
        SELECT json_group_array(json_object('name', definition.name, 'sql', definition.sql)) FROM sqlite_schema definition
        WHERE definition.type = 'trigger' AND definition.tbl_name = names.name COLLATE NOCASE)),
      'columns', json((SELECT json_group_array(json_object(
          'name', column_info.name, 'type_name', column_info.type, 'not_null', column_info."notnull",
          'default', column_info.dflt_value, 'pk', column_info.pk, 'hidden', column_info.hidden))
        FROM pragma_table_xinfo(names.name) column_info)),
      'indexes', json((SELECT json_group_array(json((
          SELECT json_group_array(index_column.name)
          FROM (SELECT name FROM pragma_index_info(index_list.name) ORDER BY seqno) index_column)))
        FROM pragma_index_list(names.name) index_list WHERE index_list.partial = 0)),
      'unique_keys', json((SELECT json_group_array(json((
          SELECT json_group_array(index_column.name)
          FROM (SELECT name FROM pragma_index_info(index_list.name) ORDER BY seqno) index_column)))
        FROM pragma_index_list(names.name) index_list
        WHERE index_list.partial = 0 AND index_list."unique" = 1 AND index_list.origin <> 'pk'))
    )) FROM names),
  'keys', (SELECT json_group_array(json_object(
      'table', names.name, 'id', foreign_key.id, 'seq', foreign_key.seq, 'referenced', foreign_key."table",
      'from', foreign_key."from", 'to', foreign_key."to",
      'on_update', foreign_key.on_update, 'on_delete', foreign_key.on_delete))
    FROM names, pragma_foreign_key_list(names.name) foreign_key)
) AS graph
