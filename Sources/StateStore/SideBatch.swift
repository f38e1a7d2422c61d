package import SessionModel

/// Late or rejected records as they were read from the state, for another place to hold.
package struct SideBatch: Sendable {
  package let output: SideOutput
  /// By partition and offset.
  package private(set) var records: [SideRecord] = []
  private var keys: [[UInt8]] = []
  private(set) var storedBytes: UInt64 = 0

  package var count: Int { records.count }
  package var isEmpty: Bool { records.isEmpty }

  /// Reads from the beginning.
  init(
    _ output: SideOutput, _ transaction: borrowing Transaction, maxRows: Int, maxBytes: Int,
    where isWanted: (SideRecord) -> Bool
  ) throws(StateError) {
    self.output = output
    var cursor = try transaction.cursor(output.database)
    while count < maxRows, storedBytes < maxBytes, try cursor.next() {
      guard let record = SideRow.decode(key: cursor.key, value: cursor.value, output: output) else {
        throw StateError.damaged(
          transaction.environment.directory, "a row of '\(output.rawValue)' is broken")
      }
      if !isWanted(record) { continue }
      records.append(record)
      keys.append(Array(cursor.key))
      storedBytes += UInt64(cursor.key.count + cursor.value.count)
    }
  }

  /// Takes the records out of the state.
  func remove(_ transaction: borrowing Transaction) throws(StateError) {
    for key in keys {
      let wasThere = try key.withBytes { (key) throws(StateError) in
        try transaction.delete(output.database, key)
      }
      if !wasThere {
        throw StateError.damaged(
          transaction.environment.directory, "a row of '\(output.rawValue)' is missing")
      }
    }
  }
}
