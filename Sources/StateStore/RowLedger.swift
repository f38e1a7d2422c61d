package import SessionModel

/// What the state knows of all rows that it ever had for sinks; of one checkpoint.
package struct RowLedger: Sendable {
  package var state: CheckpointState
  /// The job's; it decides on columns.
  package var key: KeyLayout
  /// By session date, in days since 1970: all rows that ever entered the outbox.
  package var dates: [UInt32: RowTotals]
  /// Those of them that are still there. About 80 bytes of memory each.
  package var outbox: [RowPosition: Row]

  package struct Row: Sendable {
    package var date: UInt32
    package var digest: RowDigest
  }
}

extension StateReader {
  /// Reads what sinks can be compared with, from one snapshot, beside a running process too.
  ///
  /// - Throws: `.corrupt`, `.inputOutput`.
  package func rowLedger() throws(StateError) -> RowLedger {
    try environment.read { (transaction) throws(StateError) in
      let state = try StateRow.read(transaction).state
      var ledger = RowLedger(
        state: state, key: identity.fingerprint.key,
        dates: try DateRow.readAll(transaction, closed: state.counters.sessionsClosed),
        outbox: [:])
      ledger.outbox.reserveCapacity(Int(state.outboxRows))
      var last: RowPosition?
      repeat {
        var rows = RowBatch()
        try OutboxRow.read(
          transaction, after: last, maxRows: StateReader.sliceRows,
          maxBytes: StateReader.sliceBytes, into: &rows)
        rows.forEachRow {
          ledger.outbox[$0.position] = RowLedger.Row(date: $0.sessionDay, digest: RowDigest($0))
        }
        last = rows.lastPosition
      } while last != nil
      return ledger
    }
  }
}
