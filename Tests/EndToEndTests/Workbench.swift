import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// What a command said and how it ended.
struct Answer {
  let end: ChildProcess.End
  let output: String
  let messages: String

  func ended(_ code: ExitCode) -> Bool { end == .exited(code.rawValue) }
}

/// A command that was started; killed with the object if it still runs.
final class StartedCommand {
  let child: ChildProcess
  private let output: String
  private let messages: String

  /// - Parameter words: before the program's own path: what runs it.
  fileprivate init(_ words: [String], _ arguments: [String], logs: String) throws {
    output = logs + ".out"
    messages = logs + ".err"
    let line = words + [BuiltProgram.path] + arguments
    child = try ChildProcess(
      line[0], Array(line[1...]), standardOutput: output, standardError: messages)
  }

  /// Waits for the end.
  func answer() throws -> Answer {
    let end = child.wait()
    return Answer(
      end: end, output: String(decoding: try Files.read(output), as: UTF8.self), messages: said)
  }

  /// What it has written to standard error so far.
  var said: String { String(decoding: (try? Files.read(messages)) ?? [], as: UTF8.self) }

  /// The first line of its standard output, once it is whole.
  func firstLine() throws -> String {
    try eventually("a line of output") {
      let text = String(decoding: try Files.read(output), as: UTF8.self)
      return text.contains("\n") ? String(text.prefix { $0 != "\n" }) : nil
    }
  }
}

/// A temporary directory with a state and sinks, and the program working on them.
final class Workbench {
  private let directory = TemporaryDirectory()
  private var commands = 0
  private let logs = TemporaryDirectory()

  var path: String { directory.path }
  var state: String { path + "/state" }
  var database: String { path + "/sessions.db" }
  var lines: String { path + "/lines" }
  /// The two sinks as flags.
  var sinks: [String] { ["--sink", "sqlite:\(database)", "--sink", "jsonl:\(lines)"] }

  func start(_ arguments: [String], through words: [String] = []) throws -> StartedCommand {
    commands += 1
    return try StartedCommand(words, arguments, logs: "\(logs.path)/\(commands)")
  }

  /// Starts a command and waits for its end.
  func answer(_ arguments: [String]) throws -> Answer { try start(arguments).answer() }

  /// `run` with this bench's state.
  func startRun(_ arguments: [String]) throws -> StartedCommand {
    try start(["run", "--state", state] + arguments)
  }

  func run(_ arguments: [String]) throws -> Answer { try startRun(arguments).answer() }

  /// A view of the state as JSON lines; nil while there is no state to look at.
  func dump(_ view: String = "summary", _ more: [String] = []) throws -> String? {
    let answer = try answer(
      ["dump", view, "--state", state, "--output", "json"] + more)
    return answer.ended(.success) ? answer.output : nil
  }

  /// The same of a state that is there.
  func look(_ view: String = "summary", _ more: [String] = []) throws -> String {
    try #require(try dump(view, more), "no state to dump")
  }

  /// A counter of the state's summary; 0 while there is no state.
  func count(_ name: String) throws -> Int {
    try dump().flatMap { JSONLine.number(name, in: $0) } ?? 0
  }

  /// Waits until a counter of the state has reached a value.
  func wait(for name: String, atLeast value: Int, of run: StartedCommand) throws {
    try eventually("\(name) of \(value); \(try dump() ?? "no state"); \(run.said)") {
      if let end = run.child.poll() {
        throw TimedOut(description: "the run ended, \(end): \(run.said)")
      }
      return try count(name) >= value ? () : nil
    }
  }

  func write(_ bytes: [UInt8], to name: String) throws -> String {
    try Files.replace(path + "/" + name, with: bytes)
    return path + "/" + name
  }

  func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  /// Copies a directory's files; nothing may be writing there.
  func copy(_ source: String, to target: String) throws {
    TemporaryDirectory.remove(target)
    try Files.makeDirectory(target, mode: 0o700)
    for name in try Files.names(in: source) {
      try Files.replace(target + "/" + name, with: try Files.read(source + "/" + name))
    }
  }
}

/// `records read = events in sessions + late + rejected`, with what was read.
func isConserved(_ summary: String) -> Bool {
  guard let read = JSONLine.number("records_read", in: summary),
    let events = JSONLine.number("events_in_sessions", in: summary),
    let late = JSONLine.number("late", in: summary),
    let rejected = JSONLine.number("rejected", in: summary)
  else { return false }
  return read == events + late + rejected
}
