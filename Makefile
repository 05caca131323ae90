# `make run` and `make test` are all that a newcomer needs. Both set up what they need first, from requirements.lock.

PYTHON ?= python3
UV_VERSION := 0.13.8

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Every process of Lineside starts in a third of the time when Python may keep what it compiled; containers often forbid
# it, where it would be lost with the container.
unexport PYTHONDONTWRITEBYTECODE

heading = @printf '\n== %s\n' '$(1)'

.PHONY: run test quick lock
.DEFAULT_GOAL := run

run: $(READY)
	@$(BIN)/lineside demo

test: $(READY)
	$(call heading,ruff: faults and form)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	$(call heading,mypy: types)
	@$(BIN)/mypy
	$(call heading,import-linter: arrows)
	@$(BIN)/lint-imports
	$(call heading,pytest: promises)
	@$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder

# The same without what needs a database server, a broker, the ERP or a browser, and without what is slow by itself.
quick: $(READY)
	$(call heading,ruff: faults and form)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	$(call heading,mypy: types)
	@$(BIN)/mypy
	$(call heading,import-linter: arrows)
	@$(BIN)/lint-imports
	$(call heading,pytest: promises that need no service)
	@$(BIN)/python -m pytest -m 'not services and not slow' -n 2

# Newest versions that pyproject.toml allows, each with its hashes, for every platform.
lock: $(READY)
	@$(BIN)/uv pip compile pyproject.toml --extra bench --extra dev --extra parquet --extra tryton --output-file requirements.lock --upgrade --quiet \
	  --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

# uv installs in seconds; where it cannot reach the packages that pip is configured for, pip does the same slowly. Nothing
# is compiled beforehand: that takes twice as long as compiling what is used, once, by the process that all others are
# forked from.
# The checkout itself is put on the path instead of being built: nothing is fetched for it, and edits count at once.
$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Lineside needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 run'; exit 2; }
	@test -x $(BIN)/python || { echo 'Making $(VENV) ...'; $(PYTHON) -m venv --clear $(VENV); } || \
	  { rm -rf $(VENV); echo 'This Python has no venv (on Debian: apt-get install python3-venv).'; exit 2; }
	@echo 'Installing what requirements.lock names ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)' || true
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -c 'import pathlib, sysconfig; \
	  pathlib.Path(sysconfig.get_path("purelib"), "lineside.pth").write_text("$(CURDIR)\n")'
	@printf '#!/bin/sh\nexec "%s" -P -m app.cli "$$@"\n' '$(CURDIR)/$(BIN)/python' > $(BIN)/lineside
	@chmod +x $(BIN)/lineside
	@touch $(READY)
