#!/usr/bin/env bash
# Every fault at every system call of a small job: about 3,000 faults.
set -euo pipefail
source .ci/toolchain.sh

swift build -c release --build-tests
log=.build/nightly-syscalls.log
SOJOURN_TEST_SYSTEM_CALLS=all \
  swift test -c release --skip-build --filter SystemCallTests </dev/null >"$log" 2>&1 ||
  { cat "$log"; exit 1; }
grep '^system calls' "$log"
grep '^system calls' "$log" | sed 's/.* calls, \([0-9]*\) faults.*/\1/' |
  awk '{ sum += $1 } END { print "system calls: " sum " faults came about, no difference"
    exit sum < 1000 }'
