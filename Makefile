# make demo   the main job on real input, from nothing
# make test   everything that CI checks
# make bench  times beside other tools, in one run
# make gen    write the generated files again (schemas, action.yml, reference)
# make lock   resolve the locked requirements again

PYTHON ?= python3
VENV   ?= .venv
BUILD  := .build
BIN    := $(CURDIR)/$(VENV)/bin

.PHONY: demo test lint fast gen bench lock clean
.DELETE_ON_ERROR:

# One environment for demo and tests: the locked requirements and this checkout.
$(VENV)/.installed: requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("mlops-action needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(VENV)/bin/python -m bash_kernel.install --sys-prefix >/dev/null
	XDG_DATA_HOME=$(CURDIR)/$(VENV)/share $(VENV)/bin/deno jupyter --install --force 2>/dev/null
	@touch $@

demo: $(VENV)/.installed
	@rm -rf $(BUILD)/demo && mkdir -p $(BUILD)/demo
	@PATH="$(BIN):$$PATH" examples/breast-cancer/demo.sh $(BUILD)/demo/project

test: lint fast
	$(BIN)/python -m pytest -q -m "kernel or container or slow or browser"

fast: $(VENV)/.installed
	$(BIN)/python -m pytest -q -m "not kernel and not container and not slow and not browser"

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m mlops_action.generated --check

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/notebooks.py --rounds 5

gen: $(VENV)/.installed
	$(BIN)/python -m mlops_action.generated

lock: $(VENV)/.installed
	@for target in "--extra texts:requirements.lock" "--extra kernel --extra container --extra texts:requirements-image.lock" \
	  "--extra kernel --extra container --extra data --extra texts --group test examples/breast-cancer/requirements.txt:requirements-dev.lock"; do \
	  $(BIN)/uv pip compile --quiet pyproject.toml $${target%:*} --generate-hashes --universal \
	    --python-version 3.11 --no-header --upgrade --output-file $${target##*:} || exit 1; \
	done

clean:
	rm -rf $(VENV) $(BUILD) .pytest_cache .mypy_cache .ruff_cache
