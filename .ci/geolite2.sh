#!/usr/bin/env bash
# Prints the path of a GeoLite2 City file of July 2018, fetched once (26 MB) with the PyPI package
# maxminddb-geolite2; nothing, and the reason on standard error, where it cannot be had.
#
# This product includes GeoLite2 data created by MaxMind, available from https://www.maxmind.com; it is
# under the Creative Commons licence CC BY-SA 4.0. It is never part of the repository.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly package=maxminddb-geolite2 version=2018.703 directory=.build/geolite2
file=$PWD/$directory/GeoLite2-City.mmdb

if [ ! -e "$file" ]; then
  mkdir -p "$directory"
  log=$directory/log
  echo "Fetching $package $version, once" >&2
  if ! { python3 -m venv "$directory/venv" \
    && "$directory/venv/bin/pip" download --quiet --disable-pip-version-check --no-input --timeout 20 \
      --retries 1 --no-deps --dest "$directory" "$package==$version" </dev/null \
    && tar --extract --gzip --file "$directory/$package-$version.tar.gz" --directory "$directory" \
      --strip-components 2 "$package-$version/_maxminddb_geolite2/GeoLite2-City.mmdb"; } \
    >"$log" 2>&1; then
    echo "Cannot get $package $version from PyPI (see $log)." >&2
    exit 0
  fi
  rm -rf "$directory/venv" "$directory"/*.tar.gz
fi
echo "$file"
