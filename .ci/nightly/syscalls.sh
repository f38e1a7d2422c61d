#!/usr/bin/env bash
# Every fault at every system call of a small job, about 3,000, and a disk that is full after any
# number of bytes.
set -euo pipefail
source .ci/toolchain.sh

swift build -c release --build-tests
log=.build/nightly-syscalls.log
SOJOURN_TEST_SYSTEM_CALLS=all SOJOURN_TEST_FULL_DISK=all \
  swift test -c release --skip-build --filter 'SystemCallTests|FullDiskTests' </dev/null \
  >"$log" 2>&1 || { cat "$log"; exit 1; }
grep -E '^(system calls|full disk)' "$log"
awk '/^system calls/ { sub(/.* calls, /, ""); faults += $1 } /^full disk/ { disks += $(NF - 1) }
  END { print "system calls: " faults " faults and " disks " full disks came about, no difference"
    exit faults < 1000 }' "$log"
