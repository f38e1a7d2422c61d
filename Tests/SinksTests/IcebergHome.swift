import Platform
import SessionModel
import Sinks
import TestSupport

/// A namespace of its own in the tests' catalog.
final class IcebergHome: SinkHome, @unchecked Sendable {
  // Unchecked: nothing changes after init.
  /// Helpers take most of a second to start, so tests share some. Each request says all that it needs.
  private static let helpers = (0..<3).map { _ in makeHelper() }
  private static let turns = Monitor(0)

  let warehouse: IcebergWarehouse
  /// Namespace and table.
  let table: String

  init(_ warehouse: IcebergWarehouse = .shared) {
    self.warehouse = warehouse
    table = warehouse.makeNamespace() + ".sessions"
  }

  var address: String { "\(IcebergWarehouse.catalog).\(table)" }

  /// Claims are commits here, a hundred times as dear as elsewhere.
  var raceBatches: Int { 4 }

  static func makeHelper(
    _ warehouse: IcebergWarehouse = .shared, answerLimit: Microseconds = 60 * .perSecond
  ) -> IcebergHelper {
    IcebergHelper(
      python: IcebergWarehouse.python, environment: warehouse.environment, answerLimit: answerLimit)
  }

  func makeSink() -> any Sink {
    let turn = IcebergHome.turns.change { turn in
      turn += 1
      return turn
    }
    return makeSink(IcebergHome.helpers[turn % IcebergHome.helpers.count])
  }

  func makeSink(_ helper: IcebergHelper) -> any Sink {
    do throws(SinkAddressError) {
      return try IcebergSink(address, helper: helper, commitInterval: 60 * .perSecond)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  func export() throws -> [UInt8] { try warehouse.export(table) }

  @discardableResult
  func run(_ code: String) throws -> String {
    try warehouse.run("name = '\(table)'\n" + code)
  }

  /// Where the table's newest metadata are, as the catalog says; nil where it knows of no table.
  func metadataLocation() throws -> String? {
    let rows = try SQLiteFile(warehouse.database).rows(
      "SELECT metadata_location FROM iceberg_tables WHERE \(key)")
    return rows.first?.first ?? nil
  }

  private var key: String {
    let parts = table.split(separator: ".")
    return "table_namespace = '\(parts[0])' AND table_name = '\(parts[1])'"
  }

  private func runSQL(_ statements: String) throws {
    try SQLiteFile(warehouse.database).run(statements)
  }

  /// Files of a table never change, so that its entry in the catalog is the whole of it.
  func backUp() throws {
    try runSQL(
      """
      CREATE TABLE IF NOT EXISTS backups AS SELECT * FROM iceberg_tables WHERE false;
      DELETE FROM backups WHERE \(key);
      INSERT INTO backups SELECT * FROM iceberg_tables WHERE \(key);
      """)
  }

  func restore() throws {
    delete()
    try runSQL("INSERT INTO iceberg_tables SELECT * FROM backups WHERE \(key)")
  }

  func delete() {
    do { try runSQL("DELETE FROM iceberg_tables WHERE \(key)") } catch {
      preconditionFailure("\(error)")
    }
  }

  func makeForeignRows() throws {
    let (sink, _) = try open()
    try sink.write(after: nil, rows: SampleRows.batch(0..<1))
    sink.close()
    try run(
      """
      old = catalog.load_table(name)
      rows = old.scan().to_arrow()
      catalog.drop_table(name)
      catalog.create_table(name, old.schema(), partition_spec=old.spec()).append(rows)
      """)
  }
}

extension IcebergHome {
  /// How many files the warehouse holds for the table.
  func fileCount() throws -> Int {
    let parts = table.split(separator: ".")
    let place = "\(warehouse.directory)/\(parts[0])/\(parts[1])"
    let metadata = (try? Files.names(in: place + "/metadata").count) ?? 0
    let partitions = (try? Files.names(in: place + "/data")) ?? []
    return try partitions.reduce(metadata) {
      $0 + (try Files.names(in: "\(place)/data/\($1)").count)
    }
  }

  /// Appends the rows that are there once more, as a commit of another's.
  func makeForeignAppend() throws {
    try run("t = catalog.load_table(name); t.append(t.scan().to_arrow())")
  }

  /// What the sink's own reader makes of the table.
  func arrived(_ helper: IcebergHelper) throws -> [String] {
    let rows = try Sinks.arrivedRows(ofIceberg: address, helper: helper)
    var lines: [String] = []
    while let row = try rows.next() { lines.append(String(decoding: row, as: UTF8.self)) }
    return lines
  }
}
