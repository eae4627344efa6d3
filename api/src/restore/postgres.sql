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
        'predicate', pg_get_expr(i.indpred, i.indrelid),
        'nulls_equal', coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)) ORDER BY ic.relname)
    FROM pg_index i
    JOIN pg_class ic ON ic.oid = i.indexrelid
    LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype = 'x'
    WHERE i.indrelid = t.oid AND (i.indisunique OR i.indisexclusion)), '[]'),
  'references', coalesce((
    SELECT json_agg(json_build_object(
        'columns', (
          SELECT json_agg(a.attname ORDER BY o.ord) FROM unnest(con.conkey) WITH ORDINALITY o(attnum, ord)
          JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = o.attnum),
        'referenced', json_build_array(pn.nspname, p.relname),
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
    FROM pg_constraint con
    JOIN pg_class p ON p.oid = con.confrelid
    JOIN pg_namespace pn ON pn.oid = p.relnamespace
    WHERE con.conrelid = t.oid AND con.contype = 'f'
      AND coalesce((to_jsonb(con) ->> 'conenforced')::boolean, true)), '[]')
)), '[]')::text AS tables
FROM tables t
