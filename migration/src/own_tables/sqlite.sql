-- Ids, times (RFC 3339, UTC) and JSON are text.

-- Which business tables this tool created, and so may drop.
CREATE TABLE session_admin_created_tables (
  name text NOT NULL PRIMARY KEY
);

-- The audit record: one row a deletion, kept for good.
CREATE TABLE session_admin_deletions (
  id            text NOT NULL PRIMARY KEY,
  deleted_by    text NOT NULL,
  reason        text,
  deleted_at    text NOT NULL,
  rows_deleted  integer NOT NULL,
  rows_unlinked integer NOT NULL,
  tables        text NOT NULL,      -- what happened, table by table
  allowed       text NOT NULL,      -- what the caller allowed
  status        text NOT NULL DEFAULT 'NOT_ARCHIVED'
);
CREATE INDEX session_admin_deletions_deleted_at_id_idx ON session_admin_deletions (deleted_at, id);

-- session_id is text: the sessions are the host's, whatever type their ids have.
CREATE TABLE session_admin_deleted_sessions (
  deletion_id text NOT NULL REFERENCES session_admin_deletions (id) ON DELETE CASCADE,
  session_id  text NOT NULL,
  name        text,                  -- null once the deletion has been erased
  position    integer NOT NULL,      -- in the order in which the sessions were given
  PRIMARY KEY (deletion_id, session_id)
);
CREATE INDEX session_admin_deleted_sessions_session_id_idx ON session_admin_deleted_sessions (session_id);

-- Requests that were answered, each with the deletion that it made.
CREATE TABLE session_admin_idempotency_keys (
  principal   text NOT NULL,
  key         text NOT NULL,
  fingerprint text NOT NULL,
  impact      text NOT NULL,
  deletion_id text NOT NULL REFERENCES session_admin_deletions (id) ON DELETE CASCADE,
  created_at  text NOT NULL,
  PRIMARY KEY (principal, key)
);
CREATE INDEX session_admin_idempotency_keys_deletion_id_idx ON session_admin_idempotency_keys (deletion_id);
CREATE INDEX session_admin_idempotency_keys_created_at_idx ON session_admin_idempotency_keys (created_at);
