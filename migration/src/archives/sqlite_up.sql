-- What a deletion took, so that it can be restored: one row here for each table, twice where rows were also unlinked.
CREATE TABLE session_admin_archived_tables (
  id          integer PRIMARY KEY,
  deletion_id text NOT NULL REFERENCES session_admin_deletions (id) ON DELETE CASCADE,
  kind        text NOT NULL CHECK (kind IN ('ROWS', 'REFERENCES')),
  table_name  text NOT NULL,
  layout      text NOT NULL       -- JSON: which column each value is of
);
CREATE INDEX session_admin_archived_tables_deletion_id_idx ON session_admin_archived_tables (deletion_id);
CREATE INDEX session_admin_archived_tables_table_name_idx ON session_admin_archived_tables (table_name);

-- The rows themselves. The columns have no type, so that each value stays what it is; a deletion from a table with more
-- columns than these adds the rest.
CREATE TABLE session_admin_archived_rows (
  table_id integer NOT NULL,
  v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16
);
CREATE INDEX session_admin_archived_rows_table_id_idx ON session_admin_archived_rows (table_id);

-- What has become of a deletion's archive.
ALTER TABLE session_admin_deletions ADD COLUMN restorable_until text;
ALTER TABLE session_admin_deletions ADD COLUMN restored_at text;
ALTER TABLE session_admin_deletions ADD COLUMN restored_by text;
ALTER TABLE session_admin_deletions ADD COLUMN erased_at text;
ALTER TABLE session_admin_deletions ADD COLUMN erased_by text;
CREATE INDEX session_admin_deletions_restorable_until_idx ON session_admin_deletions (restorable_until) WHERE status = 'RESTORABLE';

-- What the gateway said of a session before it went; null where it was not asked.
ALTER TABLE session_admin_deleted_sessions ADD COLUMN gateway text;
