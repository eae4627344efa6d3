-- The tables $1 ([[schema, name], …]) as they are now: columns, unique keys and foreign keys. Columns of the catalogue
-- that a version lacks (indnullsnotdistinct before 15, conenforced before 18) are read through to_jsonb, where they are
-- null.
WITH RECURSIVE tables AS (
  SELECT DISTINCT class.oid, namespace.nspname, class.relname, class.relkind
  FROM jsonb_array_elements(CAST($1 AS jsonb)) AS wanted(value)
  JOIN pg_namespace namespace ON namespace.nspname = wanted.value ->> 0
  JOIN pg_class class ON class.relnamespace = namespace.oid AND class.relname = wanted.value ->> 1
  WHERE class.relkind IN ('r', 'p')
), odd_types(type_oid) AS (
  -- The types whose cast to text differs from their output. A domain is cast as its base type.
  (SELECT 'bpchar'::regtype::oid
   UNION
   SELECT castsource FROM pg_cast WHERE casttarget = 'text'::regtype AND oid >= 16384)
  UNION
  SELECT type.oid FROM odd_types JOIN pg_type type ON type.typbasetype = odd_types.type_oid AND type.typtype = 'd'
), scopes AS (
  -- A partition may have keys of its own, for its rows only.
  SELECT oid AS root, oid, NULL AS condition FROM tables
  UNION ALL
  SELECT tables.oid, part.relid, '(' || pg_get_partition_constraintdef(part.relid) || ')'
  FROM tables CROSS JOIN pg_partition_tree(tables.oid) part WHERE tables.relkind = 'p' AND part.level > 0
)
SELECT coalesce(json_agg(json_build_object(
  'name', json_build_array(tables.nspname, tables.relname),
  'oid', tables.oid::bigint,
  'partitioned', tables.relkind = 'p',
  'row_security', row_security_active(tables.oid),
  'triggers', EXISTS (
    SELECT 1 FROM pg_trigger trigger
    WHERE (trigger.tgrelid = tables.oid OR trigger.tgrelid IN (SELECT relid FROM pg_partition_tree(tables.oid)))
      AND NOT trigger.tgisinternal AND trigger.tgenabled IN ('O', 'A') AND trigger.tgtype & 4 = 4),
  'insertable', NOT EXISTS (
    SELECT 1 FROM pg_attribute attribute
    WHERE attribute.attrelid = tables.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
      AND attribute.attgenerated = ''
      AND NOT has_column_privilege(tables.oid, attribute.attnum, 'INSERT')),
  'columns', (
    SELECT json_agg(json_build_object(
        'name', attribute.attname,
        'type_name', format_type(attribute.atttypid, attribute.atttypmod),
        'number', attribute.attnum,
        'generated', attribute.attgenerated <> '',
        'odd_cast', attribute.atttypid IN (SELECT type_oid FROM odd_types),
        'collation', CASE WHEN coll.oid IS NOT NULL THEN format('%I.%I', coll_namespace.nspname, coll.collname) END,
        'equals', coalesce((
          SELECT format('OPERATOR(%I.%s)', operator_namespace.nspname, operator.oprname)
          FROM pg_opclass opclass
          JOIN pg_am access_method ON access_method.oid = opclass.opcmethod AND access_method.amname = 'btree'
          JOIN pg_amop amop ON amop.amopfamily = opclass.opcfamily AND amop.amopstrategy = 3
            AND amop.amoplefttype = opclass.opcintype AND amop.amoprighttype = opclass.opcintype
          JOIN pg_operator operator ON operator.oid = amop.amopopr
          JOIN pg_namespace operator_namespace ON operator_namespace.oid = operator.oprnamespace
          WHERE opclass.opcdefault AND opclass.opcintype = coalesce(nullif(type.typbasetype, 0), type.oid)
          LIMIT 1), '=')) ORDER BY attribute.attnum)
    FROM pg_attribute attribute
    JOIN pg_type type ON type.oid = attribute.atttypid
    LEFT JOIN pg_collation coll ON coll.oid = attribute.attcollation
    LEFT JOIN pg_namespace coll_namespace ON coll_namespace.oid = coll.collnamespace
    WHERE attribute.attrelid = tables.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped),
  'unique_keys', coalesce((
    SELECT json_agg(json_build_object(
        'name', index_class.relname,
        'parts', (
          SELECT json_agg(json_build_array(
              pg_get_indexdef(index.indexrelid, part_number, false)
                || CASE WHEN coll.oid IS NOT NULL
                     THEN format(' COLLATE %I.%I', coll_namespace.nspname, coll.collname) ELSE '' END,
              coalesce(format('OPERATOR(%I.%s)', operator_namespace.nspname, operator.oprname), '='))
            ORDER BY part_number)
          FROM generate_series(1, index.indnkeyatts::int) part_number
          LEFT JOIN pg_collation coll ON coll.oid = index.indcollation[part_number - 1]
          LEFT JOIN pg_namespace coll_namespace ON coll_namespace.oid = coll.collnamespace
          LEFT JOIN pg_opclass opclass ON opclass.oid = index.indclass[part_number - 1]
          LEFT JOIN pg_amop amop ON amop.amopfamily = opclass.opcfamily AND amop.amopstrategy = 3 AND index.indisunique
            AND amop.amoplefttype = opclass.opcintype AND amop.amoprighttype = opclass.opcintype
          LEFT JOIN pg_operator operator ON operator.oid = coalesce(exclusion.conexclop[part_number], amop.amopopr)
          LEFT JOIN pg_namespace operator_namespace ON operator_namespace.oid = operator.oprnamespace),
        'predicate', nullif(concat_ws(
          ' AND ', '(' || pg_get_expr(index.indpred, index.indrelid) || ')', scope.condition), ''),
        'nulls_equal', coalesce((to_jsonb(index) ->> 'indnullsnotdistinct')::boolean, false))
      ORDER BY index_class.relname)
    FROM scopes scope
    JOIN pg_index index ON index.indrelid = scope.oid
    JOIN pg_class index_class ON index_class.oid = index.indexrelid
    LEFT JOIN pg_constraint exclusion ON exclusion.conindid = index.indexrelid AND exclusion.contype = 'x'
    WHERE scope.root = tables.oid
      AND (index.indisunique OR index.indisexclusion) AND NOT index_class.relispartition), '[]'),
  'references', coalesce((
    SELECT json_agg(json_build_object(
        'columns', (
          SELECT json_agg(attribute.attname ORDER BY key_column.ord)
          FROM unnest(foreign_key.conkey) WITH ORDINALITY key_column(attnum, ord)
          JOIN pg_attribute attribute ON attribute.attrelid = foreign_key.conrelid AND attribute.attnum = key_column.attnum),
        'predicate', scope.condition,
        'referenced', json_build_array(parent_namespace.nspname, parent.relname),
        'whole', (
          SELECT json_build_array(namespace.nspname, class.relname)
          FROM pg_class class JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
          WHERE class.oid = CASE WHEN parent.relispartition THEN pg_partition_root(parent.oid)::oid ELSE parent.oid END),
        'referenced_columns', (
          SELECT json_agg(attribute.attname ORDER BY key_column.ord)
          FROM unnest(foreign_key.confkey) WITH ORDINALITY key_column(attnum, ord)
          JOIN pg_attribute attribute ON attribute.attrelid = foreign_key.confrelid AND attribute.attnum = key_column.attnum),
        'equals', (
          SELECT json_agg(format('OPERATOR(%I.%s)', operator_namespace.nspname, operator.oprname) ORDER BY key_column.ord)
          FROM unnest(foreign_key.conpfeqop) WITH ORDINALITY key_column(oid, ord)
          JOIN pg_operator operator ON operator.oid = key_column.oid
          JOIN pg_namespace operator_namespace ON operator_namespace.oid = operator.oprnamespace),
        'collations', (
          SELECT json_agg(
            CASE WHEN coll.oid IS NOT NULL THEN format('%I.%I', coll_namespace.nspname, coll.collname) END
            ORDER BY key_column.ord)
          FROM unnest(foreign_key.confkey) WITH ORDINALITY key_column(attnum, ord)
          JOIN pg_attribute attribute ON attribute.attrelid = foreign_key.confrelid AND attribute.attnum = key_column.attnum
          LEFT JOIN pg_collation coll ON coll.oid = attribute.attcollation
          LEFT JOIN pg_namespace coll_namespace ON coll_namespace.oid = coll.collnamespace),
        'referenced_partitioned', parent.relkind = 'p') ORDER BY foreign_key.conname)
    FROM scopes scope
    JOIN pg_constraint foreign_key ON foreign_key.conrelid = scope.oid
    JOIN pg_class parent ON parent.oid = foreign_key.confrelid
    JOIN pg_namespace parent_namespace ON parent_namespace.oid = parent.relnamespace
    -- A key with a parent is a copy for a partition of either table.
    WHERE scope.root = tables.oid AND foreign_key.contype = 'f' AND foreign_key.conparentid = 0
      AND coalesce((to_jsonb(foreign_key) ->> 'conenforced')::boolean, true)), '[]')
)), '[]')::text AS tables
FROM tables
