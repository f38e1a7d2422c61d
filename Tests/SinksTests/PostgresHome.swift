import SessionModel
import Sinks
import TestSupport

/// A database of its own on the tests' server.
final class PostgresHome: SinkHome, @unchecked Sendable {
  // Unchecked: nothing changes after init.
  let server: PostgresServer
  let database: String

  /// - Parameter directory: where its tables are, as the server sees it.
  init(_ server: PostgresServer = .shared, in directory: String? = nil) {
    self.server = server
    do {
      database = try server.makeDatabase(in: directory)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  var holdsNull: Bool { false }
  var uri: String { server.uri(database) }

  func makeSink() -> any Sink { makeSink(uri) }

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

  private func allowConnections(_ allowed: Bool) throws {
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
