-- The columns of the tables in $1 (JSON: [[schema, name], ...]). droppable: NOT NULL stands on the column alone.
SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, a.attname::text AS column_name,
       a.attnotnull AND t.typtype <> 'd'
         AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i
                         WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey::smallint[])) AS droppable
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
  AND (n.nspname::text, c.relname::text) IN (SELECT w.value ->> 0, w.value ->> 1 FROM jsonb_array_elements($1::jsonb) AS w)
