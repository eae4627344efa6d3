-- Who else holds DELETE or TRUNCATE on the tables in $1 (JSON: [[schema, name], ...]): grants to roles, and to PUBLIC (no role).
-- The owner, this role and superusers are left out: nothing can be taken from them. So is whoever may write this program's
-- audit record: that is the role that it serves as.
SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, r.rolname::text AS role_name
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) AS a
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
WHERE a.privilege_type IN ('DELETE', 'TRUNCATE') AND a.grantee <> c.relowner
  AND NOT COALESCE(has_table_privilege(r.oid, to_regclass('session_admin.deletions'), 'INSERT'), false)
  AND r.rolname IS DISTINCT FROM current_user AND NOT COALESCE(r.rolsuper, false)
  AND (n.nspname::text, c.relname::text) IN (SELECT w.value ->> 0, w.value ->> 1 FROM jsonb_array_elements($1::jsonb) AS w)
GROUP BY 1, 2, 3
ORDER BY 3, 1, 2 DESC
