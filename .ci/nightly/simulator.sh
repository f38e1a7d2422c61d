#!/usr/bin/env bash
# The simulator on two cores: SOJOURN_SEEDS seeds (100,000), then every case of up to SOJOURN_SCOPE
# events (6), and of two less spread over two partitions, with flushes.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/toolchain.sh

seeds=${SOJOURN_SEEDS:-100000}
scope=${SOJOURN_SCOPE:-6}
swift build -c release --product sojourn-simulator >&2
simulator=.build/release/sojourn-simulator
running=()
failed=0
finish() {
  for one in "${running[@]}"; do wait "$one" || failed=1; done
  running=()
}
$simulator --seeds 0..\<$((seeds / 2)) & running+=($!)
$simulator --seeds $((seeds / 2))..\<"$seeds" & running+=($!)
finish
$simulator --scope "$scope" & running+=($!)
$simulator --scope $((scope > 2 ? scope - 2 : 1)) --partitions 2 --flushes & running+=($!)
finish
if [ "$failed" = 0 ]; then
  echo "simulator: $seeds seeds, and every case of up to $scope events: no finding"
fi
exit "$failed"
