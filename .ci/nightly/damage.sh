#!/usr/bin/env bash
# SOJOURN_DAMAGES damages to states (10,000), one after the other; SOJOURN_DAMAGE_SEED chooses which.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/toolchain.sh

swift build -c release --product sojourn-damage >&2
.build/release/sojourn-damage "${SOJOURN_DAMAGES:-10000}" "${SOJOURN_DAMAGE_SEED:-1}"
