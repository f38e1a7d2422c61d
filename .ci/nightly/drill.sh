#!/usr/bin/env bash
# The drill at full length: SOJOURN_DRILL_KILLS kills (1,000) over SOJOURN_DRILL_EVENTS events
# (5,000,000), then every other fault at a fortieth of that over a twentieth of the events.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/toolchain.sh

kills=${SOJOURN_DRILL_KILLS:-1000}
events=${SOJOURN_DRILL_EVENTS:-5000000}
strikes=$((kills / 40 > 4 ? kills / 40 : 4))
fewer=$((events / 20 > 20000 ? events / 20 : 20000))
others=(stop broker-down leader-change sink-down state-lost state-old)
small_disk=yes
unshare -m true 2>/dev/null || unshare -Urm true 2>/dev/null || small_disk=
if [ -n "$small_disk" ]; then
  others+=(disk-full)
else
  echo "drill: neither root nor user namespaces: disk-full is left out" >&2
fi

swift build -c release --product sojourn
drill() {
  printf '\n-- drill %s\n' "$*"
  .build/release/sojourn drill --sink sqlite,jsonl "$@" </dev/null
}
drill --kills "$kills" --events "$events"
drill --kills "$((strikes * 4))" --events "$fewer" --live --seed 2
for fault in "${others[@]}"; do
  drill --fault "$fault" --kills "$strikes" --events "$fewer" --seed 3
done
printf "\n-- drill into Kafka\n"
.build/release/sojourn drill --sink kafka --kills 200 --events 1000000 --seed 5 </dev/null
printf -v all '%s,' kill "${others[@]}"
drill --fault "${all%,}" --kills "$((strikes * 4))" --events "$fewer" --seed 4

echo "drill: $kills kills over $events events, $((${#others[@]} + 2)) more drills of $strikes to" \
  "$((strikes * 4)) strikes over $fewer events: no difference"
