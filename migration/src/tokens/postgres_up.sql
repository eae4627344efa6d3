-- Access tokens. Only their hashes: a token is shown once, when it is made.
CREATE TABLE tokens (
  id           uuid PRIMARY KEY,
  name         text NOT NULL,
  role         text NOT NULL CHECK (role IN ('VIEWER', 'OPERATOR', 'ADMIN')),
  hash         text NOT NULL UNIQUE,     -- SHA-256 of the token, in hex
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz,              -- null: never
  revoked_at   timestamptz,
  last_used_at timestamptz               -- to the hour
);
-- A revoked token gives its name back.
CREATE UNIQUE INDEX tokens_name_idx ON tokens (name) WHERE revoked_at IS NULL;
