DROP INDEX cleanup_run_sessions_deletion_id_idx;
ALTER TABLE cleanup_run_sessions DROP COLUMN deletion_id;
UPDATE cleanup_run_sessions SET state = 'SKIPPED' WHERE state = 'RESTORED';
ALTER TABLE cleanup_run_sessions DROP CONSTRAINT cleanup_run_sessions_state_check;
ALTER TABLE cleanup_run_sessions ADD CONSTRAINT cleanup_run_sessions_state_check
  CHECK (state IN ('QUEUED', 'DEFERRED', 'DELETED', 'SKIPPED'));
DROP INDEX cleanup_runs_restores_idx;
DROP INDEX cleanup_runs_unfinished_idx;
ALTER TABLE cleanup_runs DROP COLUMN rows_restored;
ALTER TABLE cleanup_runs DROP COLUMN sessions_restored;
ALTER TABLE cleanup_runs DROP COLUMN restores;
ALTER TABLE cleanup_runs DROP COLUMN archive;
ALTER TABLE cleanup_runs DROP COLUMN cancelled_by;
ALTER TABLE cleanup_runs DROP COLUMN job;
ALTER TABLE cleanup_runs DROP COLUMN attempts;
ALTER TABLE cleanup_runs DROP COLUMN leased_until;
ALTER TABLE cleanup_runs DROP COLUMN leased_by;
