-- The tables $1 ([[schema, name], …]) as they are: columns, what may stand in them once only, and their foreign keys. What
-- a version lacks (indnullsnotdistinct before 15, conenforced before 18) is read through to_jsonb, where it is null.
WITH RECURSIVE tables AS (
  SELECT DISTINCT c.oid, n.nspname, c.relname, c.relkind
  FROM jsonb_array_elements(CAST($1 AS jsonb)) AS wanted(value)
  JOIN pg_namespace n ON n.nspname = wanted.value ->> 0
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.value ->> 1
  WHERE c.relkind IN ('r', 'p')
), odd(type) AS (
  -- types whose cast to text is another function than their output; a domain is cast as what it is over
  (SELECT 'bpchar'::regtype::oid
   UNION
   SELECT castsource FROM pg_cast WHERE casttarget = 'text'::regtype AND oid >= 16384)
  UNION
  SELECT t.oid FROM odd JOIN pg_type t ON t.typbasetype = odd.type AND t.typtype = 'd'
), scopes AS (
  -- A partition may have keys of its own, for the rows that belong into it.
  SELECT oid AS root, oid, NULL AS condition FROM tables
  UNION ALL
  SELECT t.oid, p.relid, '(' || pg_get_partition_constraintdef(p.relid) || ')'
  FROM tables t CROSS JOIN pg_partition_tree(t.oid) p WHERE t.relkind = 'p' AND p.level > 0
)
SELECT coalesce(json_agg(json_build_object(
  'name', json_build_array(t.nspname, t.relname),
  'oid', t.oid::bigint,
  'partitioned', t.relkind = 'p',
  'row_security', row_security_active(t.oid),
  'triggers', EXISTS (
    SELECT 1 FROM pg_trigger g
    WHERE (g.tgrelid = t.oid OR g.tgrelid IN (SELECT relid FROM pg_partition_tree(t.oid)))
      AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgtype & 4 = 4),
  'insertable', NOT EXISTS (
    SELECT 1 FROM pg_attribute a
    WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND NOT has_column_privilege(t.oid, a.attnum, 'INSERT')),
  'columns', (
    SELECT json_agg(json_build_object(
        'name', a.attname,
        'type_name', format_type(a.atttypid, a.atttypmod),
        'number', a.attnum,
        'generated', a.attgenerated <> '',
        'odd_cast', a.atttypid IN (SELECT type FROM odd),
        'collation', CASE WHEN co.oid IS NOT NULL THEN format('%I.%I', cn.nspname, co.collname) END,
        'equals', coalesce((
          SELECT format('OPERATOR(%I.%s)', opn.nspname, op.oprname)
          FROM pg_opclass oc
          JOIN pg_am am ON am.oid = oc.opcmethod AND am.amname = 'btree'
          JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 3
            AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
          JOIN pg_operator op ON op.oid = ao.amopopr
          JOIN pg_namespace opn ON opn.oid = op.oprnamespace
          WHERE oc.opcdefault AND oc.opcintype = coalesce(nullif(ty.typbasetype, 0), ty.oid)
          LIMIT 1), '=')) ORDER BY a.attnum)
    FROM pg_attribute a
    JOIN pg_type ty ON ty.oid = a.atttypid
    LEFT JOIN pg_collation co ON co.oid = a.attcollation
    LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
    WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'unique_keys', coalesce((
    SELECT json_agg(json_build_object(
        'name', ic.relname,
        'parts', (
          SELECT json_agg(json_build_array(
              pg_get_indexdef(i.indexrelid, k, false)
                || CASE WHEN co.oid IS NOT NULL THEN format(' COLLATE %I.%I', cn.nspname, co.collname) ELSE '' END,
              coalesce(format('OPERATOR(%I.%s)', opn.nspname, op.oprname), '=')) ORDER BY k)
          FROM generate_series(1, i.indnkeyatts::int) k
          LEFT JOIN pg_collation co ON co.oid = i.indcollation[k - 1]
          LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
          LEFT JOIN pg_opclass oc ON oc.oid = i.indclass[k - 1]
          LEFT JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 3 AND i.indisunique
            AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
          LEFT JOIN pg_operator op ON op.oid = coalesce(con.conexclop[k], ao.amopopr)
          LEFT JOIN pg_namespace opn ON opn.oid = op.oprnamespace),
        'predicate', nullif(concat_ws(' AND ', '(' || pg_get_expr(i.indpred, i.indrelid) || ')', scope.condition), ''),
        'nulls_equal', coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)) ORDER BY ic.relname)
    FROM scopes scope
    JOIN pg_index i ON i.indrelid = scope.oid
    JOIN pg_class ic ON ic.oid = i.indexrelid
    LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype = 'x'
    WHERE scope.root = t.oid AND (i.indisunique OR i.indisexclusion) AND NOT ic.relispartition), '[]'),
  'references', coalesce((
    SELECT json_agg(json_build_object(
        'columns', (
          SELECT json_agg(a.attname ORDER BY o.ord) FROM unnest(con.conkey) WITH ORDINALITY o(attnum, ord)
          JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = o.attnum),
        'predicate', scope.condition,
        'referenced', json_build_array(pn.nspname, p.relname),
        'whole', (
          SELECT json_build_array(n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.oid = CASE WHEN p.relispartition THEN pg_partition_root(p.oid)::oid ELSE p.oid END),
        'referenced_columns', (
          SELECT json_agg(a.attname ORDER BY o.ord) FROM unnest(con.confkey) WITH ORDINALITY o(attnum, ord)
          JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = o.attnum),
        'equals', (
          SELECT json_agg(format('OPERATOR(%I.%s)', opn.nspname, op.oprname) ORDER BY o.ord)
          FROM unnest(con.conpfeqop) WITH ORDINALITY o(oid, ord)
          JOIN pg_operator op ON op.oid = o.oid
          JOIN pg_namespace opn ON opn.oid = op.oprnamespace),
        'collations', (
          SELECT json_agg(CASE WHEN co.oid IS NOT NULL THEN format('%I.%I', cn.nspname, co.collname) END ORDER BY o.ord)
          FROM unnest(con.confkey) WITH ORDINALITY o(attnum, ord)
          JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = o.attnum
          LEFT JOIN pg_collation co ON co.oid = a.attcollation
          LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace),
        'referenced_partitioned', p.relkind = 'p') ORDER BY con.conname)
    FROM scopes scope
    JOIN pg_constraint con ON con.conrelid = scope.oid
    JOIN pg_class p ON p.oid = con.confrelid
    JOIN pg_namespace pn ON pn.oid = p.relnamespace
    -- What has a parent is a partition's copy, or one for a partition of the table referred to.
    WHERE scope.root = t.oid AND con.contype = 'f' AND con.conparentid = 0
      AND coalesce((to_jsonb(con) ->> 'conenforced')::boolean, true)), '[]')
)), '[]')::text AS tables
FROM tables t
