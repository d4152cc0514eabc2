#!/bin/sh
# Makes this checkout ready: checks the machine, then keeps .venv at the locked versions.
# It is quick when nothing changed. All it says goes to stderr, because the output of
# the commands that need it (make build-distributed) is promised word by word.
#
#   scripts/setup.sh [--check | --quiet | --tests | --bench]
#     --check  only check (and, as root, install) what comes from the system
#     --quiet  say nothing if there was nothing to do
#     --tests  only install, as root, what tests inject faults with; without it they are skipped
#     --bench  only install, as root, what the benchmark compares with; without it those rows say so
#
# What the farm is better with (bubblewrap) is installed too, as root; others are advised once.
set -eu

cd "$(dirname "$0")/.."
root=$(pwd)
venv=$root/.venv
mode=${1-}
supported='Supported: Linux on x86-64 and arm64, Python 3.11 and up.'
required='jq curl'
better_with='bwrap:bubblewrap'  # command, and its package where that has another name
for_tests='strace zsh fish mkfs.ext4:e2fsprogs ip:iproute2 chromium chromium-headless-shell npm nginx:libnginx-mod-rtmp /usr/bin/time:time pg_ctlcluster:postgresql'
for_bench='redis-server'
newer_pythons='3.15 3.14 3.13 3.12 3.11'

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

check_platform() {
    system=$(uname -s) machine=$(uname -m)
    case $system/$machine in
        Linux/x86_64 | Linux/aarch64 | Linux/arm64) ;;
        *) fail "ffmpeg-rtmp does not run on $system on $machine. $supported" ;;
    esac
}

new_enough() {
    # Runs it: a name on PATH may be a version manager's empty promise.
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    # Sets `python`: python3, or the newest python3.N if python3 is too old; '' for none. An
    # environment that works keeps its own, whatever PATH says today (sudo has another).
    python=
    for candidate in "$venv/bin/python" python3 $(printf 'python%s ' $newer_pythons); do
        if have "$candidate" && new_enough "$candidate"; then
            python=$(command -v "$candidate")
            return
        fi
    done
}

find_missing() {
    # Sets `missing`: Debian packages to install.
    missing=
    for command in $required; do
        have "$command" || missing="$missing $command"
    done
    find_python
    if [ -z "$python" ]; then
        missing="$missing $(python_packages)"
    elif ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        missing="$missing $("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    missing=${missing# }
}

python_packages() {
    # Debian 12 and later: python3 is new enough. Older ones and Ubuntu 22.04 may have it under another name.
    case $(apt-cache show --no-all-versions python3 2>/dev/null | sed -n 's/^Version: //p') in
        3.[0-9].* | 3.10.*)
            for version in $newer_pythons; do
                if apt-cache show "python$version-venv" >/dev/null 2>&1; then
                    echo "python$version python$version-venv"
                    return
                fi
            done ;;
    esac
    echo 'python3 python3-venv'
}

