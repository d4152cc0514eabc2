#!/bin/sh
# Runs the tests of the images. Their base is made of Debian's packages, by debootstrap, unless BASE names an image.
set -eu

cd "$(dirname "$0")/.."
ENGINE=${ENGINE-podman}
BASE=${BASE-}

if [ -z "$BASE" ]; then
    BASE=localhost/ffmpeg-rtmp-test-base
    if ! "$ENGINE" image inspect "$BASE" >/dev/null 2>&1; then
        command -v debootstrap >/dev/null || { echo "debootstrap is missing: sudo apt-get install debootstrap" >&2; exit 1; }
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        debootstrap --variant=minbase --include=python3,bubblewrap bookworm "$work/root" >"$work/log" || { tail "$work/log" >&2; exit 1; }
        rm -rf "$work/root/var/cache/apt/archives"/*
        tar -C "$work/root" -cf - . | "$ENGINE" import - "$BASE" >/dev/null
    fi
fi
ENGINE=$ENGINE BASE=$BASE FFRTMP_TEST_IMAGES=1 .venv/bin/python -m pytest tests/packaging/test_images.py "$@"
