#!/usr/bin/env bash
# Every fault at every system call of a small job, and a disk that is full after any number of bytes
# and pages.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/toolchain.sh

swift build -c release --build-tests >&2
log=.build/nightly-syscalls.log
SOJOURN_TEST_SYSTEM_CALLS=all SOJOURN_TEST_FULL_DISK=all \
  swift test -c release --skip-build --filter 'SystemCallTests|FullDiskTests' </dev/null \
  >"$log" 2>&1 || {
  cat "$log" >&2
  exit 1
}
grep -E '^(system calls|full disk)' "$log"
awk '/^system calls/ { sub(/.*: /, ""); calls += $1; faults += $3; missed += $7 }
  /^full disk/ { disks += $(NF - 1) }
  END {
    print "syscalls: " faults " faults at " calls " calls came about (" missed " did not), " \
      disks " full disks: no difference"
    exit faults < 1000 || disks < 100
  }' "$log"
