-- The tables $1 ([[schema, name], …]) as they are: columns, what may stand in them once only, and their foreign keys.
-- An INTEGER PRIMARY KEY has no index of its own, so it is read from the columns.
WITH names AS MATERIALIZED (
  SELECT DISTINCT l.name, (SELECT s.sql LIKE '%conflict%' FROM sqlite_schema s WHERE s.type = 'table' AND s.name = l.name) AS resolves
  FROM json_each($1) wanted
  JOIN pragma_table_list l ON l.schema = 'main' AND l.type = 'table' AND l.name = wanted.value ->> 1 COLLATE NOCASE
), foreign_keys AS MATERIALIZED (
  SELECT n.name, f.id, f.seq, f."table", f."from", coalesce(f."to", (
    SELECT c.name FROM pragma_table_xinfo(f."table") c WHERE c.pk = f.seq + 1)) AS "to"
  FROM names n, pragma_foreign_key_list(n.name) f
)
SELECT json_group_array(json_object(
  'name', json_array('main', n.name),
  'partitioned', json('false'),
  'row_security', json('false'),
  'triggers', json(iif(EXISTS (
    SELECT 1 FROM sqlite_schema s WHERE s.type = 'trigger' AND s.tbl_name = n.name COLLATE NOCASE), 'true', 'false')),
  'resolves_conflicts', json(iif(n.resolves, 'true', 'false')),
  'insertable', json('true'),
  'columns', json((
    SELECT json_group_array(json_object(
        'name', c.name, 'type_name', c.type, 'generated', json(iif(c.hidden <> 0, 'true', 'false')), 'collation', NULL,
        'equals', '='))
    FROM pragma_table_xinfo(n.name) c)),
  'unique_keys', json((
    SELECT json_group_array(json(listed.found)) FROM (
      SELECT json_object(
          'name', 'the primary key',
          'parts', json((
            SELECT json_group_array(json_array('"' || replace(c.name, '"', '""') || '"', '='))
            FROM pragma_table_xinfo(n.name) c WHERE c.pk > 0)),
          'predicate', NULL, 'nulls_equal', json('false')) AS found
      WHERE EXISTS (SELECT 1 FROM pragma_table_xinfo(n.name) c WHERE c.pk > 0)
        AND NOT EXISTS (SELECT 1 FROM pragma_index_list(n.name) l WHERE l.origin = 'pk')
      UNION ALL
      SELECT json_object(
          'name', iif(l.origin = 'pk', 'the primary key', l.name),
          -- Of a column that is worked out as of an expression: it may not have been kept.
          'parts', json(CASE WHEN l.partial = 0 AND NOT EXISTS (
              SELECT 1 FROM pragma_index_info(l.name) i
              WHERE i.name IS NULL
                OR EXISTS (SELECT 1 FROM pragma_table_xinfo(n.name) c WHERE c.cid = i.cid AND c.hidden <> 0))
            THEN (
              SELECT json_group_array(json_array('"' || replace(i.name, '"', '""') || '" COLLATE "' || i.coll || '"', '='))
              FROM pragma_index_xinfo(l.name) i WHERE i.key = 1)
            ELSE 'null' END),
          'predicate', NULL, 'nulls_equal', json('false'))
      FROM pragma_index_list(n.name) l WHERE l."unique" = 1) listed)),
  'references', json((
    SELECT json_group_array(json(k.found)) FROM (
      SELECT json_object(
          'columns', json_group_array(f."from"),
          'predicate', NULL,
          'referenced', json_array('main', f."table"),
          'whole', json_array('main', f."table"),
          'referenced_columns', json_group_array(f."to"),
          'equals', json_group_array('='),
          'collations', json_group_array((
            SELECT '"' || i.coll || '"'
            FROM pragma_index_list(f."table") l JOIN pragma_index_xinfo(l.name) i ON i.key = 1
            WHERE l."unique" = 1 AND l.partial = 0 AND i.name = f."to" COLLATE NOCASE
              AND NOT EXISTS (
                SELECT 1 FROM pragma_index_xinfo(l.name) x
                WHERE x.key = 1 AND NOT EXISTS (
                  SELECT 1 FROM foreign_keys o WHERE o.name = n.name AND o.id = f.id AND o."to" = x.name COLLATE NOCASE))
            -- An index that somebody has made may compare in another way than its columns.
            ORDER BY l.origin = 'c' LIMIT 1)),
          'referenced_partitioned', json('false')) AS found
      FROM (SELECT * FROM foreign_keys o WHERE o.name = n.name ORDER BY o.id, o.seq) f
      GROUP BY f.id) k))
)) AS tables
FROM names n
