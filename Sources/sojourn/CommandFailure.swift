import Configuration
import Console
import Platform
import SessionModel

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
  var state: String
  var remedy: String?

  init(_ exitCode: ExitCode, _ problem: String, state: State, remedy: String?) {
    self.exitCode = exitCode
    self.problem = problem
    self.state = state.text
    self.remedy = remedy
  }

  init(_ error: UsageError) {
    self.init(error.exitCode, error.problem, state: .untouched, remedy: error.remedy)
  }

  init(_ error: SystemError, state: State) {
    self.init(
      .inputOutput, error.description, state: state,
      remedy: error.isDiskFull ? "make room on the disk and try again" : nil)
  }
}
