import Glibc
import Platform
import TestSupport
import Testing

/// The simulator finds bugs: each of those that a build with `SOJOURN_PLANTED_BUGS=1` carries.
@Suite(.enabled(if: PlantedBuild.isThere, "needs .build/planted, which .ci/test.sh builds"))
struct PlantedBugTests {
  /// By name: words of the check that finds it.
  static let bugs: KeyValuePairs = [
    "staleOffset": "offsets are shown that are not those of the last checkpoint",
    "tombstoneForgotten": "sessions in the state:",
    "acknowledgedBeforeWrite": "rows of a table:",
    "gapExclusive": "rows of a table:",
    "lateAtWatermark": "rows of a table:",
    "closedOneEarly": "close line:",
    "closedSessionTouched": "rows of a table:",
    "greatestTimeForgotten": "greatest event times:",
    "lateEventIgnored": "greatest event times:",
    "lateRecordsDropped": "late records:",
    "removedWhenOneSinkHolds": "rows of a table:",
    "oneRowTooManySkipped": "rows of a table:",
    "oldestHeaderDecides": "sessions in the state:",
    "watermarkForgotten": "watermark:",
    "flushForgotten": "close line:",
    "flushNotDurable": "a record is read before a flush is durable",
    "counterForgotten": "flushes:",
    "sinkNotAsked": "the run ended:",
    "unknownTakenAsFailed": "the run ended:",
    "tieIgnored": "rows of a table:",
  ]

  @Test(arguments: bugs.map(\.key))
  func `the simulator finds a planted bug`(_ bug: String) throws {
    let result = try PlantedBuild.run("--bug", bug, "--seeds", "2000")
    #expect(result.end == .exited(1))
    let words = try #require(PlantedBugTests.bugs.first { $0.key == bug }).value
    #expect(result.output.contains(": \(words)"), "\(result.output)")
  }

  @Test func `every planted bug is looked for`() throws {
    let result = try PlantedBuild.run("--bug", "none")
    #expect(result.end == .exited(64))
    let names = PlantedBugTests.bugs.map(\.key).joined(separator: ", ")
    #expect(result.output == "sojourn-simulator: --bug takes one of: \(names)\n")
  }

  @Test func `the build with bugs finds nothing while none is active`() throws {
    let result = try PlantedBuild.run("--seeds", "300")
    #expect(result.end == .exited(0), "\(result.output)")
  }
}

/// The simulator as `.ci/test.sh` builds it with bugs.
private enum PlantedBuild {
  static var isThere: Bool { access(program, X_OK) == 0 }

  static func run(_ arguments: String...) throws -> (end: ChildProcess.End, output: String) {
    let directory = TemporaryDirectory()
    let output = directory.path + "/output"
    let end = try ChildProcess(program, arguments, standardOutput: output).wait()
    return (end, String(decoding: try Files.read(output), as: UTF8.self))
  }

  /// In the package's own folder, three steps above this file.
  private static var program: String {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/") + "/.build/planted/release/sojourn-simulator"
  }
}
