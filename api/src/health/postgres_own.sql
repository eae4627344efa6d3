-- What this role lacks on this program's own tables: the history is read, deletions, runs and requests are written down.
SELECT c.relname::text AS table_name, p.privilege
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN (VALUES ('migrations', 'SELECT'),
             ('deletions', 'SELECT'), ('deletions', 'INSERT'), ('deletions', 'UPDATE'),
             ('deleted_sessions', 'SELECT'), ('deleted_sessions', 'INSERT'), ('deleted_sessions', 'UPDATE'),
             ('archived_tables', 'SELECT'), ('archived_tables', 'INSERT'), ('archived_tables', 'DELETE'),
             ('archived_rows', 'SELECT'), ('archived_rows', 'INSERT'), ('archived_rows', 'DELETE'),
             ('idempotency_keys', 'SELECT'), ('idempotency_keys', 'INSERT'), ('idempotency_keys', 'DELETE'),
             ('cleanup_runs', 'SELECT'), ('cleanup_runs', 'INSERT'), ('cleanup_runs', 'UPDATE'),
             ('cleanup_run_sessions', 'SELECT'), ('cleanup_run_sessions', 'INSERT'), ('cleanup_run_sessions', 'UPDATE')
     ) AS p(table_name, privilege) ON p.table_name = c.relname
WHERE n.nspname = 'session_admin' AND c.relkind IN ('r', 'p')
  AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, p.privilege))
ORDER BY 1, 2
