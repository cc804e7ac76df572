# `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready-$(shell cksum pyproject.toml constraints.txt 2>/dev/null | cksum | cut -d' ' -f1)

.DELETE_ON_ERROR:
.PHONY: all help test test-long lint samples accept release setup
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

all: setup  ## run everything and print the verdicts (15 to 30 minutes on two cores)
	$(RUN) snakemake
	@$(BIN)/jouleproof claims show

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-18s%s\n", "make " $$1, $$2}' Makefile

test: setup  ## quick tests, parts of the pipeline, jobs through Slurm where it is installed
	$(RUN) pytest -m "not long" --durations=10

test-long: setup  ## the tiny pipeline end to end, and tests over many more cases
	$(RUN) pytest -m long --durations=10

lint: setup  ## ruff, mypy, import-linter, snakefmt, workflows/lint.py
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) snakefmt --check Snakefile workflows
	$(RUN) python workflows/lint.py

samples: setup  ## regenerate the figures' sample tables for the tests
	$(BIN)/python -m tests.figures.make_samples

accept: all  ## accept this run's verdicts; update README, docs and the overview
	$(BIN)/jouleproof claims accept

release: setup  ## write the archive that installs and runs without a network
	$(BIN)/python workflows/release.py

setup: $(READY)  ## install the pinned dependencies into .venv

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
