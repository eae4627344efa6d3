-- The part of apalis-postgres 1.0's queue that this program uses.

-- Adds the schema of hstore to the search path, for this transaction.
SELECT pg_catalog.set_config(
  'search_path',
  pg_catalog.current_setting('search_path') || ', ' || quote_ident(schema.nspname),
  true
)
FROM pg_catalog.pg_extension extension
JOIN pg_catalog.pg_namespace schema ON schema.oid = extension.extnamespace
WHERE extension.extname = 'hstore';

CREATE TABLE apalis.workers (
  id           text PRIMARY KEY,
  worker_type  text NOT NULL,
  storage_name text NOT NULL,
  layers       text NOT NULL DEFAULT '',
  last_seen    timestamptz NOT NULL DEFAULT now(),
  started_at   timestamptz
);
CREATE INDEX idx_apalis_workers_last_seen ON apalis.workers (last_seen);
CREATE INDEX idx_apalis_workers_worker_type ON apalis.workers (worker_type);

CREATE TABLE apalis.jobs (
  job             bytea NOT NULL,
  id              text PRIMARY KEY,
  job_type        text NOT NULL,
  status          text NOT NULL DEFAULT 'Pending',
  attempts        integer NOT NULL DEFAULT 0,
  max_attempts    integer NOT NULL DEFAULT 25,
  run_at          timestamptz NOT NULL DEFAULT now(),
  last_result     jsonb,
  lock_at         timestamptz,
  lock_by         text CONSTRAINT fk_worker_lock_by REFERENCES apalis.workers (id),
  done_at         timestamptz,
  priority        integer DEFAULT 0,
  idempotency_key text,
  metadata        hstore
);
CREATE INDEX idx_apalis_jobs_lock_by ON apalis.jobs (lock_by);
CREATE UNIQUE INDEX idx_jobs_idempotency_key ON apalis.jobs (job_type, idempotency_key);
CREATE INDEX idx_apalis_jobs_fetch_partial ON apalis.jobs (job_type, priority DESC, run_at)
  WHERE status = 'Pending' OR (status = 'Failed' AND attempts < max_attempts);

CREATE FUNCTION apalis.get_jobs(worker_id text, v_job_type text, v_job_count integer DEFAULT 5)
RETURNS SETOF apalis.jobs LANGUAGE sql VOLATILE AS $$
  WITH jobs AS (
    SELECT id FROM apalis.jobs
    WHERE (status = 'Pending' OR (status = 'Failed' AND attempts < max_attempts))
      AND run_at < now() AND job_type = v_job_type
    ORDER BY priority DESC, run_at ASC
    LIMIT v_job_count
    FOR UPDATE SKIP LOCKED
  )
  UPDATE apalis.jobs j SET status = 'Queued', lock_by = worker_id, lock_at = now()
  FROM jobs WHERE j.id = jobs.id
  RETURNING j.*
$$;