install_missing() {
    log=$(mktemp)
    say "Installing Debian packages: $missing"
    # shellcheck disable=SC2086 # the packages are words of their own
    if ! { apt-get update && find_missing &&
           apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install: $missing. What it said is above; when that is put right, run make again."
    fi
    rm -f "$log"
    find_missing
    [ -z "$missing" ] || fail "Still missing after apt-get: $missing. $supported"
}

check_system_packages() {
    find_missing
    [ -n "$missing" ] || return 0
    if ! have apt-get; then
        fail "Missing on this system (Debian's names): $missing. Install them, then run make again. $supported"
    elif [ "$(id -u)" != 0 ]; then
        say "Missing Debian packages: $missing. Install them with this command, then run make again:"
        fail "    sudo apt-get install -y $missing"
    fi
    export DEBIAN_FRONTEND=noninteractive
    install_missing
}

install_where_missing() {
    # TOOLS WHAT-FOR: installs, as root, those that are missing; sets `missing` to what still is.
    find_missing_of "$1"
    if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && have apt-get; then
        say "Installing Debian packages for $2: $missing"
        # shellcheck disable=SC2086 # the packages are words of their own
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
            >/dev/null 2>&1 </dev/null || true
        find_missing_of "$1"
    fi
}

find_missing_of() {
    missing=
    for tool in $1; do
        PATH=$PATH:/usr/sbin:/sbin have "${tool%%:*}" || missing="$missing ${tool##*:}"
    done
    missing=${missing# }
}

without_services() {
    # Runs a command in which Debian must start no service: the tests start what they need themselves.
    policy=${POLICY_RC_D-/usr/sbin/policy-rc.d}  # another place is for the tests of this script
    if [ -n "$new" ] && [ "$(id -u)" = 0 ] && have apt-get && [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT INT TERM
        "$@"
        rm -f "$policy"
        trap - EXIT INT TERM
    else
        "$@"
    fi
}

bring_prometheus() {
    # Debian's package, unpacked and not installed: that would start a server on this machine and add a user.
    have promtool || [ -x build/prometheus/usr/bin/promtool ] || ! have apt-get || ! have dpkg-deb && return
    place=$(mktemp -d)
    if (cd "$place" && apt-get download prometheus) >/dev/null 2>&1; then
        mkdir -p build/prometheus && dpkg-deb -x "$place"/prometheus_*.deb build/prometheus
    else
        say "Prometheus could not be downloaded; the tests that need promtool say so."
    fi
    rm -rf "$place"
}

without_cluster() {
    # PostgreSQL is wanted for its programs: Debian must make no database of its own here. The tests make theirs.
    settings=/etc/postgresql-common/createcluster.d
    find_missing_of pg_ctlcluster
    [ -n "$missing" ] && [ "$(id -u)" = 0 ] && have apt-get || return 0
    mkdir -p "$settings" && echo 'create_main_cluster = false' >"$settings/ffmpeg-rtmp.conf"
}

install_for_tests() {
    without_cluster
    find_missing_of nginx
    new=$missing
    without_services install_where_missing "$for_tests $better_with" 'the tests'
    # Nor at the next start of the machine.
    [ -z "$new" ] || ! have deb-systemd-helper || deb-systemd-helper disable nginx.service >/dev/null 2>&1 || true
    [ -z "$missing" ] || [ "$(id -u)" != 0 ] || say "Still missing: $missing; the tests that need them say so."
    # The player that ladders are tried in: exactly what the lock file names, and none of its scripts is run.
    if have npm && ! cmp -s tests/player/package-lock.json tests/player/node_modules/installed-lock.json; then
        npm ci --prefix tests/player --ignore-scripts --no-audit --no-fund --loglevel=error >&2 &&
            cp tests/player/package-lock.json tests/player/node_modules/installed-lock.json ||
            say "hls.js and axe-core could not be installed; the tests that need them say so."
    fi
    bring_prometheus
    # The dashboard's libraries, to compare the committed ones with.
    ! have npm || python3 scripts/assets.py --only-fetch || true
}

install_for_bench() {
    find_missing_of redis-server
    new=$missing
    without_services install_where_missing "$for_bench" 'the benchmark'
    [ -z "$new" ] || ! have deb-systemd-helper || deb-systemd-helper disable redis-server.service >/dev/null 2>&1 || true
    [ -z "$missing" ] || say "Missing for some rows of the benchmark: $missing (sudo apt-get install -y $missing)."
}

install_better_with() {
    install_where_missing "$better_with" 'the sandbox of ffmpeg'
    [ -z "$missing" ] || say "Advice: with $missing ffmpeg has no network and sees no files of others" \
        "(sudo apt-get install -y $missing). All works without."
}

wanted_stamp() {
    # What the environment depends on: this place, this Python, these two files.
    "$python" -c 'import sys; print(sys.version, sys.base_prefix)'
    echo "$root"
    cksum setup.cfg constraints.txt scripts/setup.sh
}

pip_install() {
    # pip's progress and its advice about root and upgrades would only confuse; its errors are shown. It compiles
    # nothing: that would be half of the time, mostly for modules that nobody imports. Python does it when they are.
    PIP_ROOT_USER_ACTION=ignore "$venv/bin/python" -m pip install --quiet --no-input \
        --disable-pip-version-check --progress-bar off --no-compile --constraint constraints.txt "$@" \
        >"$log" 2>&1 && return
    grep -v '^WARNING' "$log" >&2 || true
    rm -f "$log"
    fail "The Python packages could not be installed: pip's message is above. If it speaks of the network," \
        "check that pip can reach its package index (also: pip config list), then run make again."
}

make_environment() {
    # Not by the environment that is about to be removed: by what it was made from.
    python=$("$python" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))')
    say "Setting up Python $("$python" -c 'import platform; print(platform.python_version())') packages in .venv (once; about a minute) ..."
    # Packages of an older lock must not stay behind, and a moved checkout has wrong paths.
    rm -rf "$venv"
    "$python" -m venv "$venv" || fail "python could not make a virtual environment in $venv; its message is above."
    log=$(mktemp)
    # Our own package is installed by the locked setuptools, so that nothing unlocked is fetched.
    pip_install setuptools
    pip_install --no-build-isolation --editable '.[agent,postgresql,report,s3,test,build]'
    # What reads hostile files runs where it can leave nothing behind, so it finds these compiled.
    "$venv/bin/python" -m compileall -q -j 0 agent common master "$venv"/lib/python*/site-packages/av >/dev/null || true
    rm -f "$log"
    wanted_stamp >"$venv/setup-stamp"
    say "Ready."
}

check_platform
if [ "$mode" = --tests ]; then
    install_for_tests
    exit 0
fi
if [ "$mode" = --bench ]; then
    install_for_bench
    exit 0
fi
check_system_packages
if [ "$mode" = --check ]; then
    install_better_with
    say "Found: $("$python" --version) ($python), $required."
    exit 0
fi
# Files that others must be able to run do not depend on a strict umask of this shell.
umask 022
if [ "$(wanted_stamp)" != "$(cat "$venv/setup-stamp" 2>/dev/null)" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then
    install_better_with
    make_environment
elif [ "$mode" != --quiet ]; then
    say "Nothing to do: .venv is up to date."
fi
