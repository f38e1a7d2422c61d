#!/usr/bin/env bash
# Installs the Debian packages that are missing, and nothing where none is. With "postgres" as its
# argument also a PostgreSQL server, with "kcat" also that reader of Kafka topics, with "tests" both and
# PgBouncer. Of the servers the tests and a demo start their own.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/toolchain.sh

# pkg-config's name of each C library, and the package that brings it.
libraries=(
  rdkafka:librdkafka-dev lmdb:liblmdb-dev simdjson:libsimdjson-dev libxxhash:libxxhash-dev
  sqlite3:libsqlite3-dev libpq:libpq-dev libcrypto:libssl-dev
  libmaxminddb:libmaxminddb-dev libcurl:libcurl4-openssl-dev re2:libre2-dev yaml-0.1:libyaml-dev
)
# A program that must be there, and the package that brings it.
programs=(pkg-config:pkg-config make:make sqlite3:sqlite3 python3:python3-venv)

missing=()
for entry in "${programs[@]}"; do
  command -v "${entry%%:*}" >/dev/null || missing+=("${entry#*:}")
done
for entry in "${libraries[@]}"; do
  pkg-config --exists "${entry%%:*}" 2>/dev/null || missing+=("${entry#*:}")
done
# The system's python3 comes without venv's parts.
if command -v python3 >/dev/null && ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
  missing+=(python3-venv)
fi
# The definitions of user agents.
[ -e /usr/share/uap-core/regexes.yaml ] || missing+=(uap-core)
# simdjson and RE2 are C++.
compgen -G '/usr/include/c++/*' >/dev/null || missing+=(libstdc++-12-dev)

# Reads Kafka topics independently of the program.
case ${1:-} in
kcat | tests) command -v kcat >/dev/null || missing+=(kcat) ;;
esac

needs_server= needs_pooler=
case ${1:-} in
postgres | tests)
  if ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
    needs_server=yes
    missing+=(postgresql)
  fi
  ;;
esac
if [ "${1:-}" = tests ] && ! command -v pgbouncer >/dev/null && [ ! -x /usr/sbin/pgbouncer ]; then
  needs_pooler=yes
  missing+=(pgbouncer)
fi

install_packages() {
  if ! command -v apt-get >/dev/null; then
    echo "These packages are missing, under their Debian names: ${missing[*]}." >&2
    echo "There is no apt-get here: install them by this system's own means." >&2
    return 1
  fi
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "These packages are missing; as root: apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
    # Where nobody can type a password, fail instead of waiting for it.
    [ -t 0 ] || as_root=(sudo -n)
  fi
  local get=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
  echo "Installing ${missing[*]}"
  "${get[@]}" update </dev/null >&2
  # Nobody needs the cluster that the package would begin.
  if [ -n "$needs_server" ]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' \
      | "${as_root[@]}" tee /etc/postgresql-common/createcluster.d/sojourn.conf >/dev/null
  fi
  "${get[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >&2
  # Nor the pooler that the package starts where there is a systemd.
  if [ -n "$needs_pooler" ] && [ -d /run/systemd/system ]; then
    "${as_root[@]}" systemctl disable --now pgbouncer.service >&2
  fi
}

if [ ${#missing[@]} -gt 0 ]; then install_packages; fi
check_swift
