-- The privileges that the current role lacks on this program's internal tables or their schemas, including the queue's.
-- The migration history and the tokens are read; deletions, runs and idempotency keys are written; jobs are added and
-- deleted.
SELECT namespace.nspname::text AS schema_name, class.relname::text AS table_name, required.privilege, granted.schema_usable,
       granted.granted
FROM pg_catalog.pg_class class
JOIN pg_catalog.pg_namespace namespace ON namespace.oid = class.relnamespace
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
     ) AS required(schema_name, table_name, privilege)
  ON (required.schema_name, required.table_name) = (namespace.nspname, class.relname)
CROSS JOIN LATERAL (
    SELECT has_schema_privilege(namespace.oid, 'USAGE') AS schema_usable,
           CASE required.privilege
               WHEN 'UPDATE (last_used_at)' THEN has_column_privilege(class.oid, 'last_used_at', 'UPDATE')
               ELSE has_table_privilege(class.oid, required.privilege)
           END AS granted
) granted
WHERE class.relkind IN ('r', 'p') AND NOT (granted.schema_usable AND granted.granted)
ORDER BY 1 DESC, 2, 3
