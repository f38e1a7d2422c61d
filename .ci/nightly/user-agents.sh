#!/usr/bin/env bash
# Families of raw user-agent headers against PyPI's ua-parser, with the same definitions, on the
# 10,000 real events (EVENTS=FILE.jsonl takes others that have headers.user-agent).
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/toolchain.sh

events=${EVENTS:-../shared/data/apache-2015.jsonl} definitions=/usr/share/uap-core/regexes.yaml
if [ ! -e "$events" ]; then
  echo "user-agents: skipped, $events is not there"
  exit 0
fi
tools=.build/user-agents
if [ ! -e "$tools/ready" ]; then
  python3 -m venv --clear "$tools" >&2
  "$tools/bin/pip" install --quiet --disable-pip-version-check --no-input 'ua-parser==1.0.1' \
    'PyYAML==6.0.2' </dev/null >&2
  touch "$tools/ready"
fi

swift build -c release --product sojourn >&2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# With this gap every point in time of a visitor is a session of its own.
.build/release/sojourn run --file "$events" --field user_agent=headers.user-agent --gap 1us \
  --close-all --user-agents "$definitions" --state "$dir/state" --sink "sqlite:$dir/sessions.db" \
  >/dev/null 2>"$dir/messages" || { cat "$dir/messages" >&2; exit 1; }

"$tools/bin/python" - "$events" "$definitions" "$dir/sessions.db" <<'PYTHON'
import json, sqlite3, sys
from ua_parser import Parser
from ua_parser.basic import Resolver
from ua_parser.loaders import load_yaml

events, definitions, table = sys.argv[1:]
parser = Parser(Resolver(load_yaml(definitions)))
known = {}

def families(raw):
    if raw not in known:
        found = parser.parse(raw).with_defaults()
        known[raw] = (found.user_agent.family, found.os.family, found.device.family)
    return known[raw]

expected = {}
for line in open(events):
    event = json.loads(line)
    raw = event["headers"].get("user-agent")
    # Of the events at one point in time the first in the file counts.
    key = (str(event["user_id"] or ""), event["ip"], event["event_time"][:19])
    expected.setdefault(key, families(raw) if raw is not None else (None, None, None))

found = {}
for user, ip, start, *own in sqlite3.connect(table).execute(
        "SELECT coalesce(user_id, ''), ip, session_start, browser_family, os_family,"
        " device_family FROM sessions"):
    found[(user, ip, start[:19])] = tuple(own)

differing = [key for key in expected if found.get(key) != expected[key]]
for key in differing[:10]:
    print(key, found.get(key), "not", expected[key], file=sys.stderr)
print(f"user-agents: {len(expected)} visitors' moments, {len(known)} headers, "
      f"{len(differing)} of other families than ua-parser's")
sys.exit(1 if differing or len(found) != len(expected) else 0)
PYTHON
