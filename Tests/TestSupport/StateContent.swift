package import SessionModel
package import StateStore

/// Everything that a state tells.
package struct StateContent: Equatable {
  package var state: CheckpointState
  package var records: [KeyHash: SessionRecord]
  package var rows: [UInt8]
  package var sides: [[UInt8]]

  /// Reads all of an open state.
  package init(_ task: TestTask) throws {
    state = task.state
    records = task.records
    rows = try task.store.readOutbox(after: nil, maxRows: .max, maxBytes: .max).bytes
    sides = []
    for output in SideOutput.allCases {
      try task.store.makeReader().forEachEntry(of: output) {
        switch $0 {
        case .record(let record):
          sides.append(
            record.payload + "\(record.partition) \(record.offset) \(record.reason)".utf8)
        case .row(let row): sides.append(row)
        }
        return true
      }
    }
  }
}

extension StateReader {
  /// `forEachEntry` of the late or of the rejected records.
  package func forEachRecord(
    of output: SideOutput, _ body: (SideRecord) -> Bool
  ) throws(StateError) {
    try forEachEntry(of: output) { entry in
      guard case .record(let record) = entry else { preconditionFailure("\(output) are rows") }
      return body(record)
    }
  }

  /// The rows of bots' sessions, in their order.
  package func botRows() throws(StateError) -> [[UInt8]] {
    var rows: [[UInt8]] = []
    try forEachEntry(of: .bots) { entry in
      guard case .row(let row) = entry else { preconditionFailure("bots are no records") }
      rows.append(row)
      return true
    }
    return rows
  }
}
