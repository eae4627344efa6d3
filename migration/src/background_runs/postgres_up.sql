-- Whose turn a run is: a worker holds it for a while, and renews that with each batch. Nobody holds it where leased_by is
-- null; leased_until is then the moment before which it is not tried again.
ALTER TABLE cleanup_runs ADD COLUMN leased_by text;
ALTER TABLE cleanup_runs ADD COLUMN leased_until timestamptz;
-- How often it was begun with since it last came further.
ALTER TABLE cleanup_runs ADD COLUMN attempts integer NOT NULL DEFAULT 0;
-- The job in the queue that stands for it.
ALTER TABLE cleanup_runs ADD COLUMN job text;
ALTER TABLE cleanup_runs ADD COLUMN cancelled_by text;
ALTER TABLE cleanup_runs ADD COLUMN archive boolean NOT NULL DEFAULT true;
-- The run whose deletions this one restores, and what it has put back.
ALTER TABLE cleanup_runs ADD COLUMN restores uuid REFERENCES cleanup_runs (id);
ALTER TABLE cleanup_runs ADD COLUMN sessions_restored bigint NOT NULL DEFAULT 0;
ALTER TABLE cleanup_runs ADD COLUMN rows_restored bigint NOT NULL DEFAULT 0;
CREATE INDEX cleanup_runs_unfinished_idx ON cleanup_runs (leased_until) WHERE status IN ('QUEUED', 'RUNNING');
CREATE INDEX cleanup_runs_restores_idx ON cleanup_runs (restores);

ALTER TABLE cleanup_run_sessions DROP CONSTRAINT cleanup_run_sessions_state_check;
ALTER TABLE cleanup_run_sessions ADD CONSTRAINT cleanup_run_sessions_state_check
  CHECK (state IN ('QUEUED', 'DEFERRED', 'DELETED', 'SKIPPED', 'RESTORED'));
-- The deletion that took the session, or that is restored.
ALTER TABLE cleanup_run_sessions ADD COLUMN deletion_id uuid REFERENCES deletions (id);
CREATE INDEX cleanup_run_sessions_deletion_id_idx ON cleanup_run_sessions (deletion_id);
