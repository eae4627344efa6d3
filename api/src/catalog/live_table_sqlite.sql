-- The tables $1 ([[schema, name], …]) as they are now: columns, unique keys and foreign keys. An INTEGER PRIMARY KEY
-- has no index of its own, so it is read from the columns.
WITH names AS MATERIALIZED (
  SELECT DISTINCT table_list.name, (
    SELECT definition.sql LIKE '%conflict%' FROM sqlite_schema definition
    WHERE definition.type = 'table' AND definition.name = table_list.name) AS resolves
  FROM json_each($1) wanted
  JOIN pragma_table_list table_list
    ON table_list.schema = 'main' AND table_list.type = 'table' AND table_list.name = wanted.value ->> 1 COLLATE NOCASE
), foreign_keys AS MATERIALIZED (
  SELECT names.name, key_column.id, key_column.seq, key_column."table", key_column."from", coalesce(key_column."to", (
    SELECT column_info.name FROM pragma_table_xinfo(key_column."table") column_info
    WHERE column_info.pk = key_column.seq + 1)) AS "to"
  FROM names, pragma_foreign_key_list(names.name) key_column
)
SELECT json_group_array(json_object(
  'name', json_array('main', names.name),
  'partitioned', json('false'),
  'row_security', json('false'),
  'triggers', json(iif(EXISTS (
    SELECT 1 FROM sqlite_schema definition
    WHERE definition.type = 'trigger' AND definition.tbl_name = names.name COLLATE NOCASE), 'true', 'false')),
  'resolves_conflicts', json(iif(names.resolves, 'true', 'false')),
  'insertable', json('true'),
  'columns', json((
    SELECT json_group_array(json_object(
        'name', column_info.name, 'type_name', column_info.type,
        'generated', json(iif(column_info.hidden <> 0, 'true', 'false')), 'collation', NULL, 'equals', '='))
    FROM pragma_table_xinfo(names.name) column_info)),
  'unique_keys', json((
    SELECT json_group_array(json(unique_key.document)) FROM (
      SELECT json_object(
          'name', 'the primary key',
          'parts', json((
            SELECT json_group_array(json_array('"' || replace(column_info.name, '"', '""') || '"', '='))
            FROM pragma_table_xinfo(names.name) column_info WHERE column_info.pk > 0)),
          'predicate', NULL, 'nulls_equal', json('false')) AS document
      WHERE EXISTS (SELECT 1 FROM pragma_table_xinfo(names.name) column_info WHERE column_info.pk > 0)
        AND NOT EXISTS (SELECT 1 FROM pragma_index_list(names.name) index_list WHERE index_list.origin = 'pk')
      UNION ALL
      SELECT json_object(
          'name', iif(index_list.origin = 'pk', 'the primary key', index_list.name),
          -- A generated column counts as an expression: its values may not be in the archive.
          'parts', json(CASE WHEN index_list.partial = 0 AND NOT EXISTS (
              SELECT 1 FROM pragma_index_info(index_list.name) index_column
              WHERE index_column.name IS NULL
                OR EXISTS (
                  SELECT 1 FROM pragma_table_xinfo(names.name) column_info
                  WHERE column_info.cid = index_column.cid AND column_info.hidden <> 0))
            THEN (
              SELECT json_group_array(json_array(
                '"' || replace(index_column.name, '"', '""') || '" COLLATE "' || index_column.coll || '"', '='))
              FROM pragma_index_xinfo(index_list.name) index_column WHERE index_column.key = 1)
            ELSE 'null' END),
          'predicate', NULL, 'nulls_equal', json('false'))
      FROM pragma_index_list(names.name) index_list WHERE index_list."unique" = 1) unique_key)),
  'references', json((
    SELECT json_group_array(json(foreign_key.document)) FROM (
      SELECT json_object(
          'columns', json_group_array(key_column."from"),
          'predicate', NULL,
          'referenced', json_array('main', key_column."table"),
          'whole', json_array('main', key_column."table"),
          'referenced_columns', json_group_array(key_column."to"),
          'equals', json_group_array('='),
          'collations', json_group_array((
            SELECT '"' || index_column.coll || '"'
            FROM pragma_index_list(key_column."table") index_list
            JOIN pragma_index_xinfo(index_list.name) index_column ON index_column.key = 1
            WHERE index_list."unique" = 1 AND index_list.partial = 0 AND index_column.name = key_column."to" COLLATE NOCASE
              AND NOT EXISTS (
                SELECT 1 FROM pragma_index_xinfo(index_list.name) other_column
                WHERE other_column.key = 1 AND NOT EXISTS (
                  SELECT 1 FROM foreign_keys same_key
                  WHERE same_key.name = names.name AND same_key.id = key_column.id
                    AND same_key."to" = other_column.name COLLATE NOCASE))
            -- An index from CREATE INDEX may have other collations than its columns.
            ORDER BY index_list.origin = 'c' LIMIT 1)),
          'referenced_partitioned', json('false')) AS document
      FROM (SELECT * FROM foreign_keys own WHERE own.name = names.name ORDER BY own.id, own.seq) key_column
      GROUP BY key_column.id) foreign_key))
)) AS tables
FROM names
