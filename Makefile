# Every target makes its own virtual environment and installs what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: demo test lint format docs bench clean

demo: $(STAMP)  ## stand-in WeChat and the exporter in one process, no credentials
	@$(BIN)/python -m exporter demo $(ARGS)

test: $(STAMP)  ## all tests with coverage; installs the real programs where it can
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh tests/run.sh $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)  ## write the generated pages of docs/ anew
	$(BIN)/python -m docs.generate
	$(BIN)/python -m grafana
	$(BIN)/python -m prometheus

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(STAMP): pyproject.toml
	@$(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)
