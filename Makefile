# make run / make test do all the set-up; the rest is for those who change the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
FULL := $(VENV)/.installed-full

.PHONY: run test test-full soak check docs format bench clean
.NOTPARALLEL:

$(STAMP): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(FULL): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[full]'
	@touch $@

run: $(STAMP)
	$(BIN)/toughopt run ./campaign

test: $(STAMP)
	$(BIN)/python -m pytest -n 2

test-full: $(FULL)
	$(BIN)/python -m pytest -n 2 -m full

soak: $(STAMP)
	$(BIN)/python -m pytest -m soak tests/soak

check: $(FULL)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs: $(FULL)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(FULL)
	$(BIN)/python benchmarks/book.py
	for name in geometry slicing gcode streaming virtual_printer; do \
	  $(BIN)/python benchmarks/$$name.py || exit 1; done

clean:
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
