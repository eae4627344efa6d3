-- Who this role is, and whether the tables in $1 (JSON: [[schema, name], ...]) and their schemas are within its reach.
SELECT current_user::text AS role_name, n.nspname::text AS schema_name, c.relname::text AS table_name,
       pg_has_role(c.relowner, 'USAGE') AS owned,
       has_schema_privilege(n.oid, 'USAGE') AS schema_usable,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)
         AS readable
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND (n.nspname::text, c.relname::text) IN (SELECT w.value ->> 0, w.value ->> 1 FROM jsonb_array_elements($1::jsonb) AS w)
