# What a developer types. Everything lives in .venv; `make clean` takes it away.

.DEFAULT_GOAL := help
.PHONY: help setup compiled lock docs check test demo demo-cli image bench clean

BIN := .venv/bin
UV_VERSION := 0.13.9
# A tool beside the environment: `uv pip sync` would take itself out of the one that it fills.
UV := .venv/uv/bin/uv
UV_READY := .venv/uv/ready-$(UV_VERSION)

# The first that runs and is new enough; `make setup PYTHON=/path/to/python` takes another.
PYTHON = $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys._base_executable)' \
	2>/dev/null && break; done)

help:
	@echo 'make setup   the environment in .venv, with the pachops command: .venv/bin/pachops'
	@echo 'make test    all checks and all tests; ARGS="-k word" chooses'
	@echo 'make check   lint, format and types'
	@echo 'make demo    the whole story, with Slack and GitHub, on this machine; ONCE=1 ends by itself'
	@echo 'make demo-cli  the main job at the command line, from commit to pipeline'
	@echo 'make image   our own image: built by a deployment, started, healthy'
	@echo 'make bench   how fast and how big, against doing it by hand'
	@echo 'make lock    requirements.lock from pyproject.toml'
	@echo 'make clean   take away what these made here'

setup: .venv/ready

.venv/ready: $(UV_READY) pyproject.toml requirements.lock
	@$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements.lock
	@$(UV) pip install --quiet --no-deps --python $(BIN)/python --editable .
	@touch $@
	@echo 'Ready: $(BIN)/pachops'

$(UV_READY):
	@test "$$('$(PYTHON)' -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null)" = True \
		|| { echo 'pachops needs Python 3.11 or newer.' \
		'Install it, or name one: make setup PYTHON=/path/to/python' >&2; exit 1; }
	@$(call ensure_venv,$(PYTHON))
	@echo 'Setting up .venv with $(PYTHON) ...'
	@'$(PYTHON)' -m venv --clear --without-pip .venv
	@'$(PYTHON)' -m venv .venv/uv
	@.venv/uv/bin/pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'
	@touch $@

# Debian keeps what `venv` needs in a package of its own.
define ensure_venv
'$(1)' -c 'import ensurepip, venv' 2>/dev/null || { \
	package="$$('$(1)' -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"; \
	if command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		echo "Installing $$package ..."; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get install -qqy --no-install-recommends "$$package" >/dev/null 2>&1 \
		|| { apt-get update -qq && apt-get install -qqy --no-install-recommends "$$package" >/dev/null; }; \
	else \
		echo "Python's venv module is not complete. On Debian, as root: apt-get install $$package" >&2; \
		exit 1; \
	fi; \
}
endef

# As in a wheel that pip has installed; where PYTHONDONTWRITEBYTECODE is set, each start would compile.
compiled: setup
	@$(BIN)/python -m compileall -q bot handlers

docs: setup
	$(BIN)/python -m docs.generate

lock: $(UV_READY)
	$(UV) pip compile pyproject.toml --group dev --universal --generate-hashes --no-header --quiet \
		--python $(BIN)/python --output-file requirements.lock

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p bot -p handlers -p tests -p examples -p benchmarks

test: check compiled
	$(BIN)/python -m pytest --numprocesses=3 --dist=loadgroup $(ARGS)

demo: compiled
	@ONCE='$(ONCE)' $(BIN)/python -m examples.demo

demo-cli: compiled
	@$(BIN)/python -m examples.demo_cli

image: compiled
	@$(BIN)/python -m examples.own_image

bench: compiled
	@$(BIN)/python -m benchmarks.bench

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
