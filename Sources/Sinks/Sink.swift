package import SessionModel

/// A table of sessions somewhere else. One thread (its delivery thread) calls everything here.
///
/// Two duties: tell the position that the sink holds, and make rows and the new position durable in
/// one atomic step if the sink still holds what we think and is ours.
package protocol Sink: AnyObject {
  /// Claims the table, makes it where it is missing and checks it where it is not.
  ///
  /// - Parameters:
  ///   - claimant: who opens it, and how.
  ///   - acknowledged: the last row that the caller knows the sink to hold; nil where it knows of
  ///     none. Only a sink that keeps no position of its own goes by it.
  /// - Returns: the position of the last row that the sink holds; nil where it holds none of this
  ///   job.
  /// - Throws: `SinkError`; the table is unchanged.
  func open(
    _ claimant: SinkClaimant, acknowledged: RowPosition?
  ) throws(SinkError) -> RowPosition?

  /// What people should know of the place, though it can be used; asked once, after the first
  /// `open`. May take a second.
  var remark: String? { get }

  /// Whether there is nothing at the sink's place, so that `open` with `.first` would make it anew.
  var isMissing: Bool { get }

  /// How rows are gathered for a write; nil where each write may be as small as it comes.
  var bundle: SinkBundle? { get }

  /// Makes rows and their last position durable in one atomic step.
  ///
  /// - Parameters:
  ///   - after: the position that the sink must hold now.
  ///   - rows: in order, all behind `after`; not empty.
  /// - Throws: `SinkError`. After `.unavailable` the outcome may be unknown: `open` again with
  ///   `.again` tells the position that holds.
  func write(after: RowPosition?, rows: RowBatch) throws(SinkError)

  /// Releases connections and files; `open` may follow.
  func close()
}

extension Sink {
  /// What cannot tell makes nothing anew by mistake.
  package var isMissing: Bool { false }
  package var remark: String? { nil }
  package var bundle: SinkBundle? { nil }
}

/// How a sink whose writes are dear has rows gathered for it. What waits stays in the outbox; the end
/// of a run does not wait.
package struct SinkBundle: Equatable, Sendable {
  /// The time between writes, µs, but where a bound is reached before.
  package var interval: Microseconds
  /// The most rows of one write; so many do not wait.
  package var rows: Int
  /// The most bytes of one write, as rows are encoded.
  package var bytes: Int

  package init(interval: Microseconds, rows: Int, bytes: Int) {
    self.interval = interval
    self.rows = rows
    self.bytes = bytes
  }
}

/// Who opens a sink, and how.
package struct SinkClaimant {
  /// The job and fingerprint that the table must belong to.
  package var identity: JobIdentity
  /// This process. With `.first` it replaces any older owner, who then stops at its next write; with
  /// `.again` (after an error) the owner must still be us.
  package var owner: OwnerID
  package var claim: SinkClaim
  /// `--adopt-table`: take over a table of another job or fingerprint with its rows and position,
  /// and write our job and fingerprint into it.
  package var adopt: Bool

  package init(identity: JobIdentity, owner: OwnerID, claim: SinkClaim, adopt: Bool) {
    self.identity = identity
    self.owner = owner
    self.claim = claim
    self.adopt = adopt
  }
}

/// Whether a sink is claimed at a process's start or once more after an error.
package enum SinkClaim: Sendable {
  /// Until one `open` of this process has succeeded. Makes what is missing.
  case first
  /// After that. What is missing then is out of reach or was taken away, and is not made again.
  case again
}

/// Why a sink did not do its duty. The state is safe in each case: the rows stay in the outbox.
package enum SinkError: Error, Equatable, CustomStringConvertible {
  /// It may work later: locked, down, disk full, time-out. The caller opens it again after a pause.
  case unavailable(String)
  /// Another process has claimed the table since (exit code 75).
  case takenOver(String)
  /// The table belongs to another job or fingerprint (78); the message names both.
  case foreign(String)
  /// The table cannot take the rows: a missing column, a wrong type (78).
  case unsuitable(String)
  /// The sink refuses our credentials, or the rights are missing (77).
  case authentication(String)
  /// The sink holds another position than the caller believes, though it is ours: somebody changed
  /// it (78).
  case moved(String)

  package var exitCode: ExitCode {
    switch self {
    case .unavailable: .unavailable
    case .takenOver: .takenOver
    case .authentication: .authentication
    case .foreign, .unsuitable, .moved: .configuration
    }
  }

  package var description: String {
    switch self {
    case .unavailable(let message), .takenOver(let message), .foreign(let message),
      .unsuitable(let message), .authentication(let message), .moved(let message):
      message
    }
  }
}
