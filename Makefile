# Two commands do everything: `make demo` and `make test`. They need Python 3.11 or newer, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: demo test lint types bench torture clean

demo: $(READY)
	$(BIN)/newsletter demo demo

test: $(READY) lint types
	$(BIN)/pytest -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks

# TORTURE="--provider resend --recipients 20000 --kills 100 --seed 7"
torture: $(READY)
	$(BIN)/python -m tests.torture $(TORTURE)

clean:
	rm -rf .venv demo

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)
