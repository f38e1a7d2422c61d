#!/usr/bin/env bash
# 100,000 seeds of the simulator (SOJOURN_SEEDS), half on each of two cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/toolchain.sh

seeds=${SOJOURN_SEEDS:-100000}
swift build -c release --product sojourn-simulator >&2
.build/release/sojourn-simulator --seeds 0..\<$((seeds / 2)) &
first=$!
.build/release/sojourn-simulator --seeds $((seeds / 2))..\<"$seeds"
wait "$first"
