-- One execution of a bulk cleanup, kept for good.
CREATE TABLE cleanup_runs (
  id                     uuid PRIMARY KEY,
  kind                   text NOT NULL CHECK (kind IN ('DELETE', 'RESTORE')),
  status                 text NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  criteria               text NOT NULL,     -- JSON
  sessions_total         bigint NOT NULL,
  sessions_deleted       bigint NOT NULL DEFAULT 0,
  sessions_skipped       bigint NOT NULL DEFAULT 0,
  rows_deleted           bigint NOT NULL DEFAULT 0,
  rows_unlinked          bigint NOT NULL DEFAULT 0,
  at_most                bigint,            -- rows, over the whole run
  allow_connected        boolean NOT NULL,
  allow_pending_messages boolean NOT NULL,
  started_by             text NOT NULL,
  reason                 text,
  created_at             timestamptz NOT NULL,
  started_at             timestamptz,
  finished_at            timestamptz,
  error                  text
);
CREATE INDEX cleanup_runs_created_at_id_idx ON cleanup_runs (created_at, id);

-- The sessions of a run, fixed when it was asked for. session_id is text, as in deleted_sessions.
CREATE TABLE cleanup_run_sessions (
  run_id     uuid NOT NULL REFERENCES cleanup_runs (id) ON DELETE CASCADE,
  position   integer NOT NULL,              -- in the order in which they go
  session_id text NOT NULL,
  state      text NOT NULL CHECK (state IN ('QUEUED', 'DEFERRED', 'DELETED', 'SKIPPED')),
  code       text,                          -- why it was skipped, or is tried again at the end
  message    text,
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, session_id)
);
CREATE INDEX cleanup_run_sessions_run_id_state_position_idx ON cleanup_run_sessions (run_id, state, position);

-- The run that a deletion is a batch of.
ALTER TABLE deletions ADD COLUMN run_id uuid REFERENCES cleanup_runs (id);
CREATE INDEX deletions_run_id_deleted_at_id_idx ON deletions (run_id, deleted_at, id);

-- A request made either a deletion or a run.
ALTER TABLE idempotency_keys ALTER COLUMN deletion_id DROP NOT NULL;
ALTER TABLE idempotency_keys ADD COLUMN run_id uuid REFERENCES cleanup_runs (id) ON DELETE CASCADE;
ALTER TABLE idempotency_keys ADD CHECK ((deletion_id IS NULL) <> (run_id IS NULL));
CREATE INDEX idempotency_keys_run_id_idx ON idempotency_keys (run_id);
