-- The other roles with DELETE or TRUNCATE on the tables in $1 (JSON: [[schema, name], ...]); no role means PUBLIC. The
-- owner, the current role and superusers are left out: a REVOKE would not stop them. So is each role that may write
-- this program's audit record: the server works as that role.
SELECT namespace.nspname::text AS schema_name, class.relname::text AS table_name, role.rolname::text AS role_name
FROM pg_catalog.pg_class class
JOIN pg_catalog.pg_namespace namespace ON namespace.oid = class.relnamespace
CROSS JOIN LATERAL aclexplode(class.relacl) AS acl
LEFT JOIN pg_catalog.pg_roles role ON role.oid = acl.grantee
WHERE acl.privilege_type IN ('DELETE', 'TRUNCATE') AND acl.grantee <> class.relowner
  AND NOT COALESCE(has_table_privilege(role.oid, to_regclass('session_admin.deletions'), 'INSERT'), false)
  AND role.rolname IS DISTINCT FROM current_user AND NOT COALESCE(role.rolsuper, false)
  AND (namespace.nspname::text, class.relname::text) IN (
    SELECT wanted.value ->> 0, wanted.value ->> 1 FROM jsonb_array_elements($1::jsonb) AS wanted)
GROUP BY 1, 2, 3
ORDER BY 3, 1, 2 DESC
