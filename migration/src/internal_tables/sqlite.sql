-- The internal tables. Ids, times (RFC 3339, UTC) and JSON are text.

-- The business tables, and the queue (as apalis), that this program created: `down` drops these and no others.
CREATE TABLE session_admin_created_tables (
  name text NOT NULL PRIMARY KEY
);

-- One row per cleanup run. Rows are never deleted.
CREATE TABLE session_admin_cleanup_runs (
  id                     text NOT NULL PRIMARY KEY,
  kind                   text NOT NULL CHECK (kind IN ('DELETE', 'RESTORE')),
  status                 text NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  criteria               text NOT NULL,                                   -- JSON
  at_most                integer,                                         -- limit on the rows deleted by the whole run
  allow_connected        boolean NOT NULL,
  allow_pending_messages boolean NOT NULL,
  archive                boolean NOT NULL DEFAULT true,
  reason                 text,
  restores               text REFERENCES session_admin_cleanup_runs (id), -- RESTORE only: the run to restore
  sessions_total         integer NOT NULL,
  sessions_deleted       integer NOT NULL DEFAULT 0,
  sessions_skipped       integer NOT NULL DEFAULT 0,
  sessions_restored      integer NOT NULL DEFAULT 0,
  rows_deleted           integer NOT NULL DEFAULT 0,
  rows_unlinked          integer NOT NULL DEFAULT 0,
  rows_restored          integer NOT NULL DEFAULT 0,
  started_by             text NOT NULL,
  cancelled_by           text,
  created_at             text NOT NULL,
  started_at             text,
  finished_at            text,
  error                  text,
  job                    text,                                            -- id of the run's job in the queue
  leased_by              text,                                            -- holder of the lease; null: nobody
  leased_until           text,                                            -- end of the lease, or the next retry
  attempts               integer NOT NULL DEFAULT 0                       -- starts since the run last made progress
);
CREATE INDEX session_admin_cleanup_runs_created_at_id_idx ON session_admin_cleanup_runs (created_at, id);
CREATE INDEX session_admin_cleanup_runs_unfinished_idx
  ON session_admin_cleanup_runs (leased_until) WHERE status IN ('QUEUED', 'RUNNING');
CREATE INDEX session_admin_cleanup_runs_restores_idx ON session_admin_cleanup_runs (restores);

-- The audit record: one row per deletion. Rows are never deleted.
CREATE TABLE session_admin_deletions (
  id               text NOT NULL PRIMARY KEY,
  run_id           text REFERENCES session_admin_cleanup_runs (id), -- the cleanup run that made this deletion, if any
  deleted_by       text NOT NULL,
  reason           text,
  deleted_at       text NOT NULL,
  rows_deleted     integer NOT NULL,
  rows_unlinked    integer NOT NULL,
  tables           text NOT NULL,                                   -- JSON: row counts per table and reference
  allowed          text NOT NULL,                                   -- JSON: flags of the request
  status           text NOT NULL DEFAULT 'NOT_ARCHIVED',
  restorable_until text,
  restored_at      text,
  restored_by      text,
  erased_at        text,
  erased_by        text
);
CREATE INDEX session_admin_deletions_deleted_at_id_idx ON session_admin_deletions (deleted_at, id);
CREATE INDEX session_admin_deletions_run_id_deleted_at_id_idx ON session_admin_deletions (run_id, deleted_at, id);
CREATE INDEX session_admin_deletions_restorable_until_idx
  ON session_admin_deletions (restorable_until) WHERE status = 'RESTORABLE';

-- The sessions of each deletion. session_id is text, because an adopted database may have ids of any type.
CREATE TABLE session_admin_deleted_sessions (
  deletion_id text NOT NULL REFERENCES session_admin_deletions (id) ON DELETE CASCADE,
  session_id  text NOT NULL,
  name        text,             -- null once the deletion has been erased
  gateway     text,             -- state at the gateway before the deletion; null: not queried
  position    integer NOT NULL, -- order of the sessions in the request
  PRIMARY KEY (deletion_id, session_id)
);
CREATE INDEX session_admin_deleted_sessions_session_id_idx ON session_admin_deleted_sessions (session_id);

-- The archive of each deletion: one entry per table and kind. ROWS are deleted rows, REFERENCES are references that
-- the deletion set to null.
CREATE TABLE session_admin_archived_tables (
  id          integer PRIMARY KEY,
  deletion_id text NOT NULL REFERENCES session_admin_deletions (id) ON DELETE CASCADE,
  kind        text NOT NULL CHECK (kind IN ('ROWS', 'REFERENCES')),
  table_name  text NOT NULL,
  layout      text NOT NULL -- JSON: the column of each archived value
);
CREATE INDEX session_admin_archived_tables_deletion_id_idx ON session_admin_archived_tables (deletion_id);
CREATE INDEX session_admin_archived_tables_table_name_idx ON session_admin_archived_tables (table_name);

-- The archived rows. The columns have no type, so that each value keeps its storage class. A deletion from a table with
-- more columns adds the missing ones.
CREATE TABLE session_admin_archived_rows (
  table_id integer NOT NULL, -- session_admin_archived_tables.id
  v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16
);
CREATE INDEX session_admin_archived_rows_table_id_idx ON session_admin_archived_rows (table_id);

-- The sessions of each cleanup run, fixed when the run is created. session_id is text, as in deleted_sessions.
CREATE TABLE session_admin_cleanup_run_sessions (
  run_id      text NOT NULL REFERENCES session_admin_cleanup_runs (id) ON DELETE CASCADE,
  position    integer NOT NULL,                             -- order in which the run processes the sessions
  session_id  text NOT NULL,
  state       text NOT NULL CHECK (state IN ('QUEUED', 'DEFERRED', 'DELETED', 'SKIPPED', 'RESTORED')),
  code        text,                                         -- why it is SKIPPED or DEFERRED (retried last)
  message     text,
  deletion_id text REFERENCES session_admin_deletions (id), -- made by the run, or restored by it
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, session_id)
);
CREATE INDEX session_admin_cleanup_run_sessions_run_id_state_position_idx
  ON session_admin_cleanup_run_sessions (run_id, state, position);
CREATE INDEX session_admin_cleanup_run_sessions_deletion_id_idx ON session_admin_cleanup_run_sessions (deletion_id);

-- Completed requests by idempotency key, each with the deletion or the cleanup run that it created.
CREATE TABLE session_admin_idempotency_keys (
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
CREATE INDEX session_admin_idempotency_keys_deletion_id_idx ON session_admin_idempotency_keys (deletion_id);
CREATE INDEX session_admin_idempotency_keys_run_id_idx ON session_admin_idempotency_keys (run_id);
CREATE INDEX session_admin_idempotency_keys_created_at_idx ON session_admin_idempotency_keys (created_at);

-- Access tokens. Only their hashes are stored; the token itself is shown once, when it is created.
CREATE TABLE session_admin_tokens (
  id           text PRIMARY KEY,
  name         text NOT NULL,
  role         text NOT NULL CHECK (role IN ('VIEWER', 'OPERATOR', 'ADMIN')),
  hash         text NOT NULL UNIQUE, -- SHA-256 of the token, in hex
  created_at   text NOT NULL,
  expires_at   text,                 -- null: never
  revoked_at   text,
  last_used_at text                  -- updated at most once an hour
);
-- Unique among valid tokens only: the name of a revoked token can be used again.
CREATE UNIQUE INDEX session_admin_tokens_name_idx ON session_admin_tokens (name) WHERE revoked_at IS NULL;
