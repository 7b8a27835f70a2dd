# Every target makes its own virtual environment and installs what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
LOCK    = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --python-version 3.11 --upgrade

.PHONY: demo test lint format docs bench lock sbom audit clean

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

lock: $(STAMP)  ## pin the image's requirements anew, every file by its hash
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	$(LOCK) pyproject.toml --extra redis --extra third-party --output-file requirements/run.txt
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(LOCK) - --output-file requirements/build.txt

sbom: $(STAMP)  ## what is in the image, as CycloneDX: sbom.cdx.json
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7,<8'
	$(BIN)/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --mc-type application \
		--output-reproducible --of JSON --output-file sbom.cdx.json

audit: $(STAMP)  ## known vulnerabilities of what is in the image
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3'
	$(BIN)/pip-audit --requirement requirements/run.txt --require-hashes --disable-pip

clean:
	rm -rf $(VENV) build dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(STAMP): pyproject.toml
	@$(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)
