# Everything that a developer or a pipeline runs. `make run` and `make test` set up what they need.

.PHONY: run test lint schema bench postgres

# A demonstration: a throwaway database that holds a deployment in trouble, served on 127.0.0.1:8080.
run:
	cargo build --package api
	target/debug/session-admin serve --demo

# All tests, on SQLite and on PostgreSQL.
test: postgres
	cargo test --workspace

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --document-private-items

# Prints the GraphQL schema anew; a test compares the file with the code.
schema:
	cargo run --quiet --package api -- schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

# Ratios to hand-written SQL, on databases of two sizes; ten minutes. BENCH_SIZES=S takes one.
bench: postgres
	cargo bench --package api --bench engine

# The tests start a PostgreSQL server of their own and need only its programs. Where they are missing and may not be
# installed, the tests on PostgreSQL say so and pass, unless SESSION_ADMIN_TEST_REQUIRE_ALL=1.
postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	  command -v apt-get >/dev/null && $$sudo true && $$sudo apt-get update -q \
	    && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -q -y --no-install-recommends postgresql; \
	} || echo "PostgreSQL is missing and could not be installed: its tests are skipped."
