package import SessionModel

/// What a column of the session table holds, whatever a dialect calls it.
package enum ColumnKind: Sendable {
  case text
  case boolean
  /// A point in time with µs, UTC.
  case timestamp
  case date
  /// A signed 64-bit integer.
  case integer
}

/// The one list from which all tables are made and against which they are checked.
extension SessionColumn {
  package var kind: ColumnKind {
    switch self {
    case .sessionID, .userID, .ip, .landingURL, .exitURL, .referrer, .host, .browserFamily,
      .osFamily, .deviceFamily, .country, .state, .city:
      .text
    case .isLoggedIn: .boolean
    case .sessionStart, .sessionEnd: .timestamp
    case .sessionDate: .date
    case .durationMs, .eventCount: .integer
    }
  }

  package var isNullable: Bool {
    switch self {
    case .sessionID, .ip, .isLoggedIn, .sessionStart, .sessionEnd, .sessionDate, .durationMs,
      .eventCount:
      false
    case .userID, .landingURL, .exitURL, .referrer, .host, .browserFamily, .osFamily,
      .deviceFamily, .country, .state, .city:
      true
    }
  }

  /// The row's text that the column holds; nil where its value is computed.
  package var rowText: RowText? {
    switch self {
    case .userID: .userID
    case .ip: .ip
    case .landingURL: .landingURL
    case .exitURL: .exitURL
    case .referrer: .referrer
    case .host: .host
    case .browserFamily: .browserFamily
    case .osFamily: .osFamily
    case .deviceFamily: .deviceFamily
    case .country: .country
    case .state: .state
    case .city: .city
    case .sessionID, .isLoggedIn, .sessionStart, .sessionEnd, .sessionDate, .durationMs,
      .eventCount:
      nil
    }
  }
}
