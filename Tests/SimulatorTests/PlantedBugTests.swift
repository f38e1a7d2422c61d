import Platform
import TestSupport
import Testing

/// The simulator finds bugs: each of those that a build with `SOJOURN_PLANTED_BUGS=1` carries
/// (`PlantedBug`, where each is described), within 2,000 seeds and by the check that is meant to.
@Suite struct PlantedBugTests {
  /// By name: how the words of the check begin.
  static let bugs: KeyValuePairs = [
    "staleOffset": "offsets are shown that are not those of the last checkpoint",
    "tombstoneForgotten": "sessions in the state:",
    "acknowledgedBeforeWrite": "the run ended well, and a table lacks rows",
    "gapExclusive": "rows of a table:",
    "lateAtWatermark": "rows of a table:",
    "closedOneEarly": "close line:",
    "closedSessionTouched": "closed sessions:",
    "greatestTimeForgotten": "greatest event times:",
    "lateEventIgnored": "greatest event times:",
    "lateRecordsDropped": "late records:",
    "botsNotDropped": "sessions dropped as bots':",
    "removedWhenOneSinkHolds": "rows of a table:",
    "oneRowTooManySkipped": "rows of a table:",
    // The state itself refuses a row that is not behind the others.
    "oldestHeaderDecides": "the run ended: a fault of the program: row",
    "watermarkForgotten": "watermark:",
    "flushForgotten": "close line:",
    "flushNotDurable": "a record is read before a flush is durable",
    "counterForgotten": "counters:",
    // The sink itself refuses rows that do not follow what it holds.
    "sinkNotAsked": "the run ended: sink table0: at another row",
    "unknownTakenAsFailed": "the run ended: sink table0: at another row",
    "tieIgnored": "rows of a table:",
    "endedWithRowsLeft": "the run ended well, and a table lacks rows",
    "skippedUncounted": "rows skipped for table",
  ]

  @Test(arguments: bugs.map(\.key))
  func `the simulator finds a planted bug`(_ bug: String) throws {
    let check = try #require(PlantedBugTests.bugs.first { $0.key == bug }).value
    let found = try PlantedBuild.run("--bug", bug, "--first", "--seeds", "2000")
    #expect(found.end == .exited(1))
    #expect(found.output.contains(": \(check)"), "\(found.output)")

    // Without the bug there is nothing to be found in that seed.
    let number = found.output.dropFirst("seed ".count).prefix { $0 != ":" }
    let seed = try #require(UInt64(number), "\(found.output)")
    let same = try PlantedBuild.run("--seeds", "\(seed)..<\(seed + 1)")
    #expect(same.end == .exited(0), "\(same.output)")
  }

  @Test(arguments: [
    "gapExclusive", "lateAtWatermark", "closedOneEarly", "closedSessionTouched", "tieIgnored",
    "watermarkForgotten", "sinkNotAsked",
  ])
  func `three events are enough to find a planted bug`(_ bug: String) throws {
    let found = try PlantedBuild.run("--bug", bug, "--first", "--scope", "3", "--flushes")
    #expect(found.end == .exited(1), "\(found.output)")
  }

  @Test func `every planted bug is looked for`() throws {
    let result = try PlantedBuild.run("--bug", "none")
    #expect(result.end == .exited(64))
    let names = PlantedBugTests.bugs.map(\.key).joined(separator: ", ")
    #expect(result.output == "sojourn-simulator: --bug takes one of: \(names)\n")
  }

  @Test func `the program that ships carries no switch for any`() throws {
    let mark = Array("tombstoneForgotten".utf8)
    #expect(try Files.read(PlantedBuild.program()).contains(mark))
    #expect(try !Files.read(BuiltProgram.path).contains(mark))
  }
}

/// The simulator as `.ci/test.sh` builds it, with bugs.
private enum PlantedBuild {
  struct Missing: Error, CustomStringConvertible {
    let description = """
      there is no simulator with planted bugs: `make test` builds it, or SOJOURN_PLANTED_BUGS=1 \
      swift build -c release --product sojourn-simulator --scratch-path .build/planted
      """
  }

  static func program() throws(Missing) -> String {
    let path = repositoryRoot() + "/.build/planted/release/sojourn-simulator"
    if !Files.exists(path) { throw Missing() }
    return path
  }

  static func run(_ arguments: String...) throws -> (end: ChildProcess.End, output: String) {
    let directory = TemporaryDirectory()
    let output = directory.path + "/output"
    let end = try ChildProcess(program(), arguments, standardOutput: output).wait()
    return (end, String(decoding: try Files.read(output), as: UTF8.self))
  }
}
