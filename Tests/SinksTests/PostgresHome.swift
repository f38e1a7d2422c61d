import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// A database of its own on the tests' server.
final class PostgresHome: SinkHome, @unchecked Sendable {
  // Unchecked: nothing changes after init.
  let server: PostgresServer
  let database: String
  private let pooler: PgBouncer?

  /// - Parameters:
  ///   - pooler: through which sinks come to the server; the tests themselves do not.
  ///   - directory: where its tables are, as the server sees it.
  init(
    _ server: PostgresServer = .shared, through pooler: PgBouncer? = nil,
    in directory: String? = nil
  ) {
    self.server = server
    self.pooler = pooler
    do {
      database = try server.makeDatabase(in: directory)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  var holdsNull: Bool { false }
  var uri: String { server.uri(database) }
  /// The address that sinks are given.
  var sinkURI: String { pooler?.uri(database) ?? uri }

  func makeSink() -> any Sink { makeSink(sinkURI) }

  func makeSink(_ uri: String) -> any Sink {
    do throws(SinkAddressError) {
      return try Sinks.make(try SinkAddress(parsing: uri), table: .sessions)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  func export() throws -> [UInt8] { try TableExport.postgres(uri) }
  func run(_ statements: String) throws { try PostgresClient(uri).run(statements) }

  func backUp() throws {
    try run(
      """
      CREATE SCHEMA backup;
      CREATE TABLE backup.sessions AS TABLE sessions;
      CREATE TABLE backup.sojourn_sinks AS TABLE sojourn_sinks;
      """)
  }

  func restore() throws {
    try allowConnections(true)
    // A pooler that was refused goes on refusing for a moment.
    _ = try eventually("the way to the database") {
      try? PostgresClient(sinkURI).rows("SELECT 1")
    }
    try run(
      """
      TRUNCATE sessions, sojourn_sinks;
      INSERT INTO sessions SELECT * FROM backup.sessions;
      INSERT INTO sojourn_sinks SELECT * FROM backup.sojourn_sinks;
      """)
  }

  func delete() {
    do { try allowConnections(false) } catch { preconditionFailure("\(error)") }
  }

  func allowConnections(_ allowed: Bool) throws {
    let administrator = try PostgresClient(server.uri("postgres"))
    try administrator.run("ALTER DATABASE \(database) ALLOW_CONNECTIONS \(allowed)")
    if !allowed {
      try administrator.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database)'")
    }
  }

  func makeForeignRows() throws {
    try run(SinkDDL.text(dialect: .postgres, table: .sessions))
    try run(
      """
      INSERT INTO sessions (session_id, ip, is_logged_in, session_start, session_end, session_date,
        duration_ms, event_count, page_views, distinct_pages,
        distinct_pages_is_minimum, is_bounce, is_bot, channel)
        VALUES ('x', '', false, 'epoch', 'epoch', 'epoch', 0, 0, 0, 0, false, false, false, '')
      """)
  }
}

extension PostgresHome {
  /// Writes batches of 50 rows as a delivery does, while something is killed and started again on
  /// another thread, four times.
  ///
  /// - Returns: the rows that must be there.
  func write(through killing: @escaping @Sendable () -> Void) throws -> RowBatch {
    let sink = makeSink()
    var held = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
    let (written, kills) = (Monitor(0), Monitor(0))
    let killer = try WorkerThread("killer") {
      // Just behind a write: the next one is on its way, or soon will be.
      for kill in 1...4 {
        _ = written.wait { $0 >= kill * 7 ? true : nil }
        killing()
        kills.change { $0 += 1 }
      }
    }
    var next = 0
    var errors = 0
    while kills.read({ $0 < 4 }) || next < 40 {
      let rows = SampleRows.batch(next * 50..<(next + 1) * 50)
      let failed = failure { () throws(SinkError) in
        try sink.write(after: held, rows: rows)
        held = rows.lastPosition
        next += 1
        written.change { $0 = next }
      }
      guard let failed else { continue }
      errors += 1
      #expect(failed.kind == "unavailable", "\(failed)")
      try eventually("opening of the sink") {
        let reopened = failure { () throws(SinkError) in
          held = try sink.open(
            identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
        }
        return reopened == nil ? () : nil
      }
      // A commit without an answer may have been one.
      if held == rows.lastPosition { next += 1 }
    }
    killer.join()
    #expect(errors > 0)
    return SampleRows.batch(0..<next * 50)
  }
}
