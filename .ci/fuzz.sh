#!/usr/bin/env bash
# Fuzzes what hostile bytes can reach: `.ci/fuzz.sh SECONDS [TARGET …]`, so long for each target.
# It builds with libFuzzer and the address sanitizer into a place of its own. Inputs that reach new
# code are kept in .build/fuzz/corpus and serve the next time; one that breaks a property is put
# into .build/fuzz/findings and fails this: keep it, minimised, in Tests/Fuzz/Corpus/TARGET.
# Ends with a line of figures for each target; with code 3 where the toolchain lacks libFuzzer.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/toolchain.sh

readonly scratch=.build/fuzz
seconds=$1
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(event-decoder configuration state-values)

export SOJOURN_FUZZ=1 ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no
resources=$(swift -print-target-info | sed -n 's/.*"runtimeResourcePath" *: *"\(.*\)".*/\1/p')
library=$(find "$resources/clang/lib/" "$resources/../clang/" -name \
  "libclang_rt.fuzzer_no_main-$(uname -m).a" 2>/dev/null | head -n 1)
if [ -z "$library" ]; then
  echo "fuzz: NOTHING IS FUZZED: this Swift toolchain has no libclang_rt.fuzzer_no_main" >&2
  exit 3
fi
swift build -c release --product sojourn-fuzz --scratch-path "$scratch" --sanitize address \
  -Xswiftc -sanitize-coverage=edge,trace-cmp,inline-8bit-counters,pc-table \
  -Xcxx -fsanitize-coverage=edge,trace-cmp,inline-8bit-counters,pc-table \
  -Xlinker "$library" -Xlinker -lstdc++ -Xlinker -lm

failed=0
for target in "${targets[@]}"; do
  corpus=$scratch/corpus/$target findings=$scratch/findings/
  mkdir -p "$corpus" "$findings"
  log=$scratch/$target.log
  result=ok
  "$scratch/release/sojourn-fuzz" "$target" "$corpus" "Tests/Fuzz/Corpus/$target" \
    -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$findings$target-" >"$log" 2>&1 </dev/null || result=FINDING
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  echo "fuzz $target: $result, ${runs:-0} runs in $seconds s, ${cover:-0} edges covered"
  if [ "$result" != ok ]; then
    failed=1
    grep -E 'FINDING|ERROR|SUMMARY|Fatal|Test unit written' "$log" >&2 || tail -n 20 "$log" >&2
  fi
done
exit "$failed"
