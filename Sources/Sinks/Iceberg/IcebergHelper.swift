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
    let answer = try ask("load", address, [], place: address.place)
    if answer.first == "missing".utf8Bytes { return nil }
    return try IcebergTable(answer: answer, place: address.place)
  }

  /// Makes the table, and its namespace, unless it is there.
  func create(_ address: IcebergAddress, _ schema: SessionSchema) throws(SinkError) {
    _ = try ask(
      "create", address, [IcebergTable.text(of: schema), SessionColumn.sessionDate.name.utf8Bytes],
      place: address.place)
  }

  /// Commits rows and an entry, if the table's head is still the one given.
  ///
  /// - Returns: the new head; nil where the table has another one by now: nothing was written.
  func append(
    _ rows: RowBatch, _ schema: SessionSchema, _ entry: SinkEntry, to address: IcebergAddress,
    head: [UInt8]
  ) throws(SinkError) -> [UInt8]? {
    let answer = try ask(
      "append", address,
      [head] + IcebergTable.fields(of: entry) + [
        IcebergTable.text(of: schema), String(rows.count).utf8Bytes,
      ] + IcebergColumns.buffers(of: rows, schema), place: address.place)
    return answer.first == "committed".utf8Bytes ? answer[1] : nil
  }

  func rename(_ address: IcebergAddress, to other: IcebergAddress) throws(SinkError) {
    _ = try ask("rename", address, [other.identifier.utf8Bytes], place: address.place)
  }

  /// Drops the table and deletes its files; does nothing where it is missing.
  func purge(_ address: IcebergAddress) throws(SinkError) {
    _ = try ask("purge", address, [], place: address.place)
  }

  /// Does nothing but see that the environment serves.
  ///
  /// - Returns: PyIceberg's version.
  package func check() throws(SinkError) -> String {
    let place = "Iceberg"
    return try exchange(place: place) { (process) throws(IcebergProcess.Failure) in
      try IcebergHelper.greet(process)
    }[1].text
  }

  /// Asks for all rows; the answers follow one by one.
  func beginScan(
    _ address: IcebergAddress, _ schema: SessionSchema
  ) throws(SinkError) -> [[UInt8]] {
    let order = [SessionColumn.sessionEnd, .sessionID].map { $0.name.utf8Bytes }
    return try ask("scan", address, [IcebergTable.text(of: schema)] + order, place: address.place)
  }

  /// The next answer of a scan.
  func continueScan(_ address: IcebergAddress) throws(SinkError) -> [[UInt8]] {
    try exchange(place: address.place) { (process) throws(IcebergProcess.Failure) in
      try process.receive(until: Clock.monotonic + answerLimit)
    }
  }

  private func ask(
    _ request: String, _ address: IcebergAddress, _ fields: [[UInt8]], place: String
  ) throws(SinkError) -> [[UInt8]] {
    let message =
      [request.utf8Bytes, address.catalog.utf8Bytes, address.identifier.utf8Bytes] + fields
    return try exchange(place: place) { (process) throws(IcebergProcess.Failure) in
      let deadline = Clock.monotonic + answerLimit
      try process.send(message, until: deadline)
      return try process.receive(until: deadline)
    }
  }

  // MARK: - The process

  private static func greet(_ process: IcebergProcess) throws(IcebergProcess.Failure) -> [[UInt8]] {
    let deadline = Clock.monotonic + startLimit
    try process.send(["hello".utf8Bytes], until: deadline)
    return try process.receive(until: deadline)
  }

  /// Does one exchange of messages, with a process that is started where there is none.
  private func exchange(
    place: String, _ body: (IcebergProcess) throws(IcebergProcess.Failure) -> [[UInt8]]
  ) throws(SinkError) -> [[UInt8]] {
    let answer = try running.change { running throws(SinkError) in
      let process: IcebergProcess
      if let present = running { process = present } else { process = try start(place) }
      running = process
      do throws(IcebergProcess.Failure) {
        return try body(process)
      } catch {
        running = nil
        throw failure(error, place)
      }
    }
    if answer.first == "error".utf8Bytes { throw SinkError(answer: answer, place: place) }
    return answer
  }

  private func start(_ place: String) throws(SinkError) -> IcebergProcess {
    guard let python else {
      throw .unsuitable(
        "\(place): no Python environment is named, and there is no HOME to look in. Nothing was "
          + "changed. \(IcebergEnvironment.remedy)")
    }
    let greeting: [[UInt8]]
    let process: IcebergProcess
    do throws(SystemError) {
      process = try IcebergProcess(
        python: python, environment: environment, program: IcebergEnvironment.helper)
      identifier.change { $0 = process.identifier }
    } catch {
      throw IcebergHelper.wrongEnvironment(place, python, "\(error)")
    }
    do throws(IcebergProcess.Failure) {
      greeting = try IcebergHelper.greet(process)
    } catch .ended(.exited(let code), let line) {
      throw IcebergHelper.wrongEnvironment(
        place, python, line.isEmpty ? "it ended with \(code)" : line)
    } catch {
      throw failure(error, place)
    }
    let version = greeting.count > 1 ? greeting[1].text : "unknown"
    guard version.hasPrefix(IcebergEnvironment.version) else {
      throw IcebergHelper.wrongEnvironment(
        place, python, "it has PyIceberg \(version), needed is \(IcebergEnvironment.version)x")
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
    }
  }
}

extension SinkError {
  /// What the helper says of a failure: its kind and a text without secrets.
  fileprivate init(answer: [[UInt8]], place: String) {
    let kind = answer.count > 1 ? answer[1].text : ""
    let text = answer.count > 2 ? answer[2].text : ""
    switch kind {
    case "authentication":
      self = .authentication("\(place): \(text). Nothing was written, the rows stay in the state.")
    case "unsuitable":
      self = .unsuitable("\(place): \(text). Nothing was written, the rows stay in the state.")
    default: self = .unavailable("\(place): \(text). It is tried again.")
    }
  }
}

extension String {
  var utf8Bytes: [UInt8] { Array(utf8) }
}

extension [UInt8] {
  /// Bytes that are not UTF-8 become U+FFFD.
  var text: String { String(decoding: self, as: UTF8.self) }
}
