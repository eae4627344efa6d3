-- Tables, columns, foreign keys and indexes of an SQLite database, as one JSON document. The pragmas are read as
-- table-valued functions (https://www.sqlite.org/pragma.html#pragfunc), so that names are bound and not spliced in.
WITH names AS MATERIALIZED (
  SELECT l.name, l.wr AS without_rowid, l.strict
  FROM pragma_table_list l
  WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT LIKE 'sqlite\_%' ESCAPE '\'
)
SELECT json_object(
  'tables', (SELECT json_group_array(json_object(
      'name', n.name, 'without_rowid', n.without_rowid, 'strict', n.strict,
      'triggers', json((SELECT json_group_array(json_object('name', t.name, 'sql', t.sql)) FROM sqlite_schema t WHERE t.type = 'trigger' AND t.tbl_name = n.name COLLATE NOCASE)),
      'columns', json((SELECT json_group_array(json_object(
          'name', c.name, 'type_name', c.type, 'not_null', c."notnull", 'default', c.dflt_value, 'pk', c.pk, 'hidden', c.hidden))
        FROM pragma_table_xinfo(n.name) c)),
      'indexes', json((SELECT json_group_array(json((SELECT json_group_array(i.name) FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno) i)))
        FROM pragma_index_list(n.name) l WHERE l.partial = 0)),
      'unique_keys', json((SELECT json_group_array(json((SELECT json_group_array(i.name) FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno) i)))
        FROM pragma_index_list(n.name) l WHERE l.partial = 0 AND l."unique" = 1 AND l.origin <> 'pk'))
    )) FROM names n),
  'keys', (SELECT json_group_array(json_object(
      'table', n.name, 'id', f.id, 'seq', f.seq, 'referenced', f."table", 'from', f."from", 'to', f."to",
      'on_update', f.on_update, 'on_delete', f.on_delete))
    FROM names n, pragma_foreign_key_list(n.name) f)
) AS graph
