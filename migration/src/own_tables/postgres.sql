-- Which business tables this tool created, and so may drop.
CREATE TABLE created_tables (
  name text PRIMARY KEY
);

-- The audit record: one row a deletion, kept for good.
CREATE TABLE deletions (
  id            uuid PRIMARY KEY,
  deleted_by    text NOT NULL,
  reason        text,
  deleted_at    timestamptz NOT NULL,
  rows_deleted  bigint NOT NULL,
  rows_unlinked bigint NOT NULL,
  tables        jsonb NOT NULL,      -- what happened, table by table
  allowed       jsonb NOT NULL,      -- what the caller allowed
  status        text NOT NULL DEFAULT 'NOT_ARCHIVED'
);
CREATE INDEX deletions_deleted_at_id_idx ON deletions (deleted_at, id);

-- session_id is text: the sessions are the host's, whatever type their ids have.
CREATE TABLE deleted_sessions (
  deletion_id uuid NOT NULL REFERENCES deletions (id) ON DELETE CASCADE,
  session_id  text NOT NULL,
  name        text,                  -- null once the deletion has been erased
  position    integer NOT NULL,      -- in the order in which the sessions were given
  PRIMARY KEY (deletion_id, session_id)
);
CREATE INDEX deleted_sessions_session_id_idx ON deleted_sessions (session_id);

-- Requests that were answered, each with the deletion that it made.
CREATE TABLE idempotency_keys (
  principal   text NOT NULL,
  key         text NOT NULL,
  fingerprint text NOT NULL,
  impact      text NOT NULL,
  deletion_id uuid NOT NULL REFERENCES deletions (id) ON DELETE CASCADE,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_keys_deletion_id_idx ON idempotency_keys (deletion_id);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
