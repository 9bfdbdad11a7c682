# Verbs of the house. `make help` lists them.
# Everything runs from .venv, which `make setup` builds from requirements.txt (every pin, hashed).

PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
export MLFLOW_TRACKING_URI ?= sqlite:///$(CURDIR)/mlflow.db
export MLFLOW_DISABLE_TELEMETRY = true
export DO_NOT_TRACK = true
export DVC_NO_ANALYTICS = 1
PORT ?= 5000
ARGS ?=

.PHONY: help setup repro lab test lint bench ui lock
.DEFAULT_GOAL := help

help:   ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.ready  ## build .venv from the pinned requirements (once, and after a change of pins)

repro: setup  ## run the main job: draw, train, record, decode, figures; skip what is up to date
	python -m projects.pipeline gmf_decoding $(ARGS)

lab: setup  ## run every experiment; skip what is up to date
	python -m projects.pipeline $(ARGS)

test: setup  ## run the tests
	python -m pytest $(ARGS)

lint: setup  ## check style
	ruff check . && ruff format --check .

bench: setup .bench/.ready  ## compare speed and results with the peers; ARGS names benchmarks
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 .bench/bin/python -m benchmarks $(ARGS)

ui: setup  ## look at the runs in the browser
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false MLFLOW_MODEL_CATALOG_URI= mlflow server \
		--backend-store-uri "$(MLFLOW_TRACKING_URI)" --host 127.0.0.1 --port $(PORT) --workers 1

lock:   ## resolve requirements.in anew into requirements.txt
	uv pip compile --universal --python-version 3.11 --no-header --generate-hashes \
		--no-emit-index-url --annotation-style line requirements.in -o requirements.txt

# The peers' own environment looks into .venv for all that they share, torch above all.
.bench/.ready: benchmarks/requirements.txt .venv/.ready
	@echo "setting up .bench: the peers"
	rm -rf .bench && $(BIN)/python -m venv --without-pip .bench
	shared=$$($(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))"); \
	own=$$(.bench/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))"); \
	echo "import site; site.addsitedir('$$shared')" > $$own/shared.pth
	-sed 's/ *#.*//' benchmarks/requirements.txt | VIRTUAL_ENV=$(CURDIR)/.bench \
		xargs -n 1 $(BIN)/uv pip install --quiet --system-certs --no-deps
	touch $@

.venv/.ready: requirements.txt $(wildcard packages/*/pyproject.toml)
	@echo "setting up .venv: some minutes the first time"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --system-certs --compile-bytecode --require-hashes -r requirements.txt
	VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --system-certs --no-deps --no-build-isolation \
		$(foreach package,$(wildcard packages/*),--editable $(package))
	touch $@
