#!/bin/sh
# Builds the images ffmpeg-rtmp/master and ffmpeg-rtmp/agent from bin/, by docker, podman or buildah.
# ENGINE names one of them, BASE another image to build on, OPTIONS more flags for its build.
set -eu

cd "$(dirname "$0")/.."
ENGINE=${ENGINE-}
BASE=${BASE-}

works() {
    case $1 in
        docker) docker info >/dev/null 2>&1 ;;   # a client alone builds nothing
        *) command -v "$1" >/dev/null ;;
    esac
}

if [ -z "$ENGINE" ]; then
    for each in docker podman buildah; do
        if works "$each"; then ENGINE=$each; break; fi
    done
fi
[ -n "$ENGINE" ] || {
    echo "No docker (with its daemon), podman or buildah is here; install one of them." >&2
    exit 1
}
for part in master agent; do
    [ -x "bin/$part" ] || { echo "bin/$part is not there; type: make images" >&2; exit 1; }
done

for part in master agent; do
    set -- --file "deploy/docker/$part.Dockerfile" --tag "ffmpeg-rtmp/$part"
    [ -z "$BASE" ] || set -- "$@" --build-arg "BASE=$BASE"
    # The other format of images has no health checks.
    [ "$ENGINE" = docker ] || set -- "$@" --format docker
    # shellcheck disable=SC2086 # flags, with blanks between
    "$ENGINE" build ${OPTIONS-} "$@" .
done
echo "Built by $ENGINE: ffmpeg-rtmp/master and ffmpeg-rtmp/agent."
