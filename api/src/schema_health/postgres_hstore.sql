-- The schema of the extension hstore, if the queue's tables need it and the current role may not use it. If hstore is
-- in the queue's own schema, the grants on the queue's tables include it.
SELECT current_user::text AS role_name, namespace.nspname::text AS schema_name
FROM pg_catalog.pg_extension extension
JOIN pg_catalog.pg_namespace namespace ON namespace.oid = extension.extnamespace
WHERE extension.extname = 'hstore' AND namespace.nspname <> 'apalis'
  AND NOT has_schema_privilege(namespace.oid, 'USAGE')
  AND EXISTS (
    SELECT 1 FROM pg_catalog.pg_class class
    JOIN pg_catalog.pg_namespace queue_namespace ON queue_namespace.oid = class.relnamespace
    WHERE queue_namespace.nspname = 'apalis' AND class.relname = 'jobs')
