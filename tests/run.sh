#!/bin/sh
# Runs all tests with coverage. Installs the real programs that are missing where it can (root, apt);
# otherwise the tests that need them are skipped aloud, or fail with WECHAT_EXPORTER_REQUIRE_REAL=1.
set -eu
cd "$(dirname "$0")/.."

missing=""
want() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
want prometheus prometheus
want promtool prometheus
want prometheus-alertmanager prometheus-alertmanager
want victoria-metrics victoria-metrics
want redis-server redis-server
want chromium chromium
want curl curl
want openssl openssl
want buildah buildah
want mmdebstrap mmdebstrap
want systemd-analyze systemd
want kubectl kubernetes-client

if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >/dev/null ||
        echo "could not install:$missing; the tests that need them are skipped" >&2
elif [ -n "$missing" ]; then
    echo "missing:$missing; the tests that need them are skipped" >&2
fi

rm -f .coverage .coverage.*
# more processes than cores, as many tests wait; a file's servers start once, so that a file stays in one process
python -m coverage run -m pytest -n 5 --dist loadfile --no-loadscope-reorder "$@"
python -m coverage combine --quiet
# a part of the tests does not have to cover the whole
if [ $# -eq 0 ]; then python -m coverage report; else python -m coverage report --fail-under=0 | tail -1; fi
