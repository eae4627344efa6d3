-- The schema of the extension hstore, where the queue's tables need it and this role may not use it. One in the queue's own
-- schema is among the grants on its tables.
SELECT current_user::text AS role_name, n.nspname::text AS schema_name
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'hstore' AND n.nspname <> 'apalis' AND NOT has_schema_privilege(n.oid, 'USAGE')
  AND EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace q ON q.oid = c.relnamespace
              WHERE q.nspname = 'apalis' AND c.relname = 'jobs')
