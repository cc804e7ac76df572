# `make` runs everything and prints the verdicts; `make test` runs the tests; `make lint` runs the linters; `make
# test-long` runs the tiny pipeline end to end and repeats tests over many more cases; `make samples` makes the figures'
# sample tables anew; `make accept` accepts this run's verdicts; `make release` writes the archive that runs without a
# network.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready-$(shell cksum pyproject.toml constraints.txt 2>/dev/null | cksum | cut -d' ' -f1)

.DELETE_ON_ERROR:
.PHONY: all test test-long lint samples accept release setup
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

all: setup
	$(RUN) snakemake
	@$(BIN)/jouleproof claims show

test: setup
	$(RUN) pytest -m "not long" --durations=10

test-long: setup
	$(RUN) pytest -m long --durations=10

lint: setup
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) snakefmt --check Snakefile workflows
	$(RUN) python workflows/lint.py

samples: setup
	$(BIN)/python -m tests.figures.make_samples

accept: all
	$(BIN)/jouleproof claims accept

release: setup
	$(BIN)/python workflows/release.py

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11 to 3.13 is needed; name one with: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "Python's venv module is needed (Debian: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@echo "installing the pinned dependencies (2 to 5 minutes)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt setuptools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  --no-build-isolation --editable '.[test]'
	@rm -f .venv/ready-*
	@touch $@
