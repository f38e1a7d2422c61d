#!/usr/bin/env bash
# Formatting, a build with warnings as errors, a short fuzzing, and all tests; ends with swift test's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/toolchain.sh

.ci/test-tools.sh
swift format lint --strict --parallel --recursive Sources Tests Package.swift
swift build -c release --build-tests
# The simulator with faults to find, apart: nothing that ships is built of it.
SOJOURN_PLANTED_BUGS=1 swift build -c release --product sojourn-simulator --scratch-path .build/planted
fuzzing=0
.ci/fuzz.sh 10 || fuzzing=$?
# A toolchain without libFuzzer may test the rest on somebody's machine, not where changes are judged.
if [ "$fuzzing" != 0 ] && { [ "$fuzzing" != 3 ] || [ -n "${CI:-}" ]; }; then exit "$fuzzing"; fi
exec swift test -c release --skip-build </dev/null
