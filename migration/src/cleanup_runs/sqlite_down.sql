-- The audit record of what runs deleted stays.
CREATE TABLE session_admin_idempotency_keys_old (
  principal   text NOT NULL,
  key         text NOT NULL,
  fingerprint text NOT NULL,
  impact      text NOT NULL,
  deletion_id text NOT NULL REFERENCES session_admin_deletions (id) ON DELETE CASCADE,
  created_at  text NOT NULL,
  PRIMARY KEY (principal, key)
);
INSERT INTO session_admin_idempotency_keys_old (principal, key, fingerprint, impact, deletion_id, created_at)
  SELECT principal, key, fingerprint, impact, deletion_id, created_at FROM session_admin_idempotency_keys
  WHERE deletion_id IS NOT NULL;
DROP TABLE session_admin_idempotency_keys;
ALTER TABLE session_admin_idempotency_keys_old RENAME TO session_admin_idempotency_keys;
CREATE INDEX session_admin_idempotency_keys_deletion_id_idx ON session_admin_idempotency_keys (deletion_id);
CREATE INDEX session_admin_idempotency_keys_created_at_idx ON session_admin_idempotency_keys (created_at);
DROP INDEX session_admin_deletions_run_id_deleted_at_id_idx;
ALTER TABLE session_admin_deletions DROP COLUMN run_id;
DROP TABLE session_admin_cleanup_run_sessions;
DROP TABLE session_admin_cleanup_runs;
