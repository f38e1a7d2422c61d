package import SessionModel

/// Why the state refused. Each case carries the whole message: what happened, whether the state is
/// safe, and what to do next.
package enum StateError: Error, Equatable, CustomStringConvertible {
  /// Another process runs on the state, or its directory or lock file cannot be made.
  case locked(String)
  /// Bytes of the state are not what was written. None of them was used.
  case corrupt(String)
  /// The disk is full, or a system call failed.
  case inputOutput(String)
  /// The state belongs to another job, has another fingerprint, or is of a newer version.
  case foreign(String)
  /// A side output is at its cap.
  case sideOutputFull(String)
  /// There is no state in the directory. Only readers say so.
  case missing(String)
  /// A fault of the program: the checkpoint breaks a rule of the format. Nothing was written.
  case fault(String)

  package var description: String {
    switch self {
    case .locked(let message), .corrupt(let message), .inputOutput(let message),
      .foreign(let message), .sideOutputFull(let message), .missing(let message),
      .fault(let message):
      message
    }
  }

  package var exitCode: ExitCode {
    switch self {
    case .locked: .stateLocked
    case .corrupt: .corruptState
    case .inputOutput, .sideOutputFull: .inputOutput
    case .foreign: .configuration
    case .missing: .usage
    case .fault: .software
    }
  }
}

extension StateError {
  /// - Parameter what: what is damaged, with its place.
  static func damaged(_ directory: String, _ what: String) -> StateError {
    .corrupt(
      """
      the state in '\(directory)' is damaged: \(what). Nothing damaged was processed, and the \
      tables are as they were. Restore a copy of the directory, or move it away: a new state \
      derives the same rows again from the log and skips those that the sinks hold.
      """)
  }

  static func wrongUse(_ what: String) -> StateError {
    .fault(
      "a fault of the program: \(what). The checkpoint was not written; the last one is intact.")
  }
}
