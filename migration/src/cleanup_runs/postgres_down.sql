-- The audit record of what runs deleted stays.
DELETE FROM idempotency_keys WHERE run_id IS NOT NULL;
ALTER TABLE idempotency_keys DROP COLUMN run_id;
ALTER TABLE idempotency_keys ALTER COLUMN deletion_id SET NOT NULL;
ALTER TABLE deletions DROP COLUMN run_id;
DROP TABLE cleanup_run_sessions;
DROP TABLE cleanup_runs;
