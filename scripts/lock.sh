#!/bin/sh
# Writes constraints.txt: the newest versions that setup.cfg allows, pinned exactly.
# They are resolved for the oldest supported Python, so that what only that one needs is pinned too.
set -eu

cd "$(dirname "$0")/.."
python=$(command -v python3.11 || command -v python3)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m venv "$work/venv"
"$python" - >"$work/requirements.txt" <<'PYTHON'
import configparser

config = configparser.ConfigParser()
config.read("setup.cfg", encoding="utf-8")
for text in (config["options"]["install_requires"], *config["options.extras_require"].values()):
    print("\n".join(line for line in text.splitlines() if line and not line.startswith("#")))
PYTHON
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade \
    --requirement "$work/requirements.txt"
{
    echo "# Made by 'make lock' from setup.cfg; not edited by hand."
    # setuptools is listed although it builds packages: it builds ours.
    "$work/venv/bin/python" -m pip freeze --disable-pip-version-check --all | grep -v '^pip=='
} >"$work/constraints.txt"
mv "$work/constraints.txt" constraints.txt
chmod 644 constraints.txt
echo "constraints.txt: $(grep -c == constraints.txt) packages pinned. Run make test before it is committed."
