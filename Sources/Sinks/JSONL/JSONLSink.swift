import Platform
package import SessionModel

/// Sessions as JSON lines in the files of a directory: read one behind the other by name, they hold
/// each row once, in order.
///
/// Invariants:
/// - a file appears whole and on the disk, under a name that says its first and last position, and
///   never changes after;
/// - no two files overlap: the position is checked under the lock that the rename is made under;
/// - the sink's position is the greater of `_position` and the newest file's last; when `open` and
///   `write` return, `_position` is that, so files up to it may be taken away;
/// - after a failure nothing is written until `open` has read the position again.
package final class JSONLSink: Sink {
  /// Lines are gathered up to this before they are written.
  private static let bufferBytes = 1 << 20
  /// How long another process between its check and its rename is waited for.
  private static let lockTimeoutMilliseconds: Int64 = 5_000

  private let directory: JSONLDirectory<JSONLFileName>
  /// Who we are since `open`; nil when closed.
  private var claimed: (identity: JobIdentity, owner: OwnerID)?
  private var buffer: [UInt8] = []
  private let json: SessionRowJSON

  /// - Parameters:
  ///   - directory: made if missing; the one above it is not.
  ///   - schema: the columns that a line has.
  ///   - lockTimeoutMilliseconds: bounds the wait for the lock; for tests.
  package init(
    directory: String, schema: SessionSchema = .standard,
    lockTimeoutMilliseconds: Int64 = JSONLSink.lockTimeoutMilliseconds
  ) {
    json = SessionRowJSON(schema)
    self.directory = JSONLDirectory(
      path: directory, lockTimeoutMilliseconds: lockTimeoutMilliseconds)
  }

  package func open(
    _ claimant: SinkClaimant, acknowledged: RowPosition?
  ) throws(SinkError) -> RowPosition? {
    close()
    if claimant.claim == .first { try directory.make() }
    let position = try directory.locked(create: claimant.claim == .first) { () throws(SinkError) in
      try self.claim(claimant)
    }
    claimed = (claimant.identity, claimant.owner)
    return position
  }

  package var isMissing: Bool { directory.isMissing }

  private func claim(_ claimant: SinkClaimant) throws(SinkError) -> RowPosition? {
    let entry = try directory.entry()
    let content = try directory.content()
    try SinkRules.checkClaim(claimant, on: directory.place, entry: entry) {
      !content.files.isEmpty
    }
    try directory.remove(content.leftovers)
    let newest = content.files.last?.last
    let held = [entry?.position, newest].compactMap { $0 }.max()
    // Behind the newest file after a crash between its rename and this, and of another job before
    // an adoption.
    if let held { try directory.putPosition(claimant.identity, held) }
    // The lock is on the file that this replaces, so nothing may follow.
    try directory.putOwner(claimant.identity, claimant.owner)
    return held
  }

  package func write(after: RowPosition?, rows: RowBatch) throws(SinkError) {
    guard let first = rows.firstPosition, let last = rows.lastPosition else {
      preconditionFailure("a sink is given rows")
    }
    precondition(after.map { $0 < first } ?? true, "rows come in the order of their positions")
    guard let (identity, owner) = claimed else {
      throw .unavailable("\(directory.place) is not open; it is opened again.")
    }
    let name = JSONLFileName(first: first, last: last)
    do throws(SinkError) {
      try directory.writeAside(name, by: owner) { (file) throws(SystemError) in
        try append(rows, to: file)
      }
      try directory.locked(create: false) { () throws(SinkError) in
        try SinkRules.checkWrite(
          by: owner, after: after, on: directory.place, entry: try directory.entry())
        try directory.publish(name, by: owner)
        try directory.putPosition(identity, last)
      }
    } catch {
      directory.removeAside(name, by: owner)
      close()
      throw error
    }
  }

  private func append(
    _ rows: RowBatch, to file: borrowing FileDescriptor
  ) throws(SystemError) {
    buffer.removeAll(keepingCapacity: true)
    func append(_ row: SessionRow) throws(SystemError) {
      json.append(row, to: &buffer)
      buffer.append(UInt8(ascii: "\n"))
      if buffer.count < JSONLSink.bufferBytes { return }
      try file.write(buffer)
      buffer.removeAll(keepingCapacity: true)
    }
    try rows.forEachRow(append)
    try file.write(buffer)
  }

  package func close() { claimed = nil }
}
