-- Whose turn a run is: a worker holds it for a while, and renews that with each batch. Nobody holds it where leased_by is
-- null; leased_until is then the moment before which it is not tried again.
ALTER TABLE session_admin_cleanup_runs ADD COLUMN leased_by text;
ALTER TABLE session_admin_cleanup_runs ADD COLUMN leased_until text;
-- How often it was begun with since it last came further.
ALTER TABLE session_admin_cleanup_runs ADD COLUMN attempts integer NOT NULL DEFAULT 0;
-- The job in the queue that stands for it.
ALTER TABLE session_admin_cleanup_runs ADD COLUMN job text;
ALTER TABLE session_admin_cleanup_runs ADD COLUMN cancelled_by text;
ALTER TABLE session_admin_cleanup_runs ADD COLUMN archive boolean NOT NULL DEFAULT true;
-- The run whose deletions this one restores, and what it has put back.
ALTER TABLE session_admin_cleanup_runs ADD COLUMN restores text REFERENCES session_admin_cleanup_runs (id);
ALTER TABLE session_admin_cleanup_runs ADD COLUMN sessions_restored integer NOT NULL DEFAULT 0;
ALTER TABLE session_admin_cleanup_runs ADD COLUMN rows_restored integer NOT NULL DEFAULT 0;
CREATE INDEX session_admin_cleanup_runs_unfinished_idx ON session_admin_cleanup_runs (leased_until)
  WHERE status IN ('QUEUED', 'RUNNING');
CREATE INDEX session_admin_cleanup_runs_restores_idx ON session_admin_cleanup_runs (restores);

-- SQLite cannot change a check, so the table is made anew; nothing refers to it.
CREATE TABLE session_admin_cleanup_run_sessions_new (
  run_id      text NOT NULL REFERENCES session_admin_cleanup_runs (id) ON DELETE CASCADE,
  position    integer NOT NULL,              -- in the order in which they go
  session_id  text NOT NULL,
  state       text NOT NULL CHECK (state IN ('QUEUED', 'DEFERRED', 'DELETED', 'SKIPPED', 'RESTORED')),
  code        text,                          -- why it was skipped, or is tried again at the end
  message     text,
  deletion_id text REFERENCES session_admin_deletions (id), -- that took the session, or that is restored
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, session_id)
);
INSERT INTO session_admin_cleanup_run_sessions_new (run_id, position, session_id, state, code, message)
  SELECT run_id, position, session_id, state, code, message FROM session_admin_cleanup_run_sessions;
DROP TABLE session_admin_cleanup_run_sessions;
ALTER TABLE session_admin_cleanup_run_sessions_new RENAME TO session_admin_cleanup_run_sessions;
CREATE INDEX session_admin_cleanup_run_sessions_run_id_state_position_idx
  ON session_admin_cleanup_run_sessions (run_id, state, position);
CREATE INDEX session_admin_cleanup_run_sessions_deletion_id_idx ON session_admin_cleanup_run_sessions (deletion_id);
