-- What this role lacks on this program's own tables or their schemas, the queue's among them: the history and the tokens are
-- read, deletions, runs and requests are written down, jobs come and go.
SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, p.privilege, has.schema_usable, has.granted
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN (VALUES ('session_admin', 'migrations', 'SELECT'),
             ('session_admin', 'deletions', 'SELECT'), ('session_admin', 'deletions', 'INSERT'),
             ('session_admin', 'deletions', 'UPDATE'),
             ('session_admin', 'deleted_sessions', 'SELECT'), ('session_admin', 'deleted_sessions', 'INSERT'),
             ('session_admin', 'deleted_sessions', 'UPDATE'),
             ('session_admin', 'archived_tables', 'SELECT'), ('session_admin', 'archived_tables', 'INSERT'),
             ('session_admin', 'archived_tables', 'DELETE'),
             ('session_admin', 'archived_rows', 'SELECT'), ('session_admin', 'archived_rows', 'INSERT'),
             ('session_admin', 'archived_rows', 'DELETE'),
             ('session_admin', 'idempotency_keys', 'SELECT'), ('session_admin', 'idempotency_keys', 'INSERT'),
             ('session_admin', 'idempotency_keys', 'DELETE'),
             ('session_admin', 'cleanup_runs', 'SELECT'), ('session_admin', 'cleanup_runs', 'INSERT'),
             ('session_admin', 'cleanup_runs', 'UPDATE'),
             ('session_admin', 'cleanup_run_sessions', 'SELECT'), ('session_admin', 'cleanup_run_sessions', 'INSERT'),
             ('session_admin', 'cleanup_run_sessions', 'UPDATE'),
             ('session_admin', 'tokens', 'SELECT'), ('session_admin', 'tokens', 'UPDATE (last_used_at)'),
             ('apalis', 'jobs', 'SELECT'), ('apalis', 'jobs', 'INSERT'), ('apalis', 'jobs', 'UPDATE'),
             ('apalis', 'jobs', 'DELETE'),
             ('apalis', 'workers', 'SELECT'), ('apalis', 'workers', 'INSERT'), ('apalis', 'workers', 'UPDATE'),
             ('apalis', 'workers', 'DELETE')
     ) AS p(schema_name, table_name, privilege) ON (p.schema_name, p.table_name) = (n.nspname, c.relname)
CROSS JOIN LATERAL (
    SELECT has_schema_privilege(n.oid, 'USAGE') AS schema_usable,
           CASE p.privilege
               WHEN 'UPDATE (last_used_at)' THEN has_column_privilege(c.oid, 'last_used_at', 'UPDATE')
               ELSE has_table_privilege(c.oid, p.privilege)
           END AS granted
) has
WHERE c.relkind IN ('r', 'p') AND NOT (has.schema_usable AND has.granted)
ORDER BY 1 DESC, 2, 3
