/// The name of a session table: an identifier that every SQL dialect takes.
package struct TableName: Equatable, Sendable {
  package let text: String

  /// `--table` where it is not given.
  package static let sessions = TableName(valid: "sessions")

  /// Those of a drill: of the drilled run, and of the one that it is compared with.
  package static let drilled = TableName(valid: "sojourn_drilled")
  package static let uninterrupted = TableName(valid: "sojourn_uninterrupted")

  private static let byteLimit = 63

  private init(valid text: String) { self.text = text }

  /// Reads a letter or `_`, then up to 62 letters, digits or `_`, all ASCII.
  ///
  /// - Throws: `SinkAddressError` for other names, for `sojourn_sinks`, where sinks keep their
  ///   positions, and for `sqlite_…`, which SQLite keeps to itself.
  package init(parsing text: String) throws(SinkAddressError) {
    guard let first = text.utf8.first, first.isASCIILetter || first == UInt8(ascii: "_"),
      text.utf8.count <= TableName.byteLimit,
      text.utf8.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "_") })
    else {
      throw SinkAddressError(
        "the table name \"\(text)\" is not a letter or _ and then up to \(TableName.byteLimit - 1) "
          + "letters, digits or _")
    }
    let lowercase = text.lowercased()
    if lowercase == SinkDDL.ledgerTable || lowercase.hasPrefix("sqlite_") {
      throw SinkAddressError("the table name \"\(text)\" is reserved; choose another")
    }
    self.init(valid: text)
  }

  /// In double quotes, as the SQL standard writes an identifier that may be a keyword.
  var quoted: String { "\"\(text)\"" }
}
