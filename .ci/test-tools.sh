#!/usr/bin/env bash
# Gets what only tests need into .build/tools: noida-db, a Kafka broker that is not librdkafka's (the
# program itself is then .build/tools/noida-db, without Python around it), and .build/tools/iceberg, the
# Python environment of Iceberg sinks with iceberg-rust and DataFusion beside it, a reader of their
# tables that is not PyIceberg. With "iceberg" as its argument only the latter.
# What cannot be had is named, and this succeeds: the tests that need it are then skipped (Iceberg's
# fail where CI is set).
set -euo pipefail
cd "$(dirname "$0")/.."

readonly tools=.build/tools log=.build/test-tools.log
readonly package=noida-db version=0.2.3
readonly requirements=Sources/Sinks/Iceberg/requirements.txt reader=datafusion==53.0.0
mkdir -p .build

install() { # DIRECTORY PACKAGES…
  local directory=$1
  shift
  python3 -m venv --clear "$directory" >"$log" 2>&1 \
    && "$directory/bin/pip" install --quiet --disable-pip-version-check --no-input --timeout 20 \
      --retries 1 "$@" </dev/null >>"$log" 2>&1
}

install_broker() {
  if [ "$(cat "$tools/$package.version" 2>/dev/null)" = "$version" ]; then return; fi
  if install "$tools" "$package==$version"; then
    program=$(find "$PWD/$tools/lib" -path '*/noida_db/noida-db' -type f)
    ln -sf "$program" "$tools/noida-db"
    echo "$version" >"$tools/$package.version"
  else
    echo "Cannot get $package $version from PyPI (see $log): tests against it are skipped." >&2
  fi
}

install_iceberg() {
  local wanted
  wanted=$(cat "$requirements"; echo "$reader")
  if [ "$(cat "$tools/iceberg/installed" 2>/dev/null)" = "$wanted" ]; then return; fi
  if install "$tools/iceberg" --requirement "$requirements" "$reader"; then
    echo "$wanted" >"$tools/iceberg/installed"
  else
    echo "Cannot get PyIceberg from PyPI (see $log): tests of Iceberg sinks are skipped." >&2
  fi
}

# The broker's environment is the directory around the other one: it comes first.
if [ "${1:-}" != iceberg ]; then install_broker; fi
install_iceberg
