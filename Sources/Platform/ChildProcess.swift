import CLinux
package import Glibc
import Synchronization

/// A child process with its output in files or pipes that the caller names.
package final class ChildProcess {
  package let identifier: pid_t
  private var status: Int32?

  /// How a child ended.
  package enum End: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  private static let starting = Mutex(())

  /// Does something while no child of this class is being started: until it has closed its copies of
  /// this process's descriptors, what is closed here stays open there, as a listening socket whose
  /// port is then still in use.
  package static func whileNoneStarts<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try starting.withLock { _ throws(Failure) in try body() }
  }

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - program: a path, or a name to be found on PATH.
  ///   - environment: added to this process's own.
  ///   - dropping: variables of this process that begin so are kept from the child.
  ///   - standardOutput: a file that is created or added to; nil: `/dev/null`.
  ///   - standardError: likewise; may be the same path.
  ///   - messages: takes standard error instead; its writing end is closed here.
  ///   - channel: the child's descriptor 3; the caller closes its own copy.
  /// - Throws: `SystemError` where the program cannot be started.
  package init(
    _ program: String, _ arguments: [String], environment: [String: String] = [:],
    dropping prefix: String? = nil, standardOutput: String? = nil, standardError: String? = nil,
    messages: LinePipe? = nil, channel: Int32? = nil
  ) throws(SystemError) {
    defer { messages?.closeWriter() }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let create = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, standardOutput ?? "/dev/null", create, 0o644)
    if let messages {
      posix_spawn_file_actions_adddup2(&actions, messages.writer, 2)
    } else {
      posix_spawn_file_actions_addopen(&actions, 2, standardError ?? "/dev/null", create, 0o644)
    }
    if let channel { posix_spawn_file_actions_adddup2(&actions, channel, 3) }
    // Closing on exec comes too late: `posix_spawn` may return before.
    clinux_close_from(&actions, channel == nil ? 3 : 4)

    var variables: [String] = []
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      let name = text.prefix { $0 != "=" }
      let isDropped = prefix.map { name.hasPrefix($0) } ?? false
      if !isDropped, environment[String(name)] == nil { variables.append(text) }
      next += 1
    }
    variables += environment.map { "\($0.key)=\($0.value)" }

    var identifier = pid_t()
    let code = withCStrings([program] + arguments) { arguments in
      withCStrings(variables) { variables in
        // It returns once the child has gone through the actions.
        Self.whileNoneStarts {
          posix_spawnp(&identifier, program, &actions, nil, arguments, variables)
        }
      }
    }
    if code != 0 { throw SystemError("posix_spawn", program, code: code) }
    self.identifier = identifier
  }

  deinit {
    if status == nil {
      kill(identifier, SIGKILL)
      wait()
    }
  }

  package func signal(_ number: Int32) {
    if status == nil { kill(identifier, number) }
  }

  /// Waits for the child's end.
  @discardableResult
  package func wait() -> End {
    while status == nil {
      var value: Int32 = 0
      if waitpid(identifier, &value, 0) == identifier { status = value }
    }
    return end!
  }

  /// How the child ended; nil while it runs.
  package func poll() -> End? {
    if status == nil {
      var value: Int32 = 0
      if waitpid(identifier, &value, WNOHANG) == identifier { status = value }
    }
    return end
  }

  private var end: End? {
    guard let status else { return nil }
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
  }
}

private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
  defer { for pointer in pointers { free(pointer) } }
  return body(pointers)
}
