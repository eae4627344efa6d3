-- The columns of the tables in $1 (JSON: [[schema, name], ...]). droppable: only the column's own NOT NULL forbids
-- null.
SELECT namespace.nspname::text AS schema_name, class.relname::text AS table_name, attribute.attname::text AS column_name,
       attribute.attnotnull AND type.typtype <> 'd'
         AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index index
                         WHERE index.indrelid = class.oid AND index.indisprimary
                           AND attribute.attnum = ANY (index.indkey::smallint[])) AS droppable
FROM pg_catalog.pg_attribute attribute
JOIN pg_catalog.pg_class class ON class.oid = attribute.attrelid
JOIN pg_catalog.pg_namespace namespace ON namespace.oid = class.relnamespace
JOIN pg_catalog.pg_type type ON type.oid = attribute.atttypid
WHERE attribute.attnum > 0 AND NOT attribute.attisdropped AND class.relkind IN ('r', 'p')
  AND (namespace.nspname::text, class.relname::text) IN (
    SELECT wanted.value ->> 0, wanted.value ->> 1 FROM jsonb_array_elements($1::jsonb) AS wanted)
