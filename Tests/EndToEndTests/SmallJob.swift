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

    /// What is not as in another job; nil where all is equal.
    func difference(from other: Outcome) -> String? {
      if let rows = TableExport.difference(table, from: other.table) { return "table: \(rows)" }
      if let rows = TableExport.difference(lines, from: other.lines) { return "files: \(rows)" }
      if self == other { return nil }
      return "read \(read), closed \(closed), not \(other.read) and \(other.closed)"
    }
  }

  private let directory = TemporaryDirectory(inMemory: true)
  private let places: Places
  /// On which the SQLite file is, if on one of its own.
  private let disk: HeldDisk?
  var path: String { directory.path }
  var state: String { places.state + "/state" }
  var database: String { (disk?.mountPoint ?? places.table) + "/table/sessions.db" }
  var lines: String { places.files + "/files/lines" }
  /// Where the shim tells of its deed.
  var log: String { path + "/faults" }

  /// The directories that hold the state and the sinks.
  private struct Places {
    var state: String
    var table: String
    var files: String
  }

  /// - Parameters:
  ///   - base: a job that has ended, to begin with a copy of it.
  ///   - state, files: directories for one of them; the job's own where not given.
  ///   - disk: for the SQLite file.
  init(
    copying base: SmallJob? = nil, stateIn state: String? = nil, filesIn files: String? = nil,
    tableOn disk: HeldDisk? = nil
  ) throws(SystemError) {
    let own = directory.path
    self.disk = disk
    places = Places(state: state ?? own, table: disk?.path ?? own, files: files ?? own)
    for (folder, place) in [("/table", places.table), ("/files", places.files)] {
      if let base {
        try TemporaryDirectory.copy(base.path + folder, to: place + folder)
      } else {
        try Files.makeDirectory(place + folder)
      }
    }
    if let base, Files.exists(base.state) {
      try TemporaryDirectory.copy(base.state, to: self.state)
    }
  }

  /// Takes away what lies in the places that are not the job's own.
  func remove() {
    for folder in [places.state + "/state", places.table + "/table", places.files + "/files"] {
      TemporaryDirectory.remove(folder)
    }
  }

  /// Starts a command of the program.
  func start(_ arguments: [String], _ faults: FaultPlan? = nil) throws(SystemError) -> ChildProcess
  {
    var environment = faults?.environment ?? [:]
    environment["SWIFT_BACKTRACE"] = "enable=no"
    unlink(path + "/messages")
    unlink(path + "/output")
    let words = (disk?.entering ?? []) + [BuiltProgram.path] + arguments
    return try ChildProcess(
      words[0], Array(words[1...]), environment: environment,
      standardOutput: path + "/output", standardError: path + "/messages")
  }

  /// Runs a command to its end.
  ///
  /// - Throws: `TimedOut` where it does not end within a minute.
  func answer(_ arguments: [String], _ faults: FaultPlan? = nil) throws -> Answer {
    return try answer(of: try start(arguments, faults))
  }

  /// What a command that was started came to.
  func answer(of child: ChildProcess) throws -> Answer {
    let deadline = Clock.monotonic + 60 * .perSecond
    while child.poll() == nil {
      if Clock.monotonic > deadline { throw TimedOut(description: "no end: \(said)") }
      usleep(500)
    }
    return Answer(end: child.wait(), output: text("/output"), messages: said)
  }

  /// What the command has said so far.
  var said: String { text("/messages") }

  private func text(_ name: String) -> String {
    String(decoding: (try? Files.read(path + name)) ?? [], as: UTF8.self)
  }

  /// The SQLite file where this process can open it.
  private func databaseToRead() throws(SystemError) -> String {
    guard let disk else { return database }
    try Files.replace(path + "/copy.db", with: try Files.read(disk.path + "/table/sessions.db"))
    return path + "/copy.db"
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
      table: try TableExport.sqlite(try databaseToRead()), lines: try TableExport.jsonl(lines),
      read: JSONLine.number("records_read", in: answer.output) ?? -1, closed: closed)
  }

  /// Compares what a run that has succeeded left behind with another job's; records issues.
  func expect(
    _ calm: Outcome, after answer: Answer, _ what: @autoclosure () -> String
  ) throws {
    let difference = try outcome(of: answer, what()).difference(from: calm)
    #expect(difference == nil, "\(what())")
  }
}
