# Two commands do everything on a fresh machine with Python 3.11 or newer: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
READY := $(VENV)/.ready

.PHONY: run test setup lint bench soak readers clean

run: setup  ## the main job: the whole life of a small model on built-in input
	$(BIN)/smidgen run quickstart

test: setup  ## all checks of a submission
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n 2

setup: $(READY)

# torch first: asked for by another package, the registry's newest build would bring several GB of CUDA along.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install torch==2.13.0
	$(PIP) install --constraint constraints.txt --editable ".[dev,eval,export]"
	touch $@

lint: setup  ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## speed, as ratios measured side by side
	$(BIN)/python benchmarks/training_speed.py
	$(BIN)/python benchmarks/scoring_speed.py

# Version 4 needs an older tokenizers than version 5.
$(VENV)/transformers-4: | $(READY)
	$(BIN)/python -m venv $@.part
	$@.part/bin/python -m pip --disable-pip-version-check --quiet install transformers==4.57.6
	mv $@.part $@

$(VENV)/node: | $(READY)
	if command -v npm > /dev/null; then npm install --silent --prefix $@ @huggingface/tokenizers@0.2.0; fi

readers: $(VENV)/transformers-4 $(VENV)/node  ## other programs that read our tokenizers, for the tests that ask them

soak: setup readers  ## longer runs of the chaos tests
	$(BIN)/python -m pytest -n 2 -m soak --timeout 3600

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
