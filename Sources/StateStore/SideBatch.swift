package import SessionModel

/// Entries of a side output as they were read from the state, for another place to hold.
package struct SideBatch: Sendable {
  package let output: SideOutput
  /// In the order of their keys: records by partition and offset, rows by their position.
  package private(set) var entries: [SideEntry] = []
  private var keys: [[UInt8]] = []
  private(set) var storedBytes: UInt64 = 0

  package var count: Int { entries.count }
  package var isEmpty: Bool { entries.isEmpty }

  /// Reads from the beginning.
  init(
    _ output: SideOutput, _ transaction: borrowing Transaction, maxRows: Int, maxBytes: Int,
    where isWanted: (SideEntry) -> Bool
  ) throws(StateError) {
    self.output = output
    var cursor = try transaction.cursor(output.database)
    while count < maxRows, storedBytes < maxBytes, try cursor.next() {
      guard let entry = output.decode(key: cursor.key, value: cursor.value) else {
        throw StateError.damaged(
          transaction.environment.directory, "a row of '\(output.rawValue)' is broken")
      }
      if !isWanted(entry) { continue }
      entries.append(entry)
      keys.append(Array(cursor.key))
      storedBytes += UInt64(cursor.key.count + cursor.value.count)
    }
  }

  /// Takes the entries out of the state.
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
