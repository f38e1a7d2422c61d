/// The note with which a run says that its recovery is over; who watches a run waits for it.
package enum FirstRecordNote {
  private static let beginning = "first new record processed "

  /// - Parameters:
  ///   - span: since the process began, µs.
  ///   - checkpoint: the one that the run resumed; 0 for a new state.
  ///   - openSessions: of that checkpoint.
  package static func text(
    after span: Microseconds, checkpoint: UInt64, openSessions: UInt64
  ) -> String {
    let resumed =
      checkpoint == 0
      ? "the state is new" : "resumed checkpoint \(checkpoint) with \(openSessions) open sessions"
    return "\(beginning)\(span / .perMillisecond) ms after the start; \(resumed)"
  }

  /// Whether a line of a run's messages is the note.
  package static func isNote(_ line: some StringProtocol) -> Bool {
    line.hasPrefix("sojourn: " + beginning)
  }
}
