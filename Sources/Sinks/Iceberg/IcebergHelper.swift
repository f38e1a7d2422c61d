import Platform
package import SessionModel

/// The requests to a helper process, which is started at the first one and again after it has died.
///
/// Threads may share it: one request is under way at a time.
package final class IcebergHelper: Sendable {
  /// How long the helper may take to start, µs.
  private static let startLimit: Int64 = 60 * .perSecond
  /// How long it may take to answer, µs. A commit that takes longer has an unknown outcome.
  package static let answerLimit: Microseconds = 120 * .perSecond

  private let environment: [String: String]
  private let answerLimit: Microseconds
  private let python: String?
  /// Held during a request.
  private let running = Monitor<IcebergProcess?>(nil)
  private let identifier = Monitor<Int32?>(nil)

  /// - Parameters:
  ///   - python: the interpreter; nil for that of `sojourn iceberg-setup`.
  ///   - environment: added to this process's own.
  ///   - answerLimit: for tests.
  package init(
    python: String?, environment: [String: String] = [:],
    answerLimit: Microseconds = IcebergHelper.answerLimit
  ) {
    self.environment = environment
    self.answerLimit = answerLimit
    self.python =
      python
      ?? IcebergEnvironment.defaultDirectory.map { IcebergEnvironment.interpreter(in: $0) }
  }

  /// The process that was started last: for tests, which strike it in the midst of a request.
  package var processIdentifier: Int32? { identifier.read { $0 } }

  // MARK: - Requests

  /// - Returns: nil where there is no such table.
  func load(_ address: IcebergAddress) throws(SinkError) -> IcebergTable? {
    try ask("load", address, []) { (answer) throws(SinkError) -> IcebergTable?? in
      if answer == ["missing".utf8Bytes] { return .some(nil) }
      return try IcebergTable(answer: answer, place: address.place).map { .some($0) }
    }
  }

  /// Makes the table, and its namespace, unless it is there.
  func create(_ address: IcebergAddress, _ schema: SessionSchema) throws(SinkError) {
    try ask(
      "create", address, [IcebergTable.text(of: schema), SessionColumn.sessionDate.name.utf8Bytes],
      IcebergHelper.isDone)
  }

  /// Commits rows and an entry, if the table's head is still the one given.
  ///
  /// - Returns: the new head; nil where the table has another one by now: nothing was written.
  func append(
    _ rows: RowBatch, _ schema: SessionSchema, _ entry: SinkEntry, to address: IcebergAddress,
    head: [UInt8]
  ) throws(SinkError) -> [UInt8]? {
    try ask(
      "append", address,
      [head] + IcebergTable.fields(of: entry) + [
        IcebergTable.text(of: schema), String(rows.count).utf8Bytes,
      ] + IcebergColumns.buffers(of: rows, schema)
    ) { (answer) -> [UInt8]?? in
      if answer == ["conflict".utf8Bytes] { return .some(nil) }
      guard answer.count == 2, answer[0] == "committed".utf8Bytes, !answer[1].isEmpty else {
        return nil
      }
      return .some(answer[1])
    }
  }

  func rename(_ address: IcebergAddress, to other: IcebergAddress) throws(SinkError) {
    try ask("rename", address, [other.identifier.utf8Bytes], IcebergHelper.isDone)
  }

  /// Drops the table and deletes its files; does nothing where it is missing.
  func purge(_ address: IcebergAddress) throws(SinkError) {
    try ask("purge", address, [], IcebergHelper.isDone)
  }

  /// Does nothing but see that the environment serves.
  ///
  /// - Returns: PyIceberg's version.
  package func check() throws(SinkError) -> String {
    try exchange(
      "Iceberg",
      { (process) throws(IcebergProcess.Failure) in try IcebergHelper.greet(process) },
      IcebergHelper.version)
  }

  /// Asks for all rows; the answers follow one by one.
  ///
  /// - Returns: the first rows; nil where there are none.
  func beginScan(
    _ address: IcebergAddress, _ schema: SessionSchema
  ) throws(SinkError) -> IcebergRows? {
    let order = [SessionColumn.sessionEnd, .sessionID].map { $0.name.utf8Bytes }
    return try ask("scan", address, [IcebergTable.text(of: schema)] + order) {
      IcebergHelper.rows(of: $0, schema)
    }
  }

  /// - Returns: the next rows of a scan; nil at its end.
  func continueScan(
    _ address: IcebergAddress, _ schema: SessionSchema
  ) throws(SinkError) -> IcebergRows? {
    try exchange(
      address.place,
      { (process) throws(IcebergProcess.Failure) in
        try process.receive(until: Clock.monotonic + answerLimit)
      }, { IcebergHelper.rows(of: $0, schema) })
  }

  private func ask<Answer: Sendable>(
    _ request: String, _ address: IcebergAddress, _ fields: [[UInt8]],
    _ read: ([[UInt8]]) throws(SinkError) -> Answer?
  ) throws(SinkError) -> Answer {
    let message =
      [request.utf8Bytes, address.catalog.utf8Bytes, address.identifier.utf8Bytes] + fields
    return try exchange(
      address.place,
      { (process) throws(IcebergProcess.Failure) in
        let deadline = Clock.monotonic + answerLimit
        try process.send(message, until: deadline)
        return try process.receive(until: deadline)
      }, read)
  }

  // MARK: - Answers; nil for one that no such request gets

  private static func isDone(_ answer: [[UInt8]]) -> Void? {
    answer == ["done".utf8Bytes] ? () : nil
  }

  private static func version(of answer: [[UInt8]]) -> String? {
    answer.count == 3 && answer[0] == "hello".utf8Bytes ? answer[1].text : nil
  }

  private static func rows(of answer: [[UInt8]], _ schema: SessionSchema) -> IcebergRows?? {
    if answer == ["end".utf8Bytes] { return .some(nil) }
    return IcebergRows(answer: answer, schema).map { .some($0) }
  }

  // MARK: - The process

  private static func greet(_ process: IcebergProcess) throws(IcebergProcess.Failure) -> [[UInt8]] {
    let deadline = Clock.monotonic + startLimit
    try process.send(["hello".utf8Bytes], until: deadline)
    return try process.receive(until: deadline)
  }

  /// Does one exchange of messages, with a process that is started where there is none.
  ///
  /// - Parameter read: nil for an answer that makes no sense; the process is given up then.
  private func exchange<Answer: Sendable>(
    _ place: String, _ body: (IcebergProcess) throws(IcebergProcess.Failure) -> [[UInt8]],
    _ read: ([[UInt8]]) throws(SinkError) -> Answer?
  ) throws(SinkError) -> Answer {
    try running.change { running throws(SinkError) in
      let process: IcebergProcess
      if let present = running { process = present } else { process = try start(place) }
      running = process
      let fields: [[UInt8]]
      do throws(IcebergProcess.Failure) {
        fields = try body(process)
      } catch {
        running = nil
        throw failure(error, place)
      }
      if fields.first == "error".utf8Bytes { throw SinkError(answer: fields, place: place) }
      guard let answer = try read(fields) else {
        running = nil
        throw failure(.senseless(IcebergHelper.description(of: fields)), place)
      }
      return answer
    }
  }

  private static func description(of answer: [[UInt8]]) -> String {
    let kind = (answer.first ?? []).text.prefix { $0.isLetter }.prefix(20)
    return "\"\(kind)\" in a message of \(answer.count) fields"
  }

  private func start(_ place: String) throws(SinkError) -> IcebergProcess {
    guard let python else {
      throw .unsuitable(
        "\(place): no Python environment is named, and there is no HOME to look in. Nothing was "
          + "changed. \(IcebergEnvironment.remedy)")
    }
    let version: String?
    let process: IcebergProcess
    do throws(SystemError) {
      process = try IcebergProcess(
        python: python, environment: environment, program: IcebergEnvironment.helper)
      identifier.change { $0 = process.identifier }
    } catch {
      throw IcebergHelper.wrongEnvironment(place, python, "\(error)")
    }
    do throws(IcebergProcess.Failure) {
      version = IcebergHelper.version(of: try IcebergHelper.greet(process))
    } catch .ended(.exited(let code), let line) {
      throw IcebergHelper.wrongEnvironment(
        place, python, line.isEmpty ? "it ended with \(code)" : line)
    } catch .senseless(let answer) {
      throw IcebergHelper.wrongEnvironment(place, python, "it answered \(answer)")
    } catch {
      throw failure(error, place)
    }
    guard let version, version.hasPrefix(IcebergEnvironment.version) else {
      throw IcebergHelper.wrongEnvironment(
        place, python,
        "it has PyIceberg \(version ?? "of no version"), needed is \(IcebergEnvironment.version)x")
    }
    return process
  }

  private static func wrongEnvironment(
    _ place: String, _ python: String, _ reason: String
  ) -> SinkError {
    .unsuitable(
      "\(place): the Python environment of \(python) does not drive PyIceberg: \(reason). Nothing "
        + "was changed. \(IcebergEnvironment.remedy)")
  }

  private func failure(_ failure: IcebergProcess.Failure, _ place: String) -> SinkError {
    switch failure {
    case .silent:
      .unavailable(
        "\(place): no answer for \(answerLimit / .perSecond) s. The helper process is given up; it "
          + "is tried again.")
    case .ended(let end, _):
      .unavailable("\(place): the helper process ended (\(end)). It is started again.")
    case .senseless(let answer):
      .unavailable(
        "\(place): the helper process answered \(answer), which makes no sense here. What it was asked "
          + "for may be done or not; the rows stay in the state until the table says that it holds "
          + "them. The process is given up and started again.")
    }
  }
}
