import Console
import SessionModel

/// Results on standard output.
enum StandardOutput {
  /// Runs `body` with a writer, flushes it, and ends quietly where the reader went away.
  ///
  /// - Parameter body: may let a writer's `OutputError` through; its own failures are of another
  ///   type and are returned by it.
  /// - Throws: `CommandFailure` with exit code 74 where writing fails for another reason.
  static func write(
    state: CommandFailure.State = .untouched,
    _ body: (inout OutputWriter) throws(OutputError) -> Void
  ) throws(CommandFailure) {
    var writer = OutputWriter()
    do throws(OutputError) {
      try body(&writer)
      try writer.flush()
    } catch {
      switch error {
      case .closed: return
      case .failed(let reason): throw CommandFailure(reason, state: state)
      }
    }
  }
}
