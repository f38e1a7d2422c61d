import Simulator
import TestSupport
import Testing

/// The whole pipeline in one thread: each seed is a log, options, faults and an order of steps. A
/// seed that differs is in the message; `sojourn-simulator --seeds N..<M` runs it again.
@Suite struct SimulationTests {
  @Test func `whatever fails at whatever step, state and tables are as the log says`() {
    let result = Campaign(seeds: 0..<2_000).run { seed, finding in
      Issue.record("seed \(seed): \(finding)")
    }
    // Every kind of crash and of disturbance took part.
    #expect(result.coverage.missing(below: 20) == [])
    #expect(result.coverage.checkpoints > 20_000)
  }

  @Test func `a seed does the same again`() {
    for seed in 0..<50 as Range<UInt64> {
      let digests = (0..<2).map { _ in
        let directory = TemporaryDirectory(inMemory: true)
        return Simulation.run(seed: seed, directory: directory.path).digest
      }
      #expect(digests[0] == digests[1], "seed \(seed)")
    }
  }
}
