#!/usr/bin/env bash
# A load for a long time: lists, previews, deletions, restores, cleanup runs and sockets, on a scratch database whose server is
# away for some seconds in the middle.
#
#     benches/soak.sh [SECONDS]        ten minutes unless said
#
# It fails if anything but UNAVAILABLE is answered as an error, if that is answered while the database is there, if a
# connection to the server is cut, or if the server's memory at the end is more than 10 % away from that of the middle.
# SESSION_ADMIN names the program; otherwise the one of the profile `dist` is built. PostgreSQL's programs, psql among them, and
# Node.js have to be there (`make postgres clients`).
set -euo pipefail
cd "$(dirname "$0")/.."

length=${1:-600}
[ "$length" -ge 40 ] || { echo "at least 40 seconds" >&2; exit 2; }
bin=$(dirname "$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb | tail -n 1)")
program=${SESSION_ADMIN:-target/dist/session-admin}
[ -n "${SESSION_ADMIN:-}" ] || cargo build --profile dist --package api

scratch=$(mktemp -d)
server=
as_postgres() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
away() { as_postgres "$bin/pg_ctl" -D "$scratch/data" -m "$1" stop >/dev/null 2>&1 || true; }
back() { as_postgres "$bin/pg_ctl" -D "$scratch/data" -l "$scratch/log" -w -o "-p $port -k $scratch -c listen_addresses=127.0.0.1" start >/dev/null; }
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  away immediate
  rm -rf "$scratch"
}
trap finish EXIT
[ "$(id -u)" != 0 ] || chown postgres "$scratch"

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
as_postgres "$bin/initdb" -D "$scratch/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >/dev/null
back
export DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres"
"$program" migrate --yes >/dev/null
sed -e 's/\$sessions/200/g' -e 's/\$half/1000/g' benches/data.sql | psql --quiet --set ON_ERROR_STOP=1 "$DATABASE_URL"

TOKEN=$("$program" token create --name soak --role operator)
export TOKEN
# All of it comes with one token, and is more than a minute is for.
"$program" serve --json --listen 127.0.0.1:0 --max-requests-a-minute 0 >"$scratch/announced" 2>"$scratch/server.log" &
server=$!
for _ in $(seq 100); do [ -s "$scratch/announced" ] && break; sleep 0.1; done

# The database is away for five seconds in the middle; the load is told so.
(
  sleep $((length / 2))
  date +%s%3N >"$scratch/away"
  away fast
  sleep 5
  back
  date +%s%3N >"$scratch/back"
) &

code=0
node benches/soak.mjs "$scratch" "$server" "$length" || code=$?
if [ "$code" != 0 ]; then
  echo "The server's last words:" >&2
  grep -v '"answered"\| INFO ' "$scratch/server.log" | tail -n 20 >&2 || true
fi
exit "$code"
