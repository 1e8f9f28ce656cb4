# Two commands do everything: `make demo` and `make test`. They need Python 3.11 or newer, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: demo test lint types bench torture audit clean

demo: $(READY)
	$(BIN)/newsletter demo demo

test: $(READY) lint types
	$(BIN)/pytest -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive newsletter

types: $(READY)
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks

# TORTURE="--provider resend --recipients 20000 --kills 100 --seed 7"
torture: $(READY)
	$(BIN)/python -m tests.torture $(TORTURE)

# Asks PyPI for known weaknesses of the pinned libraries.
audit: $(READY)
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

clean:
	rm -rf .venv demo

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)
