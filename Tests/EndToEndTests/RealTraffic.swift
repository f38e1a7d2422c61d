import Platform
import SessionModel
import TestSupport

/// 10,000 real events and the sessions that Spark 4.0.1's `session_window` finds in them. They lie
/// beside the package, not in it.
enum RealTraffic {
  static let isThere = Files.exists(path) && Files.exists(folder + "apache-2015.sessions.jsonl")
  static let whyNot = "../shared/data/apache-2015.jsonl is not there"
  static let eventCount = 10_000
  static let sessionCount = 3_178
  static var path: String { folder + "apache-2015.jsonl" }

  private static var folder: String {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return root.joined(separator: "/") + "/../shared/data/"
  }

  /// Each a JSON text without its line's end.
  static func events() throws -> [[UInt8]] {
    try Files.read(path).split(separator: UInt8(ascii: "\n")).map(Array.init)
  }

  /// The expected sessions, one a line, in a fixed order.
  static func expectedSessions() throws -> [String] {
    TableExport.lines(try Files.read(folder + "apache-2015.sessions.jsonl")).sorted()
  }

  /// What a table holds, in the form of the expected sessions.
  static func sessions(inTable path: String) throws -> [String] {
    let micros = { (column: String) in
      "strftime('%s', \(column)) * 1000000 + substr(\(column), 21, 6)"
    }
    return try SQLiteFile(path).rows(
      """
      SELECT coalesce(json_quote(user_id), 'null'), json_quote(ip), \(micros("session_start")),
        \(micros("session_end")), event_count FROM sessions
      """
    ).map { row in
      let row = row.map { $0 ?? "null" }
      return """
        {"user_id":\(row[0]),"ip":\(row[1]),"session_start_us":\(row[2]),\
        "session_end_us":\(row[3]),"event_count":\(row[4])}
        """
    }.sorted()
  }
}
