#!/usr/bin/env bash
# The main job on the embedded cluster: a topic of web traffic into a SQLite table, with a kill -9
# half way. EVENTS=FILE.jsonl sends that file instead of made traffic.
set -euo pipefail
cd "$(dirname "$0")/.."

sojourn=.build/release/sojourn
dir=.build/demo
events=${EVENTS_COUNT:-200000}
topic=web
partitions=16
database=$dir/sessions.db

# State and table belong to one embedded cluster, which forgets its topics when it ends.
rm -rf "$dir"
mkdir -p "$dir"

children=()
finish() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
}
trap finish EXIT

step() { printf '\n\033[1m%s\033[0m\n' "$1" >&2; }
[ -t 2 ] && [ -z "${NO_COLOR:-}" ] || step() { printf '\n%s\n' "$1" >&2; }

field() { "$sojourn" dump summary --state "$dir/state" --output json 2>/dev/null |
  sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

# Before the state is there, nothing was read.
records() { local read; read=$(field records_read) || true; echo "${read:-0}"; }

if [ -n "${EVENTS:-}" ]; then
  events=$(grep -c . "$EVENTS")
  content=(--file "$EVENTS")
else
  content=(--events "$events" --seed 1)
fi

step "1  An embedded Kafka cluster, topic '$topic' with $partitions partitions"
"$sojourn" broker --topic "$topic:$partitions" >"$dir/broker" &
children+=($!)
until [ -s "$dir/broker" ]; do sleep 0.05; done
broker=$(head -n 1 "$dir/broker")
echo "   listening on $broker" >&2

step "2  $events events, sent at a pace that takes a few seconds"
"$sojourn" generate "${content[@]}" --brokers "$broker" --topic "$topic" \
  --throttle $((events / 6 + 1)) >"$dir/feed" 2>"$dir/feed.err" &
feed=$!
children+=("$feed")

run=("$sojourn" run --brokers "$broker" --topic "$topic" --state "$dir/state"
  --sink "sqlite:$database" --checkpoint-interval 250ms)

step "3  The sessionizer, killed with SIGKILL half way"
"${run[@]}" &
first=$!
children+=("$first")
half=$((events / 2))
while [ "$(records)" -lt "$half" ]; do
  kill -0 "$first" 2>/dev/null || { wait "$first"; exit 1; }
  sleep 0.1
done
kill -KILL "$first"
wait "$first" 2>/dev/null || true
at_kill=$(records)
echo "   killed; the last checkpoint reflects $at_kill records" >&2

step "4  Started again; it reads to the end of the topic and closes what is open"
wait "$feed" || { cat "$dir/feed.err" >&2; exit 1; }
last_line=$("${run[@]}" --stop-at-end --close-all)

step "Result"
cat <<TXT
events sent          $events
records read         $(field records_read) (of them $at_kill before the kill that it survived)
events in sessions   $(field events_in_sessions)
late                 $(field late)
rejected             $(field rejected)
sessions             $(field sessions_closed)
rows in the table    $(sqlite3 "$database" 'SELECT count(*) FROM sessions')

$last_line

Ten rows of the table:
TXT
sqlite3 -header -column "$database" \
  "SELECT substr(session_id, 1, 12) AS id, user_id, ip, session_start, duration_ms, event_count,
     browser_family, os_family, substr(landing_url, 1, 24) AS landing
   FROM sessions ORDER BY event_count DESC, session_id LIMIT 10"
printf '\nQuery the rest:  sqlite3 %s "SELECT * FROM sessions LIMIT 20"\n' "$database"
printf 'Look into state: %s dump summary --state %s\n' "$sojourn" "$dir/state"
