import CPostgres
import Glibc
import Platform

/// A connection to one server. One thread uses it.
///
/// No call waits for ever: libpq is driven without blocking, and a server that gives no sign of life
/// for `silence` counts as gone. After any error the connection is of no more use; the outcome of a
/// transaction that was being committed is then unknown.
struct PostgresConnection: ~Copyable {
  /// How long the server may be silent within one request, µs.
  private static let silence: Int64 = 60_000_000

  private let handle: OpaquePointer
  private let place: String

  /// - Throws: `.unavailable`, `.authentication`, `.unsuitable`.
  static func open(_ address: PostgresAddress) throws(SinkError) -> PostgresConnection {
    guard let handle = start(address.uri) else {
      throw .unavailable("\(address.place): libpq has no memory. It is tried again.")
    }
    let connection = PostgresConnection(handle: handle, place: address.place)
    // Only so do refusals while connecting show their SQLSTATE.
    PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
    try connection.finishConnecting(until: Clock.monotonic + address.connectTimeout)
    PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    PQsetnonblocking(handle, 1)
    return connection
  }

  private static func start(_ uri: String) -> OpaquePointer? {
    let settings = [
      ("dbname", uri), ("fallback_application_name", "sojourn"), ("client_encoding", "UTF8"),
    ]
    let names = settings.map { strdup($0.0) } + [nil]
    let values = settings.map { strdup($0.1) } + [nil]
    defer { for text in names + values { free(text) } }
    return names.map { UnsafePointer($0) }.withUnsafeBufferPointer { names in
      values.map { UnsafePointer($0) }.withUnsafeBufferPointer { values in
        PQconnectStartParams(names.baseAddress, values.baseAddress, 1)
      }
    }
  }

  deinit { PQfinish(handle) }

  private func finishConnecting(until deadline: Int64) throws(SinkError) {
    var wanted = PGRES_POLLING_WRITING
    while PQstatus(handle) != CONNECTION_BAD {
      let events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT
      guard wait(for: Int16(events), until: deadline) else {
        throw .unavailable("\(place): no answer while connecting. It is tried again.")
      }
      wanted = PQconnectPoll(handle)
      if wanted == PGRES_POLLING_OK { return }
      if wanted == PGRES_POLLING_FAILED { break }
    }
    throw connectFailure()
  }

  /// The library's message, and the SQLSTATE that verbose messages hold: `FATAL:  28P01: …`.
  private func connectFailure() -> SinkError {
    let lines = String(cString: PQerrorMessage(handle)).split(separator: "\n")
    let message = lines.filter { !$0.hasPrefix("LOCATION:") }.joined(separator: " ")
    var state: String?
    if let mark = message.firstRange(of: "FATAL:  ") {
      let code = message[mark.upperBound...].prefix { $0 != ":" }
      if code.utf8.count == 5 { state = String(code) }
    }
    return SinkError(postgres: state, message: message, place: place)
  }

  // MARK: - Requests

  /// Runs statements that answer nothing that matters.
  func execute(_ statements: String) throws(SinkError) {
    try require(PQsendQuery(handle, statements) == 1)
    _ = try lastResult()
  }

  /// Ends a transaction. Without an error, it is durable.
  func commit() throws(SinkError) {
    try require(PQsendQuery(handle, "COMMIT") == 1)
    let result = try lastResult()
    // A transaction that had failed answers ROLLBACK here, without an error.
    guard String(cString: PQcmdStatus(result.handle)) == "COMMIT" else {
      throw .unavailable("\(place): the transaction was rolled back. It is tried again.")
    }
  }

  /// The answer to one statement as text; nil for null.
  func query(_ statement: String, _ values: [String?] = []) throws(SinkError) -> [[String?]] {
    let texts = values.map { $0.map { strdup($0) } ?? nil }
    defer { for text in texts { free(text) } }
    let sent = texts.map { UnsafePointer($0) }.withUnsafeBufferPointer { texts in
      PQsendQueryParams(
        handle, statement, Int32(texts.count), nil, texts.baseAddress, nil, nil, 0)
    }
    try require(sent == 1)
    return try lastResult().rows
  }

