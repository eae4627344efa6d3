-- The current role, and its access to the tables in $1 (JSON: [[schema, name], ...]) and their schemas.
SELECT current_user::text AS role_name, namespace.nspname::text AS schema_name, class.relname::text AS table_name,
       pg_has_role(class.relowner, 'USAGE') AS owned,
       has_schema_privilege(namespace.oid, 'USAGE') AS schema_usable,
       has_schema_privilege(namespace.oid, 'USAGE') AND has_table_privilege(class.oid, 'SELECT')
         AND NOT row_security_active(class.oid) AS readable
FROM pg_catalog.pg_class class
JOIN pg_catalog.pg_namespace namespace ON namespace.oid = class.relnamespace
WHERE class.relkind IN ('r', 'p')
  AND (namespace.nspname::text, class.relname::text) IN (
    SELECT wanted.value ->> 0, wanted.value ->> 1 FROM jsonb_array_elements($1::jsonb) AS wanted)
