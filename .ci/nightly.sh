#!/usr/bin/env bash
# The long versions of the fault tests: each file in .ci/nightly is one, run in the order of names.
# `.ci/nightly.sh damage` runs one of them. Every part prints a closing line with its figures and
# fails on any finding.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/toolchain.sh

parts=("$@")
if [ ${#parts[@]} -eq 0 ]; then
  for file in .ci/nightly/*.sh; do parts+=("$(basename "$file" .sh)"); done
fi
for part in "${parts[@]}"; do
  printf '\n== %s\n' "$part" >&2
  ".ci/nightly/$part.sh" </dev/null
done
