import Configuration
import Console
import Pipeline
import Platform
import SessionModel
import StateStore

/// How a command ended that did not succeed: what happened, whether the state is safe, what to do.
struct CommandFailure: Error {
  /// What became of the state directory and of what it stands for.
  enum State {
    /// Nothing was opened.
    case untouched
    /// The last checkpoint is intact, and the next run goes on from there.
    case safe
    /// Something was found damaged; the text says what.
    case damaged(String)

    var text: String {
      switch self {
      case .untouched: "untouched"
      case .safe: "safe, the last checkpoint is intact"
      case .damaged(let what): what
      }
    }
  }

  var exitCode: ExitCode
  var problem: String
  /// Nil where `problem` says it.
  var state: String?
  var remedy: String?

  init(_ exitCode: ExitCode, _ problem: String, state: State, remedy: String?) {
    self.exitCode = exitCode
    self.problem = problem
    self.state = state.text
    self.remedy = remedy
  }

  /// The message of a part that says all three things itself.
  init(_ exitCode: ExitCode, complete message: String) {
    self.exitCode = exitCode
    problem = message
  }

  init(_ failure: RunFailure) { self.init(failure.exitCode, complete: failure.description) }

  init(_ error: StateError) { self.init(error.exitCode, complete: error.description) }

  init(_ error: UsageError) {
    self.init(error.exitCode, error.problem, state: .untouched, remedy: error.remedy)
  }

  init(_ error: SystemError, state: State) {
    self.init(
      .inputOutput, error.description, state: state,
      remedy: error.isDiskFull ? "make room on the disk and try again" : nil)
  }
}
