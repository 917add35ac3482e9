# `make demo` shows it, `make test` proves it, `make lint` keeps it tidy, `make bench` measures it, `make soak` kills it.

CARGO ?= cargo

.PHONY: demo test packages lint bench bench-nats soak deny deb

demo:
	$(CARGO) run --release -- demo

test: packages
	$(CARGO) test --workspace --locked
	CARGO=$(CARGO) tests/own-main/check

packages:
	tests/install-packages

lint: deny
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

# Licences, duplicate crates, and who may depend on whom. The advisory database is not asked: it needs the
# network, and the gate must not depend on it.
deny:
	command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check licenses bans sources

bench:
	$(CARGO) bench --workspace --locked

# Collectors and workers on a nats-server; the numbers of docs/scaling.md.
bench-nats: packages
	$(CARGO) bench --locked --bench nats

# A Debian package in target/debian, with manual pages and completions.
deb:
	command -v cargo-deb >/dev/null || $(CARGO) install --locked cargo-deb
	$(CARGO) build --profile dist --locked
	target/dist/herald man target/package/man
	target/dist/herald completions bash > target/package/herald.bash
	target/dist/herald completions zsh > target/package/_herald
	target/dist/herald completions fish > target/package/herald.fish
	$(CARGO) deb --no-build --profile dist

# Fifty kills at random moments under load, of each sort; `make test` does a few.
soak:
	HERALD_SOAK_KILLS=50 $(CARGO) test --release --locked --test integration soak -- --nocapture
