#!/usr/bin/env bash
# The main job on the embedded cluster: a topic of web traffic into a SQLite table, with a kill -9
# half way. EVENTS=FILE.jsonl sends that file instead of made traffic; SINK=postgres takes a table of a
# PostgreSQL server that the demo sets up and ends, SINK=iceberg one in a local warehouse, read by
# iceberg-rust, SINK=kafka a topic of the same cluster, read by kcat; GEO=FILE.mmdb takes geography from that file, GEO=none does without.
set -euo pipefail
cd "$(dirname "$0")/.."

sojourn=.build/release/sojourn
dir=.build/demo
events=${EVENTS_COUNT:-200000}
topic=web
partitions=16

# State and table belong to one embedded cluster, which forgets its topics when it ends.
rm -rf "$dir"
mkdir -p "$dir"

children=()
server=
finish() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ -n "$server" ]; then rm -rf "$server"; fi
}
trap finish EXIT

step() { printf '\n\033[1m%s\033[0m\n' "$1" >&2; }
[ -t 2 ] && [ -z "${NO_COLOR:-}" ] || step() { printf '\n%s\n' "$1" >&2; }

field() { "$sojourn" dump summary --state "$dir/state" --output json 2>/dev/null |
  sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

# Before the state is there, nothing was read.
records() { local read; read=$(field records_read) || true; echo "${read:-0}"; }

# A server on a socket in a directory of its own: no port, no password, nothing that stays.
start_postgres() {
  .ci/setup.sh postgres
  local programs as=()
  programs=$(command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)
  programs=$(dirname "$programs")
  server=$(mktemp -d)
  # PostgreSQL refuses to run as root.
  if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$server"
    as=(setpriv --reuid postgres --regid postgres --init-groups)
  fi
  "${as[@]}" "$programs/initdb" --pgdata "$server/data" --username sojourn --auth trust \
    --encoding UTF8 --locale C --no-sync >"$dir/initdb.log" 2>&1
  "${as[@]}" "$programs/postgres" -D "$server/data" -k "$server" -c listen_addresses= \
    >"$dir/postgres.log" 2>&1 &
  children+=($!)
  address="postgres:///postgres?host=$server&user=sojourn"
  until psql "$address" -c 'SELECT 1' >/dev/null 2>&1; do
    kill -0 "${children[-1]}" 2>/dev/null || { cat "$dir/postgres.log" >&2; exit 1; }
    sleep 0.05
  done
}

# A catalog in a SQLite file and a warehouse beside it, and a reader that is not PyIceberg.
set_up_warehouse() {
  .ci/test-tools.sh iceberg
  python=$PWD/.build/tools/iceberg/bin/python
  [ -x "$python" ] || exit 69
  mkdir -p "$dir/warehouse"
  export SOJOURN_ICEBERG_PYTHON=$python
  export PYICEBERG_CATALOG__DEMO__TYPE=sql
  export PYICEBERG_CATALOG__DEMO__URI=sqlite:///$PWD/$dir/catalog.db
  export PYICEBERG_CATALOG__DEMO__WAREHOUSE=file://$PWD/$dir/warehouse
  address=iceberg:demo.web.sessions
}

# Runs a query with DataFusion and iceberg-rust; $1 is "table" or "value".
query_iceberg() {
  "$python" -I - "$@" <<'PY'
import sys
import datafusion
from pyiceberg.catalog import load_catalog

session = datafusion.SessionContext()
session.register_table("sessions", load_catalog("demo").load_table("web.sessions"))
result = session.sql(sys.argv[2])
print(result if sys.argv[1] == "table" else next(iter(result.to_pylist()[0].values())))
PY
}

# Reads the topic with kcat, once, and asks the last value of each key: what a compacted topic keeps.
query_topic() {
  local db=$dir/topic.db
  if [ ! -e "$db" ]; then
    kcat -C -e -q -b "$broker" -t sessions -f '%k\x1f%s\x1e' >"$dir/topic"
    sqlite3 "$db" 'CREATE TABLE records (key, value)' ".import --ascii $dir/topic records" "
      CREATE VIEW sessions AS SELECT value ->> 'session_id' AS session_id, value ->> 'user_id' AS user_id,
        value ->> 'ip' AS ip, value ->> 'session_start' AS session_start,
        value ->> 'duration_ms' AS duration_ms, value ->> 'event_count' AS event_count,
        value ->> 'country' AS country, value ->> 'city' AS city,
        value ->> 'browser_family' AS browser_family, value ->> 'landing_url' AS landing_url
      FROM records WHERE rowid IN (SELECT max(rowid) FROM records GROUP BY key)"
  fi
  sqlite3 "${@:1:$#-1}" "$db" "${@: -1}"
}

case ${SINK:-sqlite} in
sqlite)
  address=sqlite:$dir/sessions.db
  show=(sqlite3 -header -column "$dir/sessions.db") count=(sqlite3 "$dir/sessions.db")
  ;;
postgres)
  start_postgres
  show=(psql -X -P footer=off "$address" -c) count=(psql -XAt "$address" -c)
  ;;
kafka)
  .ci/setup.sh kcat
  address=kafka:sessions
  show=(query_topic -header -column) count=(query_topic)
  ;;
iceberg)
  set_up_warehouse
  show=(query_iceberg table) count=(query_iceberg value)
  ;;
*)
  echo "SINK is sqlite, postgres, kafka or iceberg, not $SINK" >&2
  exit 64
  ;;
esac

if [ -n "${EVENTS:-}" ]; then
  events=$(grep -c . "$EVENTS")
  content=(--file "$EVENTS")
else
  content=(--events "$events" --seed 1)
fi

# Countries and cities, if a file can be had.
case ${GEO:-} in
none) geo= ;;
'') geo=$(.ci/geolite2.sh) ;;
*) geo=$GEO ;;
esac
if [ -n "$geo" ]; then
  echo "Geography comes from $geo" >&2
  [ -n "${GEO:-}" ] || echo "  (GeoLite2 data created by MaxMind, https://www.maxmind.com, CC BY-SA 4.0)" >&2
else
  echo "Without geography: country, state and city stay null (GEO=FILE.mmdb names a file)" >&2
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
  --sink "$address" --checkpoint-interval 250ms ${geo:+--geo "mmdb:$geo"})

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
rows in the table    $("${count[@]}" 'SELECT count(*) FROM sessions')

$last_line

Ten rows of the table:
TXT
"${show[@]}" \
  "SELECT substr(session_id, 1, 12) AS id, user_id, ip, session_start, duration_ms, event_count,
     country, city, browser_family, substr(landing_url, 1, 24) AS landing
   FROM sessions ORDER BY event_count DESC, session_id LIMIT 10"
if [ "${SINK:-sqlite}" = sqlite ]; then
  printf '\nQuery the rest:  sqlite3 %s "SELECT * FROM sessions LIMIT 20"\n' "$dir/sessions.db"
fi
printf 'Look into state: %s dump summary --state %s\n' "$sojourn" "$dir/state"
