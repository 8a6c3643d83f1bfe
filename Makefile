# Short names for what CONTRIBUTING.md describes; `bash .ci/run` needs nothing installed.
python := .venv/bin/python

.PHONY: all test fast lint types docs proofs bench

all: lint types docs test

.venv:
	python3 -m venv .venv
	.venv/bin/pip install -q -r requirements-dev.txt

test: .venv
	$(python) -m pytest

# Without the modules that start many processes or wait for real clocks.
fast: .venv
	$(python) -m pytest -m "not long and not slow"

lint: .venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/codespell

types: .venv
	.venv/bin/mypy

docs: .venv
	.venv/bin/mkdocs build --quiet --strict

# Each takes up to ten minutes; the one with hosts of its own needs root: see CONTRIBUTING.md.
proofs: .venv
	$(python) -m tests.proofs kills
	$(python) -m tests.proofs faults
	$(python) -m tests.proofs nights

bench: .venv
	.venv/bin/pip install -q -r benchmarks/requirements.txt
	$(python) -m benchmarks.contest --scenario fresh-3000
