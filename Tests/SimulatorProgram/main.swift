import Glibc
import Simulator

/// `sojourn-simulator [--seeds N | --seeds A..<B] [--first] [--coverage] [--bug NAME]`: runs seeds,
/// and prints the first difference of each that has one; with `--first` it ends there. Exit code 1
/// if there is any. `--bug` plants one that a build with `SOJOURN_PLANTED_BUGS=1` carries.
let arguments: Arguments
do {
  arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
} catch {
  print("sojourn-simulator: \(error)")
  exit(64)
}
let campaign = Campaign(seeds: arguments.seeds, stopsAtFinding: arguments.stopsAtFinding)
let result = campaign.run { print("seed \($0): \($1)") }
if arguments.showsCoverage { print(result.coverage) }
print(result)
exit(result.findings == 0 ? 0 : 1)
