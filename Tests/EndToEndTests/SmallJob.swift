import Glibc
import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

/// A small job over files into both sinks, which ends by itself, in a directory of its own.
final class SmallJob {
  /// What a job left in its sinks and says of itself.
  struct Outcome: Equatable {
    var table: [UInt8]
    var lines: [UInt8]
    var read: Int
    var closed: Int
  }

  private let directory = TemporaryDirectory(inMemory: true)
  var path: String { directory.path }
  var state: String { path + "/state" }
  var database: String { path + "/table/sessions.db" }
  var lines: String { path + "/files/lines" }
  /// Where the shim tells of its deed.
  var log: String { path + "/faults" }

  /// - Parameter base: a job that has ended, to begin with a copy of it.
  init(copying base: SmallJob? = nil) throws(SystemError) {
    for folder in ["/table", "/files"] {
      if let base {
        try TemporaryDirectory.copy(base.path + folder, to: path + folder)
      } else {
        try Files.makeDirectory(path + folder)
      }
    }
    if let base, Files.exists(base.state) { try TemporaryDirectory.copy(base.state, to: state) }
  }

  /// Starts a command of the program.
  func start(_ arguments: [String], _ faults: FaultPlan? = nil) throws(SystemError) -> ChildProcess
  {
    var environment = faults?.environment ?? [:]
    environment["SWIFT_BACKTRACE"] = "enable=no"
    unlink(path + "/messages")
    return try ChildProcess(
      BuiltProgram.path, arguments, environment: environment,
      standardOutput: path + "/output", standardError: path + "/messages")
  }

  /// Runs a command to its end.
  ///
  /// - Throws: `TimedOut` where it does not end within a minute.
  func answer(_ arguments: [String], _ faults: FaultPlan? = nil) throws -> Answer {
    unlink(path + "/output")
    let child = try start(arguments, faults)
    let deadline = Clock.monotonic + 60 * .perSecond
    while child.poll() == nil {
      if Clock.monotonic > deadline { throw TimedOut(description: "no end of \(arguments)") }
      usleep(500)
    }
    return Answer(
      end: child.wait(), output: text("/output"), messages: text("/messages"))
  }

  private func text(_ name: String) -> String {
    String(decoding: (try? Files.read(path + name)) ?? [], as: UTF8.self)
  }

  /// The arguments of a run over files, to their end.
  func run(_ files: [String], _ more: [String] = [], every interval: String = "1h") -> [String] {
    ["run", "--state", state, "--sink", "sqlite:\(database)", "--sink", "jsonl:\(lines)"]
      + ["--close-all", "--output", "json", "--checkpoint-interval", interval]
      + files.flatMap { ["--file", $0] } + more
  }

  /// What a run that has succeeded left behind; records issues where the books are not in order.
  func outcome(of answer: Answer, _ what: @autoclosure () -> String) throws -> Outcome {
    #expect(answer.ended(.success), "\(what()): \(answer.end) \(answer.messages)")
    #expect(isConserved(answer.output), "\(what()): \(answer.output)")
    let closed = JSONLine.number("sessions_closed", in: answer.output) ?? -1
    #expect(JSONLine.number("delivered", in: answer.output) == closed, "\(what())")
    #expect(try StateReader.open(directory: state).verify() == [], "\(what())")
    return Outcome(
      table: try TableExport.sqlite(database), lines: try TableExport.jsonl(lines),
      read: JSONLine.number("records_read", in: answer.output) ?? -1, closed: closed)
  }
}

/// Events of some visitors in files of a few lines each, with late and broken records among them.
enum SmallTraffic {
  /// - Returns: the paths of files that hold one half hour each.
  static func write(files: Int, to directory: String) throws(SystemError) -> [String] {
    var paths: [String] = []
    for file in 0..<files {
      var text = ""
      for line in 0..<24 {
        let second = file * 1_800 + line * 70
        text += event(user: line % 5, ip: "10.0.0.\(line % 3)", at: second, url: "/\(file)/\(line)")
        text += "\n"
        if line == 9 { text += "{broken\n" }
        if line == 20 { text += event(user: 9, at: second - 1_200) + "\n" }
      }
      let path = "\(directory)/events-\(file).jsonl"
      try Files.replace(path, with: Array(text.utf8))
      paths.append(path)
    }
    return paths
  }
}
