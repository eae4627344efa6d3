-- The foreign-key graph from the table $2 of schema $1, as one JSON document. information_schema shows only the tables
-- that the role owns, so pg_constraint is read. Columns that a version lacks (confdelsetcols before 15, conenforced
-- before 18) are read through to_jsonb, where a missing one is null. A partition's copy of its parent's key has a
-- conparentid. A partition's own key has none; its table is the partitioned one, so that a row counts once, whichever
-- key leads to it.
WITH RECURSIVE keys AS MATERIALIZED (
  SELECT foreign_key.oid, foreign_key.conname, foreign_key.conrelid, foreign_key.confrelid, foreign_key.conkey,
         foreign_key.confkey, foreign_key.confdeltype, foreign_key.confupdtype, foreign_key.confmatchtype,
         foreign_key.convalidated, to_jsonb(foreign_key) AS extra,
         CASE WHEN child.relispartition THEN pg_partition_root(child.oid)::oid ELSE child.oid END AS child,
         CASE WHEN parent.relispartition THEN pg_partition_root(parent.oid)::oid ELSE parent.oid END AS parent
  FROM pg_constraint foreign_key
  JOIN pg_class child ON child.oid = foreign_key.conrelid
  JOIN pg_class parent ON parent.oid = foreign_key.confrelid
  WHERE foreign_key.contype = 'f' AND foreign_key.conparentid = 0
), root AS (
  SELECT class.oid FROM pg_class class JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
  WHERE namespace.nspname = $1 AND class.relname = $2 AND class.relkind IN ('r', 'p')
), reached(oid) AS (
  SELECT oid FROM root
  UNION
  SELECT keys.child FROM reached JOIN keys ON keys.parent = reached.oid
), odd_types(type_oid) AS (
  -- The types whose cast to text differs from their output. A domain is cast as its base type.
  (SELECT 'bpchar'::regtype::oid
   UNION
   SELECT castsource FROM pg_cast WHERE casttarget = 'text'::regtype AND oid >= 16384)
  UNION
  SELECT type.oid FROM odd_types JOIN pg_type type ON type.typbasetype = odd_types.type_oid AND type.typtype = 'd'
), columns AS (
  SELECT attribute.attrelid, json_agg(json_build_object(
      'name', attribute.attname,
      'type_name', format_type(attribute.atttypid, attribute.atttypmod),
      'nullable', NOT attribute.attnotnull AND (type.typtype <> 'd' OR NOT EXISTS (
        -- A domain over a domain inherits NOT NULL.
        WITH RECURSIVE base AS (
          SELECT type.typnotnull AS forbids, type.typbasetype AS next
          UNION ALL
          SELECT base_type.typnotnull, base_type.typbasetype FROM base JOIN pg_type base_type ON base_type.oid = base.next
        ) SELECT 1 FROM base WHERE forbids)),
      'number', attribute.attnum,
      'generated', attribute.attgenerated <> '',
      'unstored', attribute.attgenerated = 'v',
      'odd_cast', attribute.atttypid IN (SELECT type_oid FROM odd_types),
      'collation', CASE WHEN coll.oid IS NOT NULL THEN format('%I.%I', coll_namespace.nspname, coll.collname) END,
      'default', CASE WHEN attribute.attgenerated = '' THEN pg_get_expr(column_default.adbin, column_default.adrelid) END
    ) ORDER BY attribute.attnum) AS described
  FROM pg_attribute attribute
  JOIN pg_type type ON type.oid = attribute.atttypid
  LEFT JOIN pg_attrdef column_default
    ON column_default.adrelid = attribute.attrelid AND column_default.adnum = attribute.attnum
  LEFT JOIN pg_collation coll ON coll.oid = attribute.attcollation
  LEFT JOIN pg_namespace coll_namespace ON coll_namespace.oid = coll.collnamespace
  WHERE attribute.attrelid IN (SELECT oid FROM reached) AND attribute.attnum > 0 AND NOT attribute.attisdropped
  GROUP BY attribute.attrelid
)
SELECT json_build_object(
  'tables', (SELECT json_agg(json_build_object(
      'id', class.oid::bigint,
      'schema', namespace.nspname,
      'name', class.relname,
      'root', class.oid = (SELECT oid FROM root),
      'partitioned', class.relkind = 'p',
      'row_security', row_security_active(class.oid),
      'select', has_table_privilege(class.oid, 'SELECT'),
      'update', has_any_column_privilege(class.oid, 'UPDATE'),
      'delete', has_table_privilege(class.oid, 'DELETE'),
      'insert', NOT EXISTS (
        SELECT 1 FROM pg_attribute attribute
        WHERE attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
          AND attribute.attgenerated = ''
          AND NOT has_column_privilege(class.oid, attribute.attnum, 'INSERT')),
      'primary_key', coalesce((
        SELECT json_agg((
            SELECT attribute.attname FROM pg_attribute attribute
            WHERE attribute.attrelid = class.oid AND attribute.attnum = index_column.attnum) ORDER BY index_column.ord)
        FROM pg_index index, unnest(index.indkey::int2[]) WITH ORDINALITY index_column(attnum, ord)
        WHERE index.indrelid = class.oid AND index.indisprimary), '[]'),
      'unique_keys', coalesce((
        SELECT json_agg((
            SELECT json_agg(attribute.attname ORDER BY index_column.ord)
            FROM unnest(index.indkey::int2[]) WITH ORDINALITY index_column(attnum, ord)
            JOIN pg_attribute attribute ON attribute.attrelid = class.oid AND attribute.attnum = index_column.attnum
            WHERE index_column.ord <= index.indnkeyatts)
          ORDER BY index.indexrelid)
        FROM pg_index index
        WHERE index.indrelid = class.oid AND index.indisunique AND NOT index.indisprimary AND index.indisvalid
          AND index.indimmediate AND index.indpred IS NULL AND index.indexprs IS NULL), '[]'),
      'triggers', coalesce((
        SELECT json_agg(trigger.tgname ORDER BY trigger.tgname) FROM pg_trigger trigger
        -- 8 is DELETE, 16 is UPDATE. A deletion does nothing else.
        WHERE trigger.tgrelid = class.oid AND NOT trigger.tgisinternal AND trigger.tgenabled <> 'D'
          AND trigger.tgtype & 24 <> 0), '[]'),
      'columns', columns.described
    ) ORDER BY namespace.nspname, class.relname)
    FROM reached JOIN pg_class class ON class.oid = reached.oid
    JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
    LEFT JOIN columns ON columns.attrelid = reached.oid),
  'keys', coalesce((SELECT json_agg(json_build_object(
      'constraint', keys.conname,
      'table', keys.child::bigint,
      'referenced', keys.parent::bigint,
      'columns', (SELECT json_agg((
          SELECT attribute.attname FROM pg_attribute attribute
          WHERE attribute.attrelid = keys.conrelid AND attribute.attnum = key_column.attnum) ORDER BY key_column.ord)
        FROM unnest(keys.conkey) WITH ORDINALITY key_column(attnum, ord)),
      'referenced_columns', (SELECT json_agg((
          SELECT attribute.attname FROM pg_attribute attribute
          WHERE attribute.attrelid = keys.confrelid AND attribute.attnum = key_column.attnum) ORDER BY key_column.ord)
        FROM unnest(keys.confkey) WITH ORDINALITY key_column(attnum, ord)),
      'set_columns', (SELECT json_agg(attribute.attname ORDER BY set_column.attnum::int)
                  FROM jsonb_array_elements_text(
                    CASE jsonb_typeof(keys.extra -> 'confdelsetcols') WHEN 'array' THEN keys.extra -> 'confdelsetcols' END
                  ) set_column(attnum)
                  JOIN pg_attribute attribute ON attribute.attrelid = keys.conrelid AND attribute.attnum = set_column.attnum::int),
      'on_delete', keys.confdeltype::text,
      'on_update', keys.confupdtype::text,
      'match_full', keys.confmatchtype = 'f',
      'validated', keys.convalidated,
      'enforced', coalesce((keys.extra ->> 'conenforced')::boolean, true),
      'indexed', EXISTS (
        SELECT 1 FROM pg_index index JOIN pg_class index_class ON index_class.oid = index.indexrelid
        JOIN pg_am access_method ON access_method.oid = index_class.relam
        WHERE index.indrelid = keys.conrelid AND index.indisvalid AND index.indpred IS NULL
          AND access_method.amname IN ('btree', 'hash')
          AND index.indnkeyatts >= cardinality(keys.conkey)
          AND (index.indkey::int2[])[0:cardinality(keys.conkey) - 1] @> keys.conkey),
      'scope', CASE WHEN keys.child <> keys.conrelid THEN (
        SELECT json_build_array(namespace.nspname, class.relname)
        FROM pg_class class JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
        WHERE class.oid = keys.conrelid) END,
      'referenced_scope', CASE WHEN keys.parent <> keys.confrelid THEN (
        SELECT json_build_array(namespace.nspname, class.relname)
        FROM pg_class class JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
        WHERE class.oid = keys.confrelid) END
    ) ORDER BY keys.child, keys.conname, keys.oid)
    FROM keys WHERE keys.parent IN (SELECT oid FROM reached)), '[]')
)::text AS graph
