import Glibc
import SessionModel
import TestSupport
import Testing

/// How much of the sweep is done: a sample, or all of it where `SOJOURN_TEST_SYSTEM_CALLS=all`.
private enum Extent {
  static let isAll = getenv("SOJOURN_TEST_SYSTEM_CALLS").map { String(cString: $0) } == "all"
  static let faultsOfASample = 9
  static let seed = UInt64(getenv("SOJOURN_TEST_SEED").map { String(cString: $0) } ?? "") ?? 4

  static func choose(
    _ faults: [SystemCallDrill.Fault], _ random: inout RandomNumbers
  ) -> [SystemCallDrill.Fault] {
    if isAll { return faults }
    return (0..<min(faultsOfASample, faults.count)).map { _ in random.pick(faults) }
  }
}

@Suite struct SystemCallTests {
  @Test(arguments: SystemCallDrill.Phase.allCases)
  func `a fault at any system call changes no row`(phase: SystemCallDrill.Phase) throws {
    var random = RandomNumbers(seed: Extent.seed)
    let drill = try SystemCallDrill(phase)
    let places = phase == .purge ? [.state] : SystemCallDrill.Place.allCases
    var points = 0
    for place in places {
      let calls = try drill.calls(of: place)
      #expect(calls.count >= 5, "\(phase), \(place)")
      points += calls.count
      for fault in Extent.choose(drill.faults(at: calls, of: place), &random) {
        try drill.play(fault)
      }
    }
    let tally = drill.tally
    // How many checkpoints a run makes depends on how quick its sinks are.
    #expect(tally.fired > tally.missed * 9, "\(tally), seed \(Extent.seed)")
    if Extent.isAll {
      print(
        "system calls, \(phase): \(points) calls, \(tally.fired) faults came about, "
          + "\(tally.missed) did not; killed \(tally.killed), stopped with 74 \(tally.stopped), "
          + "69 \(tally.unavailable), went on \(tally.unharmed)")
    }
  }
}
