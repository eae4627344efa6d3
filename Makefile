# Everything that a developer or a pipeline runs. `make run` and `make test` set up what they need.

.PHONY: run test lint schema reference bench dashboard browser postgres wrk clients

# A demonstration: a throwaway database with sample data, in which no session can be deleted yet, served on 127.0.0.1:8080.
run: dashboard
	cargo build --package api
	target/debug/session-admin serve --demo

# All tests, on SQLite and on PostgreSQL, and with the clients' own tools. `cargo test` runs the everyday ones and ignores
# those that take long. Those mostly wait, for other programs and for minutes to pass, so more of them run at once.
test: dashboard browser postgres clients
	cargo test --workspace
	RUST_TEST_THREADS=$$((2 * $$(getconf _NPROCESSORS_ONLN))) cargo test --package api --test it --test skipped -- --ignored

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --document-private-items
	@if command -v cargo-deny >/dev/null; then cargo deny check; \
	  else echo "cargo-deny is not installed (cargo install --locked cargo-deny): dependencies are not checked."; fi

# Prints the GraphQL schema anew; a test compares the file with the code.
schema:
	cargo run --quiet --package api -- schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

# Prints the pages of docs/reference/ that come from the code; the same test compares them otherwise.
reference:
	UPDATE_REFERENCE=1 cargo test --workspace --test it -- is_what_the_code_prints

# Ratios to what is written by hand, on databases of two sizes; a quarter of an hour. BENCH_SIZES=S takes one size,
# BENCH=lists, BENCH=engine or BENCH=runs one part. Its databases are on a disk.
bench: postgres wrk
	TMPDIR=$${TMPDIR:-/tmp} cargo bench --profile dist --package api --bench engine -- $(BENCH)

# $(call install,PACKAGES): where they may be installed; otherwise the tests that want them are skipped, which the last line of
# `make test` reports, and fail with SESSION_ADMIN_TEST_REQUIRE_ALL=1.
install = { sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	  command -v apt-get >/dev/null && $$sudo true && $$sudo apt-get update -q \
	    && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -q -y --no-install-recommends $(1); \
	} || echo "Missing, and could not be installed: $(1). Their tests are skipped."

# GraphiQL, which the program takes in when it is built after this.
dashboard:
	@{ command -v node && command -v npm; } >/dev/null || $(call install,nodejs npm)
	@cd dashboard && { [ node_modules/.package-lock.json -nt package-lock.json ] \
	    || { npm ci --ignore-scripts --no-audit --no-fund && touch node_modules/.package-lock.json; }; } \
	  && { [ -f dist/index.html ] && [ -z "$$(find . \( -name node_modules -o -name dist \) -prune -o -newer dist/index.html -type f -print -quit)" ] \
	    || npm run build; } \
	  || echo "npm could not build dashboard: the program says so at /, and the tests of the page are skipped."

# What the page is tested with.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || $(call install,chromium)

# The tests start a PostgreSQL server of their own and need only its programs.
postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || $(call install,postgresql)

# The linters of the schema, what docs/guide/scripting.md and typescript.md use, the audits of the protocol, the client of
# the sockets, and schemathesis, which makes up operations.
clients:
	@{ command -v curl && command -v jq; } >/dev/null || $(call install,curl jq)
	@{ command -v node && command -v npm; } >/dev/null || $(call install,nodejs npm)
	@cd tests/clients && [ node_modules/.package-lock.json -nt package-lock.json ] \
	  || { npm ci --ignore-scripts --no-audit --no-fund && touch node_modules/.package-lock.json; } \
	  || echo "npm could not install tests/clients: its tests are skipped."
	@command -v python3 >/dev/null && python3 -c 'import ensurepip' 2>/dev/null || $(call install,python3 python3-venv)
	@cd tests/clients/fuzz && [ .venv/installed -nt requirements.txt ] \
	  || { python3 -m venv --clear .venv && .venv/bin/pip install --quiet --disable-pip-version-check --only-binary :all: \
	         --require-hashes --requirement requirements.txt && touch .venv/installed; } \
	  || { rm -rf .venv; echo "pip could not install tests/clients/fuzz (Python 3.11 or newer): its test is skipped."; }

# The load on the lists.
wrk:
	@command -v wrk >/dev/null || $(call install,wrk)
