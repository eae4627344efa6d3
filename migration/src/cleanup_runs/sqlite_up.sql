-- One execution of a bulk cleanup, kept for good.
CREATE TABLE session_admin_cleanup_runs (
  id                     text NOT NULL PRIMARY KEY,
  kind                   text NOT NULL CHECK (kind IN ('DELETE', 'RESTORE')),
  status                 text NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  criteria               text NOT NULL,     -- JSON
  sessions_total         integer NOT NULL,
  sessions_deleted       integer NOT NULL DEFAULT 0,
  sessions_skipped       integer NOT NULL DEFAULT 0,
  rows_deleted           integer NOT NULL DEFAULT 0,
  rows_unlinked          integer NOT NULL DEFAULT 0,
  at_most                integer,           -- rows, over the whole run
  allow_connected        boolean NOT NULL,
  allow_pending_messages boolean NOT NULL,
  started_by             text NOT NULL,
  reason                 text,
  created_at             text NOT NULL,
  started_at             text,
  finished_at            text,
  error                  text
);
CREATE INDEX session_admin_cleanup_runs_created_at_id_idx ON session_admin_cleanup_runs (created_at, id);

-- The sessions of a run, fixed when it was asked for. session_id is text, as in deleted_sessions.
CREATE TABLE session_admin_cleanup_run_sessions (
  run_id     text NOT NULL REFERENCES session_admin_cleanup_runs (id) ON DELETE CASCADE,
  position   integer NOT NULL,              -- in the order in which they go
  session_id text NOT NULL,
  state      text NOT NULL CHECK (state IN ('QUEUED', 'DEFERRED', 'DELETED', 'SKIPPED')),
  code       text,                          -- why it was skipped, or is tried again at the end
  message    text,
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, session_id)
);
CREATE INDEX session_admin_cleanup_run_sessions_run_id_state_position_idx ON session_admin_cleanup_run_sessions (run_id, state, position);

-- The run that a deletion is a batch of.
ALTER TABLE session_admin_deletions ADD COLUMN run_id text REFERENCES session_admin_cleanup_runs (id);
CREATE INDEX session_admin_deletions_run_id_deleted_at_id_idx ON session_admin_deletions (run_id, deleted_at, id);

-- A request made either a deletion or a run. SQLite cannot let a column take null, so the table is made anew; nothing
-- refers to it.
CREATE TABLE session_admin_idempotency_keys_new (
  principal   text NOT NULL,
  key         text NOT NULL,
  fingerprint text NOT NULL,
  impact      text NOT NULL,
  deletion_id text REFERENCES session_admin_deletions (id) ON DELETE CASCADE,
  run_id      text REFERENCES session_admin_cleanup_runs (id) ON DELETE CASCADE,
  created_at  text NOT NULL,
  PRIMARY KEY (principal, key),
  CHECK ((deletion_id IS NULL) <> (run_id IS NULL))
);
INSERT INTO session_admin_idempotency_keys_new (principal, key, fingerprint, impact, deletion_id, created_at)
  SELECT principal, key, fingerprint, impact, deletion_id, created_at FROM session_admin_idempotency_keys;
DROP TABLE session_admin_idempotency_keys;
ALTER TABLE session_admin_idempotency_keys_new RENAME TO session_admin_idempotency_keys;
CREATE INDEX session_admin_idempotency_keys_deletion_id_idx ON session_admin_idempotency_keys (deletion_id);
CREATE INDEX session_admin_idempotency_keys_run_id_idx ON session_admin_idempotency_keys (run_id);
CREATE INDEX session_admin_idempotency_keys_created_at_idx ON session_admin_idempotency_keys (created_at);
