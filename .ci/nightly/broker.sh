#!/usr/bin/env bash
# The broker's faults at full length: every kind of request, every retriable code, every moment, each
# on the program itself and compared with a run in calm; outages, refusals, lost logs beside them.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/toolchain.sh

.ci/test-tools.sh >&2
swift build -c release --build-tests >&2
log=.build/nightly-broker.log
if ! SOJOURN_BROKER_FAULTS=all swift test -c release --skip-build \
  --filter 'BrokerFaultTests|OutageTests|BrokerRefusalTests|EndsTests|RetentionTests|ResumeTests' \
  --filter 'SecondBrokerTests|LostLogTests|KeptSettingsTests' \
  </dev/null >"$log" 2>&1; then
  grep -E 'recorded an issue|failed after' "$log" | head -n 50
  echo "broker: findings; all of it in $log"
  exit 1
fi
cases=$(sed -n 's/.*costs no record and changes no row" with \([0-9]*\) test cases passed.*/\1/p' "$log")
tests=$(sed -n 's/.*Test run with \([0-9]*\) tests.* passed after.*/\1/p' "$log")
echo "broker: ${cases:?no cases ran} errors ordered, ${tests:?no tests ran} tests of brokers:" \
  "no difference"
