package import SessionModel

/// A command line, environment or configuration file that cannot be obeyed (exit code 64).
///
/// It is found before anything is opened, so the state is untouched.
package struct UsageError: Error, Equatable, CustomStringConvertible {
  /// What is wrong and where: the flag, the environment variable, or the file and line.
  package var problem: String
  /// What to do about it, as an imperative sentence without a full stop.
  package var remedy: String

  /// - Parameter meant: what the user may have wanted to write; nil where nothing is near.
  package init(_ problem: String, meant: String? = nil, remedy: String) {
    self.problem = meant.map { "\(problem); did you mean \($0)?" } ?? problem
    self.remedy = remedy
  }

  package var exitCode: ExitCode { .usage }

  package var description: String {
    "\(problem)\(problem.hasSuffix("?") ? "" : ".") Do: \(remedy)."
  }
}
