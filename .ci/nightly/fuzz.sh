#!/usr/bin/env bash
# Fuzzing at length: SOJOURN_FUZZ_SECONDS for each target, 600 unless set.
set -euo pipefail
exec "$(dirname "$0")/../fuzz.sh" "${SOJOURN_FUZZ_SECONDS:-600}"
