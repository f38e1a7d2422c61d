#!/usr/bin/env bash
# Gets what only tests need into .build/tools: noida-db, a Kafka broker that is not librdkafka's.
# The program itself is then .build/tools/noida-db, without Python around it.
# Where it cannot be had, this says so and succeeds: the tests that need it are then skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly package=noida-db version=0.2.3 directory=.build/tools

if [ "$(cat "$directory/$package.version" 2>/dev/null)" = "$version" ]; then exit 0; fi
mkdir -p .build
log=.build/test-tools.log
if python3 -m venv --clear "$directory" >"$log" 2>&1 \
  && "$directory/bin/pip" install --quiet --disable-pip-version-check --no-input --timeout 20 \
    --retries 1 "$package==$version" </dev/null >>"$log" 2>&1; then
  program=$(find "$PWD/$directory/lib" -path '*/noida_db/noida-db' -type f)
  ln -sf "$program" "$directory/noida-db"
  echo "$version" >"$directory/$package.version"
else
  echo "Cannot get $package $version from PyPI (see $log): tests against it are skipped." >&2
fi
