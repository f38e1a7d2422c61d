import CPostgres

/// A connection URI of libpq (PostgreSQL manual, 34.1.1.2), checked to hold no secret.
package struct PostgresAddress: Equatable, Sendable {
  /// As libpq reads it.
  let uri: String
  /// How long one attempt to connect may take, µs.
  let connectTimeout: Int64
  /// `PostgreSQL, HOST:PORT/DATABASE` for messages, as far as the address says it.
  let place: String

  private static let defaultConnectTimeout: Int64 = 10_000_000

  /// - Throws: `SinkAddressError` where libpq cannot read it, or where it holds a password: command
  ///   lines are seen by others. Its text repeats nothing of the address.
  package init(uri: String) throws(SinkAddressError) {
    guard let parts = PostgresAddress.parts(of: uri) else {
      throw SinkAddressError(
        "postgres: libpq cannot read this address; it is written postgres://USER@HOST:PORT/DATABASE"
      )
    }
    if parts["password"] != nil || parts["sslpassword"] != nil {
      throw SinkAddressError(
        "postgres: the address holds a password, which others can see. Give it in PGPASSWORD or in "
          + "a password file (PGPASSFILE, ~/.pgpass)")
    }
    self.uri = uri
    let seconds = parts["connect_timeout"].flatMap { Int64($0) } ?? 0
    connectTimeout =
      seconds > 0 ? min(seconds, 3_600) * 1_000_000 : PostgresAddress.defaultConnectTimeout
    let host = parts["host"] ?? parts["hostaddr"] ?? "the default host"
    let port = parts["port"].map { ":\($0)" } ?? ""
    place = "PostgreSQL, \(host)\(port)/\(parts["dbname"] ?? "")"
  }

  /// - Parameter address: was checked when its sink was made.
  init(_ address: SinkAddress) throws(SinkError) {
    do throws(SinkAddressError) {
      try self.init(uri: "postgres:" + address.rest)
    } catch {
      throw .unsuitable(error.description)
    }
  }

  /// What the address says, by libpq's keywords; nil where it cannot be read.
  private static func parts(of uri: String) -> [String: String]? {
    guard let options = PQconninfoParse(uri, nil) else { return nil }
    defer { PQconninfoFree(options) }
    var parts: [String: String] = [:]
    var next = options
    while let keyword = next.pointee.keyword {
      if let value = next.pointee.val { parts[String(cString: keyword)] = String(cString: value) }
      next += 1
    }
    return parts
  }
}
