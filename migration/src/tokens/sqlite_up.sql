-- Access tokens. Only their hashes: a token is shown once, when it is made.
CREATE TABLE session_admin_tokens (
  id           text PRIMARY KEY,
  name         text NOT NULL,
  role         text NOT NULL CHECK (role IN ('VIEWER', 'OPERATOR', 'ADMIN')),
  hash         text NOT NULL UNIQUE,     -- SHA-256 of the token, in hex
  created_at   text NOT NULL,
  expires_at   text,                     -- null: never
  revoked_at   text,
  last_used_at text                      -- to the hour
);
-- A revoked token gives its name back.
CREATE UNIQUE INDEX session_admin_tokens_name_idx ON session_admin_tokens (name) WHERE revoked_at IS NULL;
