-- What a deletion took, so that it can be restored: one row here for each table, twice where rows were also unlinked.
CREATE TABLE archived_tables (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  deletion_id uuid NOT NULL REFERENCES deletions (id) ON DELETE CASCADE,
  kind        text NOT NULL CHECK (kind IN ('ROWS', 'REFERENCES')),
  schema_name text NOT NULL,
  table_name  text NOT NULL,
  layout      jsonb NOT NULL      -- which column each value is of
);
CREATE INDEX archived_tables_deletion_id_idx ON archived_tables (deletion_id);
CREATE INDEX archived_tables_table_name_idx ON archived_tables (table_name);

-- The rows themselves, each value as the database's own text. No foreign key: it would be checked row by row, and take
-- longer than the rest of the archive.
CREATE TABLE archived_rows (
  table_id bigint NOT NULL,
  "values" text[] NOT NULL
);
CREATE INDEX archived_rows_table_id_idx ON archived_rows (table_id);

-- What has become of a deletion's archive.
ALTER TABLE deletions ADD COLUMN restorable_until timestamptz;
ALTER TABLE deletions ADD COLUMN restored_at timestamptz;
ALTER TABLE deletions ADD COLUMN restored_by text;
ALTER TABLE deletions ADD COLUMN erased_at timestamptz;
ALTER TABLE deletions ADD COLUMN erased_by text;
CREATE INDEX deletions_restorable_until_idx ON deletions (restorable_until) WHERE status = 'RESTORABLE';

-- What the gateway said of a session before it went; null where it was not asked.
ALTER TABLE deleted_sessions ADD COLUMN gateway text;
