# Everything a person types here is listed by `make help`. The work is done in scripts/.
SHELL = /bin/sh
PY = .venv/bin/python
# Where `make install` puts things; DESTDIR stages them under another root, for packagers.
DESTDIR =
# More arguments for pytest: make test ARGS='-k journal'
ARGS =
# How long `make torture` goes on, the SEED of an earlier run to repeat its faults, and the STORE (memory or postgresql),
# if not both.
MINUTES = 10
SEED =
STORE =
# Named, because a checkout without .git has no .gitignore that would keep build/ out.
SOURCES = agent common master scripts tests bench setup.py

# Modules are compiled when they are first imported (scripts/setup.sh), and not again at each start: also by who
# wants that elsewhere.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL = help
.PHONY: help setup test images torture stores bench bench-quick truth scan demo terminal-demo build-distributed assets lint lock install uninstall clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do \
		printf '  make %-18s %s\n' "$$name" "$$what"; done

setup: ## check this machine and set up .venv with the locked packages
	@scripts/setup.sh

# Quiet inside the other targets: nothing is said when there is nothing to do.
.PHONY: ready
ready:
	@scripts/setup.sh --quiet

# Four processes on two cores: half of the tests' time is spent waiting for a process, a time-out or a heartbeat, and
# tests that wait and tests that compute take turns (tests/conftest.py, docs/decisions/0058).
test: ## all checks: ruff, mypy, bandit, import rules, then every test
	@scripts/setup.sh --check
	@$(MAKE) --no-print-directory --jobs=2 ready tools
	@$(MAKE) --no-print-directory lint CHECKS='$(CHECKS) check-collection'
	@$(PY) -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

# What tests need of the system. Beside `ready` once that has checked the machine: only one of them then asks apt-get.
.PHONY: tools
tools:
	@scripts/setup.sh --tests

torture: ready ## kill masters under load for MINUTES=10, and count what is lost or done twice (STORE=postgresql)
	@scripts/setup.sh --tests
	@$(PY) -m tests.faults.torture --minutes '$(MINUTES)' --seed '$(SEED)' --store '$(STORE)'

stores: ready ## the tests of the rules over each store, all of them (make test has the most important)
	@scripts/setup.sh --tests
	@FFRTMP_TEST_STORES=all $(PY) -m pytest tests/core tests/store/postgresql $(ARGS)

# An hour on two cores; nothing else should run meanwhile.
bench: ready ## measure every row of docs/performance.md beside its baseline, and write that page (ARGS='--only KEY')
	@scripts/setup.sh --bench
	@$(PY) -m bench $(ARGS)

bench-quick: ready ## the same in five minutes, into build/bench: to see that it works (ARGS='--into docs' for that page)
	@scripts/setup.sh --bench
	@$(PY) -m bench --quick --into build/bench $(ARGS)

truth: ready ## compare each reported number with a second measurement of the same run (ARGS='--seconds 30')
	@scripts/setup.sh --tests
	@$(PY) bench/truth.py $(ARGS)

scan: ready ## scan a master's TLS (testssl.sh) and the locked packages (pip-audit), where they are installed
	@$(PY) scripts/scan.py

demo: ready ## a master and two agents on this machine encode the guide's three jobs
	@$(PY) scripts/demo.py

terminal-demo: ready ## record the terminal session that README.md shows
	@scripts/setup.sh --tests
	@$(PY) -m scripts.terminal_demo

build-distributed: ready ## build bin/master, bin/agent and bin/ffrtmp: single files to copy anywhere
	@$(PY) scripts/build.py

assets: ready ## copy the dashboard's libraries from what its package-lock.json names (needs npm)
	@$(PY) scripts/assets.py

images: build-distributed ## container images ffmpeg-rtmp/master and ffmpeg-rtmp/agent (ENGINE=podman, BASE=IMAGE)
	@ENGINE='$(ENGINE)' BASE='$(BASE)' scripts/images.sh

# Two at a time, the longest first; what each says comes in one piece.
lint: ready ## ruff, mypy, bandit and the import rules only
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target $(CHECKS)

CHECKS = check-types check-security check-style check-imports
.PHONY: $(CHECKS) check-collection
check-types:
	@$(PY) -m mypy
check-security:
	@$(PY) -m bandit -q -c bandit.yaml -r agent common master scripts
check-style:
	@$(PY) -m ruff check $(SOURCES)
	@$(PY) -m ruff format --check $(SOURCES) || { echo 'Not formatted; run: $(PY) -m ruff format $(SOURCES)' >&2; exit 1; }
check-imports:
	@.venv/bin/lint-imports
# What has to be compiled for this, each process of a run would compile for itself.
check-collection:
	@said=$$($(PY) -m pytest --collect-only -qq -p no:cacheprovider 2>&1) || { echo "$$said" | tail -n 40 >&2; exit 1; }

lock: ## pin the newest versions that setup.cfg allows in constraints.txt
	@scripts/lock.sh

install: build-distributed ## as root: binaries to /opt/ffmpeg-rtmp, systemd units, settings, users
	@DESTDIR='$(DESTDIR)' scripts/install.sh install

uninstall: ## as root: remove what install put there; state and settings are kept
	@DESTDIR='$(DESTDIR)' scripts/install.sh uninstall

clean: ## remove everything that was built or downloaded here
	@rm -rf .venv bin build demo-output *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
