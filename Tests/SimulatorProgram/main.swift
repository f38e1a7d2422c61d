import Glibc
import Simulator

/// Runs seeds of the simulator, or every case of a small scope, and prints the first difference of
/// each that has one. Exit code 1 if there is any.
///
///     sojourn-simulator [--seeds N | --seeds A..<B] [--coverage]
///     sojourn-simulator --scope EVENTS [--partitions 2] [--flushes]
///
/// `--first` ends it at the first difference. `--bug NAME` plants one that a build with
/// `SOJOURN_PLANTED_BUGS=1` carries.
let arguments: Arguments
do {
  arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
} catch {
  print("sojourn-simulator: \(error)")
  exit(64)
}
if let events = arguments.scope {
  let scope = SmallScope(
    events: events, partitions: arguments.partitions, flushes: arguments.flushes)
  let result = scope.run(stopsAtFinding: arguments.stopsAtFinding) { print($0) }
  print(result)
  exit(result.findings == 0 ? 0 : 1)
}
let campaign = Campaign(seeds: arguments.seeds, stopsAtFinding: arguments.stopsAtFinding)
let result = campaign.run { print("seed \($0): \($1)") }
if arguments.showsCoverage { print(result.coverage) }
print(result)
exit(result.findings == 0 ? 0 : 1)
