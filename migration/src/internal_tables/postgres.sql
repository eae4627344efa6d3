-- The internal tables. They are created in the first schema of the search path, session_admin.

-- The business tables, and the queue (as apalis), that this program created: `down` drops these and no others.
CREATE TABLE created_tables (
  name text PRIMARY KEY
);

-- One row per cleanup run. Rows are never deleted.
CREATE TABLE cleanup_runs (
  id                     uuid PRIMARY KEY,
  kind                   text NOT NULL CHECK (kind IN ('DELETE', 'RESTORE')),
  status                 text NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  criteria               text NOT NULL,                     -- JSON
  at_most                bigint,                            -- limit on the rows deleted by the whole run
  allow_connected        boolean NOT NULL,
  allow_pending_messages boolean NOT NULL,
  archive                boolean NOT NULL DEFAULT true,
  reason                 text,
  restores               uuid REFERENCES cleanup_runs (id), -- RESTORE only: the run to restore
  sessions_total         bigint NOT NULL,
  sessions_deleted       bigint NOT NULL DEFAULT 0,
  sessions_skipped       bigint NOT NULL DEFAULT 0,
  sessions_restored      bigint NOT NULL DEFAULT 0,
  rows_deleted           bigint NOT NULL DEFAULT 0,
  rows_unlinked          bigint NOT NULL DEFAULT 0,
  rows_restored          bigint NOT NULL DEFAULT 0,
  started_by             text NOT NULL,
  cancelled_by           text,
  created_at             timestamptz NOT NULL,
  started_at             timestamptz,
  finished_at            timestamptz,
  error                  text,
  job                    text,                              -- id of the run's job in the queue
  leased_by              text,                              -- holder of the lease; null: nobody
  leased_until           timestamptz,                       -- end of the lease, or the next retry
  attempts               integer NOT NULL DEFAULT 0         -- starts since the run last made progress
);
CREATE INDEX cleanup_runs_created_at_id_idx ON cleanup_runs (created_at, id);
CREATE INDEX cleanup_runs_unfinished_idx ON cleanup_runs (leased_until) WHERE status IN ('QUEUED', 'RUNNING');
CREATE INDEX cleanup_runs_restores_idx ON cleanup_runs (restores);

-- The audit record: one row per deletion. Rows are never deleted.
CREATE TABLE deletions (
  id               uuid PRIMARY KEY,
  run_id           uuid REFERENCES cleanup_runs (id), -- the cleanup run that made this deletion, if any
  deleted_by       text NOT NULL,
  reason           text,
  deleted_at       timestamptz NOT NULL,
  rows_deleted     bigint NOT NULL,
  rows_unlinked    bigint NOT NULL,
  tables           jsonb NOT NULL,                    -- row counts per table and reference
  allowed          jsonb NOT NULL,                    -- flags of the request
  status           text NOT NULL DEFAULT 'NOT_ARCHIVED',
  restorable_until timestamptz,
  restored_at      timestamptz,
  restored_by      text,
  erased_at        timestamptz,
  erased_by        text
);
CREATE INDEX deletions_deleted_at_id_idx ON deletions (deleted_at, id);
CREATE INDEX deletions_run_id_deleted_at_id_idx ON deletions (run_id, deleted_at, id);
CREATE INDEX deletions_restorable_until_idx ON deletions (restorable_until) WHERE status = 'RESTORABLE';

-- The sessions of each deletion. session_id is text, because an adopted database may have ids of any type.
CREATE TABLE deleted_sessions (
  deletion_id uuid NOT NULL REFERENCES deletions (id) ON DELETE CASCADE,
  session_id  text NOT NULL,
  name        text,             -- null once the deletion has been erased
  gateway     text,             -- state at the gateway before the deletion; null: not queried
  position    integer NOT NULL, -- order of the sessions in the request
  PRIMARY KEY (deletion_id, session_id)
);
CREATE INDEX deleted_sessions_session_id_idx ON deleted_sessions (session_id);

-- The archive of each deletion: one entry per table and kind. ROWS are deleted rows, REFERENCES are references that
-- the deletion set to null.
CREATE TABLE archived_tables (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  deletion_id uuid NOT NULL REFERENCES deletions (id) ON DELETE CASCADE,
  kind        text NOT NULL CHECK (kind IN ('ROWS', 'REFERENCES')),
  schema_name text NOT NULL,
  table_name  text NOT NULL,
  layout      jsonb NOT NULL -- the column of each archived value
);
CREATE INDEX archived_tables_deletion_id_idx ON archived_tables (deletion_id);
CREATE INDEX archived_tables_table_name_idx ON archived_tables (table_name);

-- The archived rows, each value in PostgreSQL's text format. No foreign key: checking it for every row would take
-- longer than writing the rest of the archive.
CREATE TABLE archived_rows (
  table_id bigint NOT NULL, -- archived_tables.id
  "values" text[] NOT NULL
);
CREATE INDEX archived_rows_table_id_idx ON archived_rows (table_id);

-- The sessions of each cleanup run, fixed when the run is created. session_id is text, as in deleted_sessions.
CREATE TABLE cleanup_run_sessions (
  run_id      uuid NOT NULL REFERENCES cleanup_runs (id) ON DELETE CASCADE,
  position    integer NOT NULL,               -- order in which the run processes the sessions
  session_id  text NOT NULL,
  state       text NOT NULL CHECK (state IN ('QUEUED', 'DEFERRED', 'DELETED', 'SKIPPED', 'RESTORED')),
  code        text,                           -- why it is SKIPPED or DEFERRED (retried last)
  message     text,
  deletion_id uuid REFERENCES deletions (id), -- made by the run, or restored by it
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, session_id)
);
CREATE INDEX cleanup_run_sessions_run_id_state_position_idx ON cleanup_run_sessions (run_id, state, position);
CREATE INDEX cleanup_run_sessions_deletion_id_idx ON cleanup_run_sessions (deletion_id);

-- Completed requests by idempotency key, each with the deletion or the cleanup run that it created.
CREATE TABLE idempotency_keys (
  principal   text NOT NULL,
  key         text NOT NULL,
  fingerprint text NOT NULL,
  impact      text NOT NULL,
  deletion_id uuid REFERENCES deletions (id) ON DELETE CASCADE,
  run_id      uuid REFERENCES cleanup_runs (id) ON DELETE CASCADE,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (principal, key),
  CHECK ((deletion_id IS NULL) <> (run_id IS NULL))
);
CREATE INDEX idempotency_keys_deletion_id_idx ON idempotency_keys (deletion_id);
CREATE INDEX idempotency_keys_run_id_idx ON idempotency_keys (run_id);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);

-- Access tokens. Only their hashes are stored; the token itself is shown once, when it is created.
CREATE TABLE tokens (
  id           uuid PRIMARY KEY,
  name         text NOT NULL,
  role         text NOT NULL CHECK (role IN ('VIEWER', 'OPERATOR', 'ADMIN')),
  hash         text NOT NULL UNIQUE, -- SHA-256 of the token, in hex
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz,          -- null: never
  revoked_at   timestamptz,
  last_used_at timestamptz           -- updated at most once an hour
);
-- Unique among valid tokens only: the name of a revoked token can be used again.
CREATE UNIQUE INDEX tokens_name_idx ON tokens (name) WHERE revoked_at IS NULL;
