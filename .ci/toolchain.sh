# Sourced by the other scripts: puts a Swift toolchain on PATH and checks that it is new enough.

readonly swift_major=6 swift_minor=2

if ! command -v swift >/dev/null && [ -x /opt/swift/usr/bin/swift ]; then
  export PATH="/opt/swift/usr/bin:$PATH"
fi

check_swift() {
  if ! command -v swift >/dev/null; then
    echo "Swift $swift_major.$swift_minor or newer is needed, and no swift is on PATH." >&2
    echo "Get it from https://www.swift.org/install/linux/ and put its usr/bin on PATH." >&2
    return 1
  fi
  local text major minor
  text=$(swift --version 2>/dev/null)
  if ! [[ $text =~ Swift\ version\ ([0-9]+)\.([0-9]+) ]]; then
    echo "swift --version does not say its version: $text" >&2
    return 1
  fi
  major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
  if ((major < swift_major || (major == swift_major && minor < swift_minor))); then
    echo "Swift $swift_major.$swift_minor or newer is needed; $(command -v swift) is $major.$minor." >&2
    echo "Get a newer one from https://www.swift.org/install/linux/." >&2
    return 1
  fi
}
