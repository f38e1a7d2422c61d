import Glibc
import Platform

/// A catalog in a SQLite file and a warehouse in a directory, and a Python process of the tests' own
/// that works on them with PyIceberg: another writer, another reader.
///
/// The interpreter is found through `SOJOURN_ICEBERG_PYTHON`, else under `.build/tools`, where
/// `.ci/test-tools.sh` puts it.
package final class IcebergWarehouse: Sendable {
  package static let catalog = "test"

  package static let python: String? = {
    if let given = getenv("SOJOURN_ICEBERG_PYTHON") { return String(cString: given) }
    let made = repositoryRoot() + "/.build/tools/iceberg/bin/python"
    return Files.exists(made) ? made : nil
  }()

  /// Whether tests are left out. Where changes are judged, nothing is: they fail.
  package static var isMissing: Bool { python == nil && getenv("CI") == nil }

  package static let skipMessage =
    "PyIceberg is not installed: .ci/test-tools.sh does that, or set SOJOURN_ICEBERG_PYTHON"

  /// One for all tests of this process; each takes a namespace of its own.
  package static let shared: IcebergWarehouse = {
    let warehouse = IcebergWarehouse()
    atexit {
      IcebergWarehouse.shared.client.change { $0 = nil }
      TemporaryDirectory.remove(IcebergWarehouse.shared.directory)
    }
    return warehouse
  }()

  package let directory: String
  private let namespaces = Monitor(0)
  private let client = Monitor<PythonClient?>(nil)

  package init() {
    do throws(SystemError) {
      directory = try Files.makeTemporaryDirectory("sojourn-warehouse")
    } catch {
      preconditionFailure("\(error)")
    }
  }

  package var database: String { directory + "/catalog.db" }

  /// PyIceberg's configuration, as variables.
  package var environment: [String: String] {
    let prefix = "PYICEBERG_CATALOG__\(IcebergWarehouse.catalog.uppercased())__"
    return [
      prefix + "TYPE": "sql", prefix + "URI": "sqlite:///\(database)",
      prefix + "WAREHOUSE": "file://\(directory)",
    ]
  }

  package func makeNamespace() -> String {
    namespaces.change { number in
      number += 1
      return "n\(number)"
    }
  }

  /// Runs Python code, with `catalog` at hand and `rows_of(table)` as JSON lines, in the one process.
  ///
  /// - Returns: what it printed.
  /// - Throws: `PythonClient.Failure` with the traceback where it failed.
  @discardableResult
  package func run(_ code: String) throws(PythonClient.Failure) -> String {
    try client.change { client throws(PythonClient.Failure) in
      let running: PythonClient
      if let present = client {
        running = present
      } else {
        running = try PythonClient(IcebergWarehouse.python ?? "python3", environment: environment)
        _ = try running.run(IcebergWarehouse.beginning)
      }
      client = running
      return try running.run(code)
    }
  }

  /// The rows of a table as `SessionRowJSON` writes them, by session end and id; read without the
  /// sink's code.
  package func export(_ table: String) throws(PythonClient.Failure) -> [UInt8] {
    Array(try run("print(rows_of('\(table)'), end='')").utf8)
  }

  private static let beginning = #"""
    import json
    from datetime import date, datetime, timedelta
    import pyarrow as pa
    from pyiceberg.catalog import load_catalog

    catalog = load_catalog("test")
    epoch = datetime(1970, 1, 1)

    def text(column):
        if pa.types.is_timestamp(column.type):
            numbers = column.cast(pa.int64()).to_pylist()
            return [(epoch + timedelta(microseconds=n)).isoformat(timespec="microseconds") + "Z"
                    for n in numbers]
        values = column.to_pylist()
        return [v.isoformat() if isinstance(v, date) else v for v in values]

    def rows_of(name):
        try:
            table = catalog.load_table(name)
        except Exception:
            return ""
        rows = table.scan().to_arrow().sort_by([("session_end", "ascending"), ("session_id", "ascending")])
        columns = [text(column) for column in rows.columns]
        dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        return "".join(dump(dict(zip(rows.column_names, row))).replace("\x7f", "\\u007f") + "\n"
                       for row in zip(*columns))
    """#
}
