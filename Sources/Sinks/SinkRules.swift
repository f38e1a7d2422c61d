import SessionModel

/// What a sink keeps beside its rows: whose they are and how far they go.
struct SinkEntry: Equatable {
  var job: String
  var fingerprint: String
  /// The `OwnerID` of the process that claimed the table last; empty where that is not known.
  var owner: String
  var position: RowPosition?
}

/// Who may claim a table and write to it; the same rules for every sink, without I/O.
///
/// To be asked with the entry locked against other processes, before anything is changed.
enum SinkRules {
  /// May the claimant have the table?
  ///
  /// - Parameters:
  ///   - place: names the table in messages.
  ///   - entry: what the sink keeps; nil where it keeps nothing.
  ///   - holdsRows: whether the table has rows; asked only where there is no entry.
  /// - Throws: `.takenOver`, `.foreign` or `.moved`.
  static func checkClaim(
    _ claimant: SinkClaimant, on place: String, entry: SinkEntry?,
    holdsRows: () throws(SinkError) -> Bool
  ) throws(SinkError) {
    guard let entry else {
      if claimant.claim == .again {
        throw .moved(
          "\(place) no longer says whose it is: somebody deleted or replaced it while this process "
            + "used it. Nothing was written. Find out who did; a new start claims it again.")
      }
      if !claimant.adopt, try holdsRows() {
        throw .foreign(
          "\(place) holds rows, but nothing says which job wrote them. Nothing was changed. Name "
            + "another table, or take this one over with --adopt-table.")
      }
      return
    }
    if claimant.claim == .again { try checkOwner(claimant.owner, of: entry, on: place) }
    let ours = claimant.identity
    if entry.job == ours.job, entry.fingerprint == ours.fingerprint.text { return }
    if !claimant.adopt {
      throw .foreign(
        "\(place) belongs to job \"\(entry.job)\" (\(entry.fingerprint)), this is job "
          + "\"\(ours.job)\" (\(ours.fingerprint.text)). Nothing was changed. Name another table, or "
          + "take this one over, with its rows and its position, with --adopt-table.")
    }
  }

  /// May the owner write behind `after`?
  ///
  /// - Throws: `.takenOver` or `.moved`.
  static func checkWrite(
    by owner: OwnerID, after: RowPosition?, on place: String, entry: SinkEntry?
  ) throws(SinkError) {
    guard let entry else {
      throw .moved(
        "\(place) no longer says whose it is: somebody deleted it while this process used it. "
          + "Nothing was written. Find out who did; a new start claims it again.")
    }
    try checkOwner(owner, of: entry, on: place)
    if entry.position != after {
      throw .moved(
        "\(place) holds rows up to \(describe(entry.position)), this process left it at "
          + "\(describe(after)): somebody changed it in between. Nothing was written, the rows stay "
          + "in the state. A new start begins at what the table says.")
    }
  }

  /// Is the claimant the one who claimed the table last?
  ///
  /// - Throws: `.takenOver`.
  static func checkOwner(
    _ owner: OwnerID, of entry: SinkEntry, on place: String
  ) throws(SinkError) {
    if entry.owner == owner.text { return }
    throw .takenOver(
      "\(place) was claimed by process \(entry.owner.isEmpty ? "unknown" : entry.owner), this is "
        + "\(owner.text): another process has taken it over, or it was restored from a backup. "
        + "Nothing was written, the rows stay in the state. Let one process write to a table.")
  }

  private static func describe(_ position: RowPosition?) -> String {
    position.map { String(describing: $0) } ?? "none"
  }
}
