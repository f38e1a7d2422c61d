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
      try task.store.makeReader().forEachRecord(of: output) {
        sides.append($0.payload + "\($0.partition) \($0.offset) \($0.reason)".utf8)
        return true
      }
    }
  }
}
