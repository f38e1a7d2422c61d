import Platform
import SessionModel
import Sinks

/// A table that outlives the sinks which write to it.
final class MemoryTable: Sendable {
  struct Contents {
    var rows: [[UInt8]] = []
    var position: RowPosition?
    var owner: OwnerID?
    /// Whether opening says that it is down.
    var isDown = false
    /// The next writes fail so often, before the rows are there or behind them in turn.
    var failures: [Failure] = []
    /// Writes do not return while this is set.
    var isStuck = false
    /// How many rows each write brought.
    var writes: [Int] = []
  }
  enum Failure { case before, behind }

  let contents = Monitor(Contents())
  let bundle: SinkBundle?

  init(bundle: SinkBundle? = nil) { self.bundle = bundle }

  var rows: [[UInt8]] { contents.read { $0.rows } }

  /// Takes the table back to its first rows, as a restored backup does.
  func restore(rows count: Int) {
    contents.change { contents in
      contents.rows = Array(contents.rows.prefix(count))
      contents.position = contents.rows.last.map { row in
        row.withUnsafeBytes { SessionRow(bytes: $0)!.position }
      }
    }
  }
}

/// A sink into a `MemoryTable`, as strict as the contract.
final class MemorySink: Sink {
  private let table: MemoryTable
  private var owner: OwnerID?

  init(_ table: MemoryTable) { self.table = table }

  var bundle: SinkBundle? { table.bundle }

  func open(
    _ claimant: SinkClaimant, acknowledged: RowPosition?
  ) throws(SinkError) -> RowPosition? {
    let (owner, claim) = (claimant.owner, claimant.claim)
    self.owner = owner
    return try table.contents.change { contents throws(SinkError) in
      if contents.isDown { throw .unavailable("down") }
      if claim == .again, contents.owner != owner { throw .takenOver("by another") }
      contents.owner = owner
      return contents.position
    }
  }

  func write(after: RowPosition?, rows: RowBatch) throws(SinkError) {
    let owner = owner
    _ = table.contents.wait { $0.isStuck ? nil : true }
    try table.contents.change { contents throws(SinkError) in
      if contents.isDown { throw .unavailable("down") }
      if contents.owner != owner { throw .takenOver("by another") }
      if contents.position != after { throw .moved("not at \(after?.description ?? "none")") }
      let failure = contents.failures.popLast()
      if failure == .before { throw .unavailable("before the write") }
      contents.writes.append(rows.count)
      rows.forEachRow { row in
        precondition(contents.position.map { $0 < row.position } ?? true, "rows come in order")
        contents.rows.append(Array(row.bytes))
        contents.position = row.position
      }
      if failure == .behind { throw .unavailable("behind the write") }
    }
  }

  func close() {}
}
