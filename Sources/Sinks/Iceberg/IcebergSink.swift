package import SessionModel

/// Sessions as rows of an Iceberg table, each once, through a helper process that drives PyIceberg.
///
/// Invariants:
/// - rows, position, owner, job and fingerprint are one commit: a snapshot that keeps them in its
///   summary, together with the table's properties;
/// - a claim is a snapshot, too. So whoever commits on the head that it saw last knows that
///   nobody has claimed the table or written since: catalogs compare heads, not properties;
/// - what is committed on another head than expected is nothing: the entry is read again, judged
///   again, and the commit is made anew;
/// - after a failure nothing is written until `open` has read what the table holds.
package final class IcebergSink: Sink {
  /// How often one claim or write begins again because others commit to the table.
  private static let attempts = 20

  private struct Claimed {
    var owner: OwnerID
    var head: [UInt8]
    var entry: SinkEntry?
  }

  /// Rows and bytes of one commit: what both processes hold of it stays below 500 MB.
  private static let rowsPerCommit = 100_000
  private static let bytesPerCommit = 32 << 20

  package let bundle: SinkBundle?
  private let address: IcebergAddress
  private let helper: IcebergHelper
  private let schema: SessionSchema
  private var claimed: Claimed?

  /// - Parameters:
  ///   - address: CATALOG.NAMESPACE.TABLE.
  ///   - helper: of its own, but in tests.
  ///   - schema: the columns of the job's table.
  ///   - commitInterval: between two commits, µs.
  package init(
    _ address: String, helper: IcebergHelper, schema: SessionSchema = .standard,
    commitInterval: Microseconds
  ) throws(SinkAddressError) {
    bundle = SinkBundle(
      interval: commitInterval, rows: IcebergSink.rowsPerCommit, bytes: IcebergSink.bytesPerCommit)
    self.address = try IcebergAddress(parsing: address)
    self.helper = helper
    self.schema = schema
  }

  private var place: String { address.place }

  package func open(
    _ claimant: SinkClaimant, acknowledged: RowPosition?
  ) throws(SinkError) -> RowPosition? {
    close()
    let (identity, owner) = (claimant.identity, claimant.owner)
    for _ in 0..<IcebergSink.attempts {
      guard let table = try helper.load(address) else {
        try make(claimant)
        continue
      }
      try table.check(schema)
      try SinkRules.checkClaim(claimant, on: place, entry: table.entry) { table.holdsRows }
      if claimant.claim == .again {
        claimed = Claimed(owner: owner, head: table.head, entry: table.entry)
        return table.entry?.position
      }
      let entry = SinkEntry(
        job: identity.job, fingerprint: identity.fingerprint.text, owner: owner.text,
        position: table.entry?.position)
      if let head = try helper.append(
        RowBatch(), schema, entry, to: address, head: table.head)
      {
        claimed = Claimed(owner: owner, head: head, entry: entry)
        return entry.position
      }
    }
    throw tooManyConflicts
  }

  package var isMissing: Bool {
    // What cannot be told makes nothing anew: opening says what is wrong.
    do throws(SinkError) { return try helper.load(address) == nil } catch { return false }
  }

  private func make(_ claimant: SinkClaimant) throws(SinkError) {
    if claimant.claim == .again {
      throw .unavailable(
        "\(place) is gone since this process claimed it. Nothing was made in its place; it is "
          + "waited for.")
    }
    try helper.create(address, schema)
  }

  package func write(after: RowPosition?, rows: RowBatch) throws(SinkError) {
    guard let last = rows.lastPosition, let first = rows.firstPosition else {
      preconditionFailure("a sink is given rows")
    }
    precondition(after.map { $0 < first } ?? true, "rows come in the order of their positions")
    guard var claimed else { throw .unavailable("\(place) is not open; it is opened again.") }
    // Until the commit is known, what the table holds is not.
    self.claimed = nil
    for _ in 0..<IcebergSink.attempts {
      try SinkRules.checkWrite(
        by: claimed.owner, after: after, on: place, entry: claimed.entry)
      guard var entry = claimed.entry else { preconditionFailure("checked above") }
      entry.position = last
      if let head = try helper.append(
        rows, schema, entry, to: address, head: claimed.head)
      {
        self.claimed = Claimed(owner: claimed.owner, head: head, entry: entry)
        return
      }
      guard let table = try helper.load(address) else {
        throw .unavailable("\(place) is gone since this process claimed it; it is waited for.")
      }
      try table.check(schema)
      (claimed.head, claimed.entry) = (table.head, table.entry)
    }
    throw tooManyConflicts
  }

  private var tooManyConflicts: SinkError {
    .unavailable(
      "\(place): others committed to it \(IcebergSink.attempts) times in a row before this process "
        + "could. It is tried again.")
  }

  /// The helper stays, since its start takes most of a second; it ends with this object.
  package func close() { claimed = nil }
}
