# `make demo` shows it, `make test` proves it, `make lint` keeps it tidy, `make bench` measures it, `make soak` kills it.

CARGO ?= cargo

.PHONY: demo test packages lint bench soak deny

demo:
	$(CARGO) run --release -- demo

test: packages
	$(CARGO) test --workspace --locked

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

# Fifty kills at random moments under load; `make test` does a few.
soak:
	HERALD_SOAK_KILLS=50 $(CARGO) test --release --locked --test integration soak -- --nocapture