  /// Runs `COPY … FROM STDIN` with its data.
  func copy(_ statement: String, _ bytes: UnsafeRawBufferPointer) throws(SinkError) {
    try require(PQsendQuery(handle, statement) == 1)
    guard PQresultStatus(try lastResult().handle) == PGRES_COPY_IN else {
      preconditionFailure("only COPY … FROM STDIN is copied into")
    }
    let start = bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
    try put { PQputCopyData(handle, start, Int32(bytes.count)) }
    try put { PQputCopyEnd(handle, nil) }
    _ = try lastResult()
  }

  /// Repeats a call that answers 0 while the buffers are full.
  private func put(_ call: () -> Int32) throws(SinkError) {
    while true {
      switch call() {
      case 1: return
      case 0: try flush()
      default: throw failure()
      }
    }
  }

  // MARK: - Waiting

  private struct Result: ~Copyable {
    let handle: OpaquePointer
    init(_ handle: OpaquePointer) { self.handle = handle }
    deinit { PQclear(handle) }

    var rows: [[String?]] {
      (0..<PQntuples(handle)).map { row in
        (0..<PQnfields(handle)).map { column in
          PQgetisnull(handle, row, column) == 1
            ? nil : String(cString: PQgetvalue(handle, row, column))
        }
      }
    }
  }

  /// Takes all results of a request.
  ///
  /// - Returns: the last one, or the one that asks for the data of a `COPY`.
  /// - Throws: the first failure among them.
  private func lastResult() throws(SinkError) -> Result {
    try flush()
    var last: OpaquePointer?
    while let result = try nextResult() {
      PQclear(last)
      last = result
      let status = PQresultStatus(result)
      if status == PGRES_COPY_IN { break }
      if status != PGRES_COMMAND_OK, status != PGRES_TUPLES_OK {
        defer { PQclear(result) }
        throw failure(of: result)
      }
    }
    guard let last else { throw failure() }
    return Result(last)
  }

  private func nextResult() throws(SinkError) -> OpaquePointer? {
    while PQisBusy(handle) == 1 {
      try waitForServer(Int16(POLLIN))
      try require(PQconsumeInput(handle) == 1)
    }
    return PQgetResult(handle)
  }

  /// Sends what is buffered, and reads meanwhile, so that neither side waits for the other.
  private func flush() throws(SinkError) {
    while true {
      let rest = PQflush(handle)
      if rest == 0 { return }
      try require(rest == 1)
      try waitForServer(Int16(POLLIN | POLLOUT))
      try require(PQconsumeInput(handle) == 1)
    }
  }

  private func waitForServer(_ events: Int16) throws(SinkError) {
    let seconds = PostgresConnection.silence / 1_000_000
    if !wait(for: events, until: Clock.monotonic + PostgresConnection.silence) {
      throw .unavailable(
        "\(place): no answer for \(seconds) s. The connection is given up; it is tried again.")
    }
  }

  /// - Returns: false if the deadline passed first.
  private func wait(for events: Int16, until deadline: Int64) -> Bool {
    var entry = pollfd(fd: PQsocket(handle), events: events, revents: 0)
    while true {
      let left = deadline - Clock.monotonic
      if left <= 0 { return false }
      let count = poll(&entry, 1, Int32(min(left / 1_000 + 1, 3_600_000)))
      if count > 0 { return true }
      // Anything but an interruption shows as an error of the library's next call.
      if count < 0, errno != EINTR { return true }
    }
  }

  // MARK: - Failures

  private func require(_ holds: Bool) throws(SinkError) {
    if !holds { throw failure() }
  }

  private func failure(of result: OpaquePointer) -> SinkError {
    let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
    let message = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
    return SinkError(
      postgres: state, message: message ?? String(cString: PQresultErrorMessage(result)),
      place: place)
  }

  private func failure() -> SinkError {
    let message = String(cString: PQerrorMessage(handle)).split(separator: "\n")
      .joined(separator: " ")
    return SinkError(
      postgres: nil, message: message.isEmpty ? "the connection was lost" : message, place: place)
  }
}
