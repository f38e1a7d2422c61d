import TestSupport

/// Many seeds, one after the other.
package struct Campaign {
  private let seeds: Range<UInt64>
  private let stopsAtFinding: Bool

  package struct Result: CustomStringConvertible {
    package var seeds = 0
    package var findings = 0
    package var coverage = Coverage()

    package var description: String {
      "\(seeds) seeds, \(coverage.lives) processes, \(coverage.checkpoints) checkpoints, "
        + "\(coverage.crashes.values.reduce(0, +)) crashes at \(coverage.crashes.count) points, "
        + "\(findings) findings"
    }
  }

  /// - Parameter stopsAtFinding: the first seed that differs is the last one run.
  package init(seeds: Range<UInt64>, stopsAtFinding: Bool = false) {
    self.seeds = seeds
    self.stopsAtFinding = stopsAtFinding
  }

  /// - Parameter found: called with each seed that differs, and what differs first.
  package func run(_ found: (_ seed: UInt64, _ finding: String) -> Void) -> Result {
    var result = Result()
    for seed in seeds {
      let directory = TemporaryDirectory(inMemory: true)
      let outcome = Simulation.run(seed: seed, directory: directory.path)
      result.seeds += 1
      result.coverage.add(outcome.coverage)
      guard let finding = outcome.finding else { continue }
      result.findings += 1
      found(seed, finding)
      if stopsAtFinding { break }
    }
    return result
  }
}
