import Platform
package import SessionModel

/// The entries of a side output as JSON lines in the files of a directory, a file for each batch.
///
/// A file appears whole and on the disk, and never changes after; all but the newest may be taken
/// away at any time.
package final class JSONLSideSink: SideSink {
  /// How long another process between its check and its rename is waited for.
  private static let lockTimeoutMilliseconds: Int64 = 5_000

  private let format: SideFormat
  private let directory: JSONLDirectory<JSONLSideFileName>
  /// Who we are since `open`; nil when closed.
  private var claimed: (identity: JobIdentity, owner: OwnerID)?
  private var newest: JSONLSideFileName?
  /// The lines of the file that was the newest at `open`, until something is written.
  private var doubtful: Set<ArraySlice<UInt8>> = []

  /// - Parameter directory: made if missing; the one above it is not.
  package init(_ format: SideFormat, directory: String) {
    self.format = format
    self.directory = JSONLDirectory(
      path: directory, lockTimeoutMilliseconds: JSONLSideSink.lockTimeoutMilliseconds)
  }

  package func open(
    identity: JobIdentity, owner: OwnerID, claim: SinkClaim, adopt: Bool
  ) throws(SinkError) {
    close()
    if claim == .first { try directory.make() }
    let claimant = SinkClaimant(identity: identity, owner: owner, claim: claim, adopt: adopt)
    newest = try directory.locked(create: claim == .first) { () throws(SinkError) in
      try self.claim(claimant)
    }
    if let newest { doubtful = Set(try directory.lines(of: newest)) }
    claimed = (identity, owner)
  }

  /// - Returns: the newest file.
  private func claim(_ claimant: SinkClaimant) throws(SinkError) -> JSONLSideFileName? {
    let entry = try directory.entry()
    let content = try directory.content()
    try SinkRules.checkClaim(claimant, on: directory.place, entry: entry) {
      !content.files.isEmpty
    }
    if entry?.position != nil || content.files.contains(where: { $0.output != format.output }) {
      throw .unsuitable(
        "\(directory.place) holds something else than \(format.output.contents). Nothing was "
          + "changed. Name another directory for them.")
    }
    try directory.remove(content.leftovers)
    // The lock is on the file that this replaces, so nothing may follow.
    try directory.putOwner(claimant.identity, claimant.owner)
    return content.files.last
  }

  package func write(_ entries: [SideEntry]) throws(SinkError) {
    guard let (_, owner) = claimed else {
      throw .unavailable("\(directory.place) is not open; it is opened again.")
    }
    doubtful = []
    let text = entries.flatMap { format.line(of: $0) + [UInt8(ascii: "\n")] }
    let name = JSONLSideFileName(
      output: format.output, number: max(Clock.wall, (newest?.number ?? 0) + 1))
    do throws(SinkError) {
      try directory.writeAside(name, by: owner) { (file) throws(SystemError) in
        try file.write(text)
      }
      try directory.locked(create: false) { () throws(SinkError) in
        try SinkRules.checkWrite(
          by: owner, after: nil, on: directory.place, entry: try directory.entry())
        try directory.publish(name, by: owner)
      }
    } catch {
      directory.removeAside(name, by: owner)
      close()
      throw error
    }
    newest = name
  }

  package func holds(_ entry: SideEntry) -> Bool {
    !doubtful.isEmpty && doubtful.contains(format.line(of: entry)[...])
  }

  package func close() {
    claimed = nil
    doubtful = []
  }
}
