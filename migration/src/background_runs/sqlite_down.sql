CREATE TABLE session_admin_cleanup_run_sessions_old (
  run_id     text NOT NULL REFERENCES session_admin_cleanup_runs (id) ON DELETE CASCADE,
  position   integer NOT NULL,
  session_id text NOT NULL,
  state      text NOT NULL CHECK (state IN ('QUEUED', 'DEFERRED', 'DELETED', 'SKIPPED')),
  code       text,
  message    text,
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, session_id)
);
INSERT INTO session_admin_cleanup_run_sessions_old (run_id, position, session_id, state, code, message)
  SELECT run_id, position, session_id, CASE state WHEN 'RESTORED' THEN 'SKIPPED' ELSE state END, code, message
  FROM session_admin_cleanup_run_sessions;
DROP TABLE session_admin_cleanup_run_sessions;
ALTER TABLE session_admin_cleanup_run_sessions_old RENAME TO session_admin_cleanup_run_sessions;
CREATE INDEX session_admin_cleanup_run_sessions_run_id_state_position_idx
  ON session_admin_cleanup_run_sessions (run_id, state, position);
DROP INDEX session_admin_cleanup_runs_restores_idx;
DROP INDEX session_admin_cleanup_runs_unfinished_idx;
ALTER TABLE session_admin_cleanup_runs DROP COLUMN rows_restored;
ALTER TABLE session_admin_cleanup_runs DROP COLUMN sessions_restored;
ALTER TABLE session_admin_cleanup_runs DROP COLUMN restores;
ALTER TABLE session_admin_cleanup_runs DROP COLUMN archive;
ALTER TABLE session_admin_cleanup_runs DROP COLUMN cancelled_by;
ALTER TABLE session_admin_cleanup_runs DROP COLUMN job;
ALTER TABLE session_admin_cleanup_runs DROP COLUMN attempts;
ALTER TABLE session_admin_cleanup_runs DROP COLUMN leased_until;
ALTER TABLE session_admin_cleanup_runs DROP COLUMN leased_by;
