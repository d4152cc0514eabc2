#!/bin/sh
# Prints an engine that runs containers here, and an image to build on, for the tests of our images. Exit status 1, with
# the reason, where there is none. Nothing is kept but that image.
#
#   scripts/test_base.sh PYTHON
#     PYTHON  the version that builds the binaries (3.11): the base must have the same
#
# ENGINE and BASE choose. Without BASE it is the Dockerfiles' own; where that cannot be had, one is made of Debian's
# packages, as root.
set -eu

python=$1
ENGINE=${ENGINE-}
BASE=${BASE-}
usual=python:3.11-slim
ours=localhost/ffmpeg-rtmp-test-base

fail() { echo "$*" >&2; exit 1; }
has() { "$ENGINE" image inspect "$1" >/dev/null 2>&1; }

if [ -z "$ENGINE" ]; then
    for each in docker podman; do
        if "$each" info >/dev/null 2>&1; then ENGINE=$each; break; fi
    done
fi
[ -n "$ENGINE" ] || fail "no docker (with its daemon) or podman runs here"
"$ENGINE" info >/dev/null 2>&1 || fail "$ENGINE does not answer here"

made_of_packages() {
    [ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null || return 1
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    timeout 300 debootstrap --variant=minbase --include=python3,bubblewrap bookworm "$work/root" >/dev/null 2>&1 || return 1
    rm -rf "$work/root/var/cache/apt/archives"/*
    tar -C "$work/root" -cf - . | "$ENGINE" import - "$ours" >/dev/null 2>&1
}

if [ -z "$BASE" ]; then
    if has "$usual"; then BASE=$usual
    elif has "$ours"; then BASE=$ours
    elif timeout 60 "$ENGINE" pull "$usual" >/dev/null 2>&1; then BASE=$usual
    elif made_of_packages; then BASE=$ours
    else fail "no base image: $usual cannot be pulled, nor one be made by debootstrap (BASE names another)"
    fi
fi

version='import sys; print("%d.%d" % sys.version_info[:2])'
said=$(timeout 60 "$ENGINE" run --rm "$BASE" python3 -c "$version" 2>&1) || fail "$ENGINE runs no container here: $said"
[ "$said" = "$python" ] || fail "the binaries need Python $python, and $BASE has $said"
# As the agent's Dockerfile does it; without a network apt-get only warns, if it is not told.
bwrap='command -v bwrap || apt-get update -o APT::Update::Error-Mode=any'
timeout 120 "$ENGINE" run --rm "$BASE" sh -c "$bwrap" >/dev/null 2>&1 || fail "$BASE has no bubblewrap, and cannot fetch it"
echo "$ENGINE $BASE"
