import Glibc

/// The process's standard descriptors, and what may be shown on them.
package enum Standard {
  /// Writing to a pipe without a reader then fails with EPIPE instead of killing the process.
  package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  package static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
  package static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether messages may have colours: on a terminal that knows them, without `NO_COLOR`.
  package static var errorHasColour: Bool { errorIsTerminal && permitsColour(variable) }

  /// Whether a line may be drawn over: a terminal that is not a dumb one.
  package static var errorRedraws: Bool { errorIsTerminal && variable("TERM") != "dumb" }

  /// After https://no-color.org: any value but the empty one forbids.
  package static func permitsColour(_ variable: (String) -> String?) -> Bool {
    (variable("NO_COLOR") ?? "").isEmpty && variable("TERM") != "dumb"
  }

  /// Columns of the terminal on a descriptor; 80 where it has none.
  package static func columns(of descriptor: Int32 = STDERR_FILENO) -> Int {
    var size = winsize()
    let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return known ? Int(size.ws_col) : 80
  }

  /// Writes a message for people in one piece. A standard error that is gone changes nothing.
  package static func writeError(_ text: String) {
    var writer = OutputWriter(descriptor: STDERR_FILENO)
    do throws(OutputError) {
      try writer.write(text)
      try writer.flush()
    } catch {
      // There is no other place to say it.
    }
  }

  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
