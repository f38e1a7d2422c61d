import SessionModel
import StateStore

/// What two finished states must have in common: counters, and every late and rejected record.
enum StateComparison {
  /// - Returns: one line a difference.
  static func differences(
    drilled: String, uninterrupted: String
  ) throws(DrillFailure) -> [String] {
    do throws(StateError) {
      let mine = try StateReader.open(directory: drilled)
      let theirs = try StateReader.open(directory: uninterrupted)
      var lines = try counters(mine, theirs)
      for output in SideOutput.allCases { lines += try records(of: output, mine, theirs) }
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

  /// A record by its place, and a digest of the rest.
  private struct Trace: Equatable {
    var partition: Int32
    var offset: Int64
    var digest: Int

    init(_ record: SideRecord) {
      partition = record.partition
      offset = record.offset
      var hasher = Hasher()
      hasher.combine(record.reason)
      hasher.combine(record.field)
      hasher.combine(record.recordTime)
      hasher.combine(record.eventTime)
      hasher.combine(record.watermark)
      hasher.combine(record.valueLength)
      hasher.combine(record.payload)
      digest = hasher.finalize()
    }
  }

  private static func records(
    of output: SideOutput, _ mine: StateReader, _ theirs: StateReader
  ) throws(StateError) -> [String] {
    let mine = try traces(of: output, mine)
    let theirs = try traces(of: output, theirs)
    if mine == theirs { return [] }
    let first = zip(mine, theirs).first { $0 != $1 }.map(\.0) ?? mine.dropFirst(theirs.count).first
    let place = first.map { "; the first at partition \($0.partition), offset \($0.offset)" } ?? ""
    return [
      "\(output.rawValue) records differ: \(mine.count), uninterrupted \(theirs.count)\(place)"
    ]
  }

  private static func traces(
    of output: SideOutput, _ reader: StateReader
  ) throws(StateError) -> [Trace] {
    var traces: [Trace] = []
    try reader.forEachRecord(of: output) {
      traces.append(Trace($0))
      return true
    }
    return traces
  }
}
