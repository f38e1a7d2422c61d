import SessionModel
import StateStore

/// What two finished states must have in common: counters, and every entry of the side outputs.
enum StateComparison {
  /// - Returns: one line a difference.
  static func differences(
    drilled: String, uninterrupted: String
  ) throws(DrillFailure) -> [String] {
    do throws(StateError) {
      let mine = try StateReader.open(directory: drilled)
      let theirs = try StateReader.open(directory: uninterrupted)
      var lines = try counters(mine, theirs)
      for output in SideOutput.allCases { lines += try entries(of: output, mine, theirs) }
      return lines
    } catch {
      throw DrillFailure(error)
    }
  }

  private static func counters(
    _ mine: StateReader, _ theirs: StateReader
  ) throws(StateError) -> [String] {
    let mine = try mine.summary().state.counters.named
    let theirs = try theirs.summary().state.counters.named
    var lines: [String] = []
    for name in Set((mine + theirs).map(\.name)).sorted() {
      let values = [mine, theirs].map { $0.first { $0.name == name }?.value ?? 0 }
      if values[0] != values[1] {
        lines.append("counter \(name): \(values[0]), uninterrupted \(values[1])")
      }
    }
    return lines
  }

  /// An entry by its place, and a digest of all of it.
  private struct Trace: Equatable {
    var place: String
    var digest: Int
  }

  private static func entries(
    of output: SideOutput, _ mine: StateReader, _ theirs: StateReader
  ) throws(StateError) -> [String] {
    let mine = try traces(of: output, mine)
    let theirs = try traces(of: output, theirs)
    if mine == theirs { return [] }
    let first = zip(mine, theirs).first { $0 != $1 }.map(\.0) ?? mine.dropFirst(theirs.count).first
    let place = first.map { "; the first at \($0.place)" } ?? ""
    return [
      "\(output.contents) differ: \(mine.count), uninterrupted \(theirs.count)\(place)"
    ]
  }

  private static func traces(
    of output: SideOutput, _ reader: StateReader
  ) throws(StateError) -> [Trace] {
    var traces: [Trace] = []
    try reader.forEachEntry(of: output) {
      traces.append(Trace(place: $0.place, digest: $0.hashValue))
      return true
    }
    return traces
  }
}
