import Glibc
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// One table of one sink in a place of its own, and what the conformance suite needs to do to it
/// from outside.
protocol SinkHome: AnyObject, Sendable {
  /// A sink as a new process would make it.
  func makeSink() -> any Sink
  /// What the table holds, read without the sink.
  func export() throws -> [UInt8]
  /// Takes a consistent backup, also while a sink is open.
  func backUp() throws
  /// Puts the backup back in the place of the table; no sink is open.
  func restore() throws
  /// Takes the table away, as a disk that is no longer mounted.
  func delete()
  /// Whether its texts can hold U+0000; else U+FFFD stands in for it.
  var holdsNull: Bool { get }
  /// Whether the sink knows its position; else what the state acknowledged is all there is.
  var keepsPosition: Bool { get }
  /// How many writes a race for the table goes on for.
  var raceBatches: Int { get }
  /// Makes a table with one row that no job has claimed.
  func makeForeignRows() throws
}

extension SinkHome {
  var holdsNull: Bool { true }
  var keepsPosition: Bool { true }
  var raceBatches: Int { 20 }

  /// What a sink that holds rows up to a position tells a process whose state knows of none.
  func told(_ position: RowPosition?) -> RowPosition? { keepsPosition ? position : nil }

  func lines() throws -> [String] { TableExport.lines(try export()) }

  /// Opens a new sink for the usual job.
  func open(_ owner: UInt8 = 1) throws -> (any Sink, RowPosition?) {
    let sink = makeSink()
    let position = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(owner), claim: .first, adopt: false)
    return (sink, position)
  }
}

/// A kind of sink that the conformance suite runs over. A new sink joins by one entry in `all`.
struct SinkUnderTest: CustomTestStringConvertible, Sendable {
  let testDescription: String
  /// Whether an older process is kept from writing once another has claimed the table.
  let isFenced: Bool
  /// Whether rows and position come back together from a backup.
  let isRestorable: Bool
  /// Whether a process sees that its table was replaced under it.
  let seesReplacement: Bool
  /// Whether a claim is one step: else a process may be stopped before it is told by whom, and has
  /// to open the table again to hear that.
  let isClaimedAtOnce: Bool
  let makeHome: @Sendable () -> any SinkHome

  init(
    _ name: String, isFenced: Bool = true, isRestorable: Bool = true,
    seesReplacement: Bool = true, isClaimedAtOnce: Bool = true,
    makeHome: @escaping @Sendable () -> any SinkHome
  ) {
    testDescription = name
    self.isFenced = isFenced
    self.isRestorable = isRestorable
    self.seesReplacement = seesReplacement
    self.isClaimedAtOnce = isClaimedAtOnce
    self.makeHome = makeHome
  }

  static let all =
    [
      SinkUnderTest("SQLite") { SQLiteHome() }, SinkUnderTest("JSONL") { JSONLHome() },
      kafka,
    ] + (PostgresServer.isMissing ? [] : [postgres])
    + (PgBouncer.isMissing ? [] : [pooledPostgres])
    + (SecondBroker.isMissing ? [] : [transactionalKafka])
    + (IcebergWarehouse.isMissing ? [] : [iceberg])

  static let fenced = all.filter(\.isFenced)
  static let restorable = all.filter(\.isRestorable)
  static let guarded = all.filter(\.seesReplacement)

  private static let postgres = SinkUnderTest("PostgreSQL") { PostgresHome() }
  private static let pooledPostgres = SinkUnderTest("PostgreSQL behind PgBouncer") {
    PostgresHome(through: .shared)
  }
  private static let iceberg = SinkUnderTest("Iceberg") { IcebergHome() }
  /// A topic has no place for an owner and a position that changes with its records.
  private static let kafka = SinkUnderTest(
    "Kafka", isFenced: false, isRestorable: false, seesReplacement: false
  ) { PlainKafkaHome() }
  private static let transactionalKafka = SinkUnderTest(
    "Kafka in transactions", seesReplacement: false, isClaimedAtOnce: false
  ) { TransactionalKafkaHome() }
}

extension SinkError {
  /// The case without its text.
  var kind: String {
    switch self {
    case .unavailable: "unavailable"
    case .takenOver: "takenOver"
    case .foreign: "foreign"
    case .unsuitable: "unsuitable"
    case .authentication: "authentication"
    case .moved: "moved"
    }
  }
}

extension Sink {
  /// Opens as a process whose state knows of no row.
  func open(
    identity: JobIdentity, owner: OwnerID, claim: SinkClaim, adopt: Bool
  ) throws(SinkError) -> RowPosition? {
    try open(
      SinkClaimant(identity: identity, owner: owner, claim: claim, adopt: adopt),
      acknowledged: nil)
  }
}

/// The error that `body` ends with, as `kind: text`; nil if it ends well.
func failure(_ body: () throws(SinkError) -> Void) -> SinkError? {
  do throws(SinkError) {
    try body()
    return nil
  } catch {
    return error
  }
}

final class SQLiteHome: SinkHome, @unchecked Sendable {
  // Unchecked: nothing changes after init.
  let directory = TemporaryDirectory()

  var path: String { directory.path + "/sessions.db" }
  private var backup: String { directory.path + "/backup.db" }

  func makeSink() -> any Sink { SQLiteSink(path: path, table: .sessions) }
  func export() throws -> [UInt8] { try TableExport.sqlite(path) }
  func run(_ statements: String) throws { try SQLiteFile(path).run(statements) }

  func backUp() throws { try run("VACUUM INTO '\(backup)'") }

  func delete() {
    for suffix in ["", "-wal", "-shm"] { TemporaryDirectory.remove(path + suffix) }
  }

  func restore() throws {
    delete()
    try Files.replace(path, with: try Files.read(backup))
  }

  func makeForeignRows() throws {
    try run(SinkDDL.text(dialect: .sqlite, table: .sessions))
    try run(
      """
      INSERT INTO sessions (session_id, ip, is_logged_in, session_start, session_end, session_date,
        duration_ms, event_count, page_views, distinct_pages,
        distinct_pages_is_minimum, is_bounce, is_bot, channel)
        VALUES ('x', '', 0, '', '', '', 0, 0, 0, 0, 0, 0, 0, '')
      """)
  }
}

final class JSONLHome: SinkHome, @unchecked Sendable {
  // Unchecked: nothing changes after init.
  let directory = TemporaryDirectory()

  var path: String { directory.path + "/sessions" }
  private var backup: String { directory.path + "/backup" }

  func makeSink() -> any Sink { JSONLSink(directory: path) }
  func export() throws -> [UInt8] { try TableExport.jsonl(path) }
  func backUp() throws { try copy(path, to: backup) }

  func delete() { TemporaryDirectory.remove(path) }

  func restore() throws {
    delete()
    try copy(backup, to: path)
  }

  func makeForeignRows() throws {
    let (sink, _) = try open()
    try sink.write(after: nil, rows: SampleRows.batch(0..<1))
    sink.close()
    try Files.remove(path + "/_owner")
    try Files.remove(path + "/_position")
  }

  func fileNames() throws -> [String] {
    try Files.names(in: path).filter { $0.hasPrefix("sessions-") }
  }

  private func copy(_ from: String, to: String) throws {
    TemporaryDirectory.remove(to)
    try Files.makeDirectory(to)
    for name in try Files.names(in: from) {
      try Files.replace(to + "/" + name, with: try Files.read(from + "/" + name))
    }
  }
}
