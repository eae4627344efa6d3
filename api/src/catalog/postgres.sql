-- The foreign-key graph from the table $2 of schema $1 on, as one JSON document.
-- pg_constraint, not information_schema: the latter shows only what the role owns. Columns that a version lacks
-- (confdelsetcols before 15, conenforced before 18) are read through to_jsonb, where a missing one is null.
-- A partition's copy of its parent's key has conparentid; a key of the partition's own has none and counts, with the
-- partitioned table as its table, so that a row is the same row by whichever key it is reached.
WITH RECURSIVE keys AS MATERIALIZED (
  SELECT con.oid, con.conname, con.conrelid, con.confrelid, con.conkey, con.confkey, con.confdeltype, con.confupdtype,
         con.confmatchtype, con.convalidated, to_jsonb(con) AS extra,
         CASE WHEN child.relispartition THEN pg_partition_root(child.oid)::oid ELSE child.oid END AS child,
         CASE WHEN parent.relispartition THEN pg_partition_root(parent.oid)::oid ELSE parent.oid END AS parent
  FROM pg_constraint con
  JOIN pg_class child ON child.oid = con.conrelid
  JOIN pg_class parent ON parent.oid = con.confrelid
  WHERE con.contype = 'f' AND con.conparentid = 0
), root AS (
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
), reached(oid) AS (
  SELECT oid FROM root
  UNION
  SELECT keys.child FROM reached JOIN keys ON keys.parent = reached.oid
), odd(type) AS (
  -- types whose cast to text is another function than their output; a domain is cast as what it is over
  (SELECT 'bpchar'::regtype::oid
   UNION
   SELECT castsource FROM pg_cast WHERE casttarget = 'text'::regtype AND oid >= 16384)
  UNION
  SELECT t.oid FROM odd JOIN pg_type t ON t.typbasetype = odd.type AND t.typtype = 'd'
), columns AS (
  SELECT a.attrelid, json_agg(json_build_object(
      'name', a.attname,
      'type_name', format_type(a.atttypid, a.atttypmod),
      'nullable', NOT a.attnotnull AND (t.typtype <> 'd' OR NOT EXISTS (
        -- a domain over a domain inherits NOT NULL
        WITH RECURSIVE base AS (
          SELECT t.typnotnull AS forbids, t.typbasetype AS next
          UNION ALL
          SELECT b.typnotnull, b.typbasetype FROM base JOIN pg_type b ON b.oid = base.next
        ) SELECT 1 FROM base WHERE forbids)),
      'number', a.attnum,
      'generated', a.attgenerated <> '',
      'unstored', a.attgenerated = 'v',
      'odd_cast', a.atttypid IN (SELECT type FROM odd),
      'collation', CASE WHEN co.oid IS NOT NULL THEN format('%I.%I', cn.nspname, co.collname) END,
      'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END
    ) ORDER BY a.attnum) AS described
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_collation co ON co.oid = a.attcollation
  LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
  WHERE a.attrelid IN (SELECT oid FROM reached) AND a.attnum > 0 AND NOT a.attisdropped
  GROUP BY a.attrelid
)
SELECT json_build_object(
  'tables', (SELECT json_agg(json_build_object(
      'id', c.oid::bigint,
      'schema', n.nspname,
      'name', c.relname,
      'root', c.oid = (SELECT oid FROM root),
      'partitioned', c.relkind = 'p',
      'row_security', row_security_active(c.oid),
      'select', has_table_privilege(c.oid, 'SELECT'),
      'update', has_any_column_privilege(c.oid, 'UPDATE'),
      'delete', has_table_privilege(c.oid, 'DELETE'),
      'insert', NOT EXISTS (
        SELECT 1 FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
          AND NOT has_column_privilege(c.oid, a.attnum, 'INSERT')),
      'primary_key', coalesce((
        SELECT json_agg((
            SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = k.attnum) ORDER BY k.ord)
        FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, ord)
        WHERE i.indrelid = c.oid AND i.indisprimary), '[]'),
      'unique_keys', coalesce((
        SELECT json_agg((
            SELECT json_agg(a.attname ORDER BY k.ord) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, ord)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.ord <= i.indnkeyatts)
          ORDER BY i.indexrelid)
        FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND NOT i.indisprimary AND i.indisvalid
          AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL), '[]'),
      'triggers', coalesce((
        SELECT json_agg(t.tgname ORDER BY t.tgname) FROM pg_trigger t
        -- 8 is DELETE, 16 UPDATE: a deletion does nothing else.
        WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 24 <> 0), '[]'),
      'columns', columns.described
    ) ORDER BY n.nspname, c.relname)
    FROM reached r JOIN pg_class c ON c.oid = r.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN columns ON columns.attrelid = r.oid),
  'keys', coalesce((SELECT json_agg(json_build_object(
      'constraint', k.conname,
      'table', k.child::bigint,
      'referenced', k.parent::bigint,
      'columns', (SELECT json_agg((
          SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = o.attnum) ORDER BY o.ord)
        FROM unnest(k.conkey) WITH ORDINALITY o(attnum, ord)),
      'referenced_columns', (SELECT json_agg((
          SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = o.attnum) ORDER BY o.ord)
        FROM unnest(k.confkey) WITH ORDINALITY o(attnum, ord)),
      'set_columns', (SELECT json_agg(a.attname ORDER BY s.attnum::int)
                  FROM jsonb_array_elements_text(CASE jsonb_typeof(k.extra -> 'confdelsetcols') WHEN 'array' THEN k.extra -> 'confdelsetcols' END) s(attnum)
                  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = s.attnum::int),
      'on_delete', k.confdeltype::text,
      'on_update', k.confupdtype::text,
      'match_full', k.confmatchtype = 'f',
      'validated', k.convalidated,
      'enforced', coalesce((k.extra ->> 'conenforced')::boolean, true),
      'indexed', EXISTS (
        SELECT 1 FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam
        WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL AND am.amname IN ('btree', 'hash')
          AND i.indnkeyatts >= cardinality(k.conkey)
          AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey),
      'scope', CASE WHEN k.child <> k.conrelid THEN (
        SELECT json_build_array(n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = k.conrelid) END,
      'referenced_scope', CASE WHEN k.parent <> k.confrelid THEN (
        SELECT json_build_array(n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = k.confrelid) END
    ) ORDER BY k.child, k.conname, k.oid)
    FROM keys k WHERE k.parent IN (SELECT oid FROM reached)), '[]')
)::text AS graph
