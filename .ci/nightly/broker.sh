#!/usr/bin/env bash
# The broker's faults at full length: every kind of request, every retriable code, every moment, each
# on the program itself and compared with a run in calm; then outages, refusals, waits.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/toolchain.sh

.ci/test-tools.sh
swift build -c release --build-tests
log=.build/nightly-broker.log
if ! SOJOURN_BROKER_FAULTS=all swift test -c release --skip-build \
  --filter 'BrokerFaultTests|BrokerOutageTests|BrokerRefusalTests|EndsTests|KafkaTests.OutageTests' \
  </dev/null >"$log" 2>&1; then
  grep -E 'recorded an issue|failed after' "$log" | head -n 50
  echo "broker: findings; all of it in $log"
  exit 1
fi
cases=$(sed -n 's/.*costs no record and changes no row" with \([0-9]*\) test cases passed.*/\1/p' "$log")
echo "broker: ${cases:?no cases ran} faults, all outages and refusals; no difference"
