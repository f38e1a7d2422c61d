package import EventSources
package import Platform
package import SessionModel
package import Sinks
package import StateStore
import Windowing

/// Why a run ended early: what happened, whether the state is safe, what to do next.
package struct RunFailure: Error, Equatable, CustomStringConvertible {
  package var exitCode: ExitCode
  package var description: String

  package init(_ exitCode: ExitCode, _ description: String) {
    self.exitCode = exitCode
    self.description = description
  }

  package init(_ error: StateError) { self.init(error.exitCode, error.description) }

  package init(_ error: SourceError) { self.init(error.exitCode, error.description) }

  package init(_ error: SinkError, sink: String) {
    self.init(error.exitCode, "sink \(sink): \(error)")
  }

  package init(_ error: SystemError) {
    self.init(.software, "\(error). The state is safe at its last checkpoint; run again")
  }

  /// Whatever the session table let through: its own errors or its loader's.
  init(table error: any Error) {
    switch error {
    case let failure as RunFailure: self = failure
    case let error as StateError: self.init(error)
    case let error as SessionTableError: self.init(.corruptState, error.description)
    default: self.init(.software, "\(error). The state is safe at its last checkpoint")
    }
  }
}
