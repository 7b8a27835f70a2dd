# Every target creates the virtual environment and installs what it needs: `demo` the program alone.
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
PROGRAM := $(VENV)/.program-installed
TOOLS   := $(VENV)/.tools-installed
PIP     := $(BIN)/python -m pip --disable-pip-version-check
LOCK     = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --python-version 3.11 --upgrade

# Tests start hundreds of processes: each would compile the exporter again where this is set.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test test-fast lint format docs bench screenshots dist chart lock sbom audit clean

demo: $(PROGRAM)  ## stand-in WeChat and the exporter in one process, no credentials
	@$(BIN)/python -m exporter demo $(ARGS)

test: $(TOOLS)  ## all tests with coverage; installs the real programs where it can
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh tests/run.sh $(ARGS)

test-fast: $(TOOLS)  ## the tests that start no real program
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile -m 'not real' --hypothesis-profile=fast $(ARGS)

lint: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(TOOLS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(TOOLS)  ## write the generated pages, dashboards and rules
	$(BIN)/python -m docs.generate
	$(BIN)/python -m grafana
	$(BIN)/python -m prometheus

bench: $(TOOLS)
	$(BIN)/python -m benchmarks $(ARGS)

screenshots: $(TOOLS)  ## the pictures of README, by Chromium
	$(BIN)/python -m docs.screenshots

dist: $(TOOLS)  ## wheel and sdist in dist/, the same bytes wherever they are built
	$(PIP) install --quiet 'twine>=6,<8' 'pyroma>=5,<6'
	rm -rf dist
	$(BIN)/python -m hatchling build
	$(BIN)/twine check --strict dist/*
	$(BIN)/pyroma --min 10 --skip-tests AuthorEmail --file dist/*.tar.gz
	cd dist && sha256sum * > SHA256SUMS

chart: $(TOOLS)  ## the Helm chart as dist/wechat-miniprogram-exporter-VERSION.tgz
	mkdir -p dist
	$(BIN)/python -c 'from helm_python.chart import package; print(package("deploy/helm/wechat-miniprogram-exporter", destination="dist"))'

lock: $(TOOLS)  ## pin the image's requirements, every file by its hash
	$(LOCK) pyproject.toml --extra redis --extra third-party --output-file requirements/run.txt
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(LOCK) - --output-file requirements/build.txt

sbom: $(TOOLS)  ## what is in the image, as CycloneDX: sbom.cdx.json
	$(PIP) install --quiet 'cyclonedx-bom>=7,<8'
	$(BIN)/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --mc-type application \
		--output-reproducible --of JSON --output-file sbom.cdx.json

audit: $(TOOLS)  ## known vulnerabilities of what is in the image
	$(PIP) install --quiet 'pip-audit>=2.9,<3'
	$(BIN)/pip-audit --requirement requirements/run.txt --require-hashes --disable-pip

clean:
	rm -rf $(VENV) build dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(PROGRAM): pyproject.toml
	@$(PYTHON) -m venv $(VENV)
	@echo "installing the program into $(VENV) …"
	@$(PIP) install --quiet --editable .
	@touch $@

$(TOOLS): $(PROGRAM)
	@echo "installing the development tools into $(VENV) …"
	@$(PIP) install --quiet --editable '.[dev]'
	@touch $@
