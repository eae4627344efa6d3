-- The queue of apalis-sqlite 1.0, with the names and the order of columns that it requires.

CREATE TABLE Workers (
  id           text NOT NULL PRIMARY KEY,
  worker_type  text NOT NULL,
  storage_name text NOT NULL,
  layers       text,
  last_seen    integer NOT NULL DEFAULT (strftime('%s', 'now')),
  started_at   integer
);

CREATE TABLE Jobs (
  job             blob NOT NULL,
  id              text NOT NULL PRIMARY KEY,
  job_type        text NOT NULL,
  status          text NOT NULL DEFAULT 'Pending',
  attempts        integer NOT NULL DEFAULT 0,
  max_attempts    integer NOT NULL DEFAULT 25,
  run_at          integer NOT NULL DEFAULT (strftime('%s', 'now')),
  last_result     text,
  lock_at         integer,
  lock_by         text REFERENCES Workers (id),
  done_at         integer,
  priority        integer NOT NULL DEFAULT 0,
  metadata        text,
  idempotency_key text
);
CREATE INDEX session_admin_queue_lock_by_idx ON Jobs (lock_by);
CREATE UNIQUE INDEX session_admin_queue_idempotency_key_idx ON Jobs (job_type, idempotency_key);
CREATE INDEX session_admin_queue_pending_idx ON Jobs (job_type, priority DESC, run_at, id)
  WHERE status = 'Pending' AND lock_by IS NULL;
CREATE INDEX session_admin_queue_failed_idx ON Jobs (job_type, priority DESC, run_at, id)
  WHERE status = 'Failed' AND attempts < max_attempts;
