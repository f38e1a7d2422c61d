import SessionModel

/// What a checkpoint does to the side outputs.
extension CheckpointCommit {
  /// What the checkpoint adds to an output.
  func added(to output: SideOutput) -> SideTotals {
    switch output {
    case .late: CheckpointCommit.totals(of: draft.late)
    case .rejected: CheckpointCommit.totals(of: draft.rejected)
    case .bots:
      SideTotals(
        rows: UInt64(draft.bots.count),
        bytes: UInt64(draft.bots.bytes.count + draft.bots.count * BotRow.overheadBytes))
    }
  }

  private static func totals(of records: [SideRecord]) -> SideTotals {
    SideTotals(
      rows: UInt64(records.count),
      bytes: records.reduce(0) { $0 + UInt64(SideRow.storedBytes($1)) })
  }

  /// Counts the new entries in, before anything is written.
  mutating func makeRoom(_ directory: String) throws(StateError) {
    for output in SideOutput.allCases {
      var totals = try remaining(output, directory)
      let added = added(to: output)
      totals.rows += added.rows
      totals.bytes += added.bytes
      if let limit = options.sideLimits[output], added.rows > 0,
        totals.rows > limit.rows || totals.bytes > limit.bytes
      {
        throw StateError.sideOutputFull(
          """
          the \(output.contents) in the state '\(directory)' reached their cap \
          (\(limit.rows) rows or \(limit.bytes) bytes; they would be \(totals.rows) \
          rows of \(totals.bytes) bytes). The last checkpoint is intact, and nothing is lost. \
          Look at them with 'sojourn dump \(output.rawValue)' and keep what you need, make room \
          with 'sojourn purge \(output.rawValue)' or a greater --\(output.rawValue)-limit, and start again.
          """)
      }
      row.state.kept[output] = totals
    }
  }

  /// What is kept besides the entries that this checkpoint removes.
  private func remaining(
    _ output: SideOutput, _ directory: String
  ) throws(StateError) -> SideTotals {
    var totals = row.state.kept[output]
    for batch in draft.removeSides where batch.output == output {
      guard totals.rows >= UInt64(batch.count), totals.bytes >= batch.storedBytes else {
        throw StateError.wrongUse("more \(output.contents) are removed than are kept")
      }
      totals.rows -= UInt64(batch.count)
      totals.bytes -= batch.storedBytes
    }
    return totals
  }

  func putSideEntries(_ transaction: borrowing Transaction) throws(StateError) {
    for batch in draft.removeSides { try batch.remove(transaction) }
    for (output, records) in [(SideOutput.late, draft.late), (.rejected, draft.rejected)] {
      for record in records {
        let key = SideRow.key(record, checkpoint: draft.checkpoint)
        let value = SideRow.encode(record, key: key, output: output)
        try transaction.put(output.database, key, value, .inserting)
      }
    }
    var value: [UInt8] = []
    try draft.bots.forEachEncoded { (bytes) throws(StateError) in
      guard let row = SessionRow(bytes: bytes) else {
        throw StateError.wrongUse("a row of a bot is not encoded as rows are")
      }
      let key = row.position.key
      BotRow.encode(bytes, key: key, into: &value)
      try transaction.put(.bots, key, value, .appending)
    }
  }
}
