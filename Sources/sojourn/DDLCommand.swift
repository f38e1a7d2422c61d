import Configuration
import Console
import SessionModel
import Sinks

/// `sojourn ddl`: what a sink would create.
enum DDLCommand {
  static func run(_ settings: DDLSettings) throws(CommandFailure) {
    let text: String
    do throws(SinkAddressError) {
      text = SinkDDL.text(
        dialect: dialect(settings.dialect), table: try TableName(parsing: settings.table),
        schema: SessionSchema(key: KeyLayout(settings.key)))
    } catch {
      throw CommandFailure(.usage, error.description, state: .untouched, remedy: nil)
    }
    try StandardOutput.write { (writer) throws(OutputError) in
      try writer.write(text.hasSuffix("\n") ? text : text + "\n")
    }
  }

  private static func dialect(_ dialect: DDLDialect) -> SinkDDL.Dialect {
    switch dialect {
    case .sqlite: .sqlite
    case .postgres: .postgres
    case .spark: .spark
    case .trino: .trino
    }
  }
}
