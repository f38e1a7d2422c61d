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

/// A column of the session table.
package struct SessionColumn: Hashable, Sendable {
  package let name: String
  package let kind: ColumnKind
  package let isNullable: Bool
  /// Where a row has its value.
  package let source: Source

  package enum Source: Hashable, Sendable {
    case sessionID, isLoggedIn, sessionStart, sessionEnd, sessionDate, durationMs, eventCount
    case pageViews, distinctPages, distinctPagesIsMinimum, isBounce, isBot
    case text(RowText)
    /// So many fields of one's own stand before it in the key.
    case ownKey(Int)
  }

  private init(_ name: String, _ kind: ColumnKind, _ source: Source, isNullable: Bool = false) {
    self.name = name
    self.kind = kind
    self.isNullable = isNullable
    self.source = source
  }

  private init(_ name: String, _ text: RowText, isNullable: Bool = true) {
    self.init(name, .text, .text(text), isNullable: isNullable)
  }

  package static let sessionID = SessionColumn("session_id", .text, .sessionID)
  package static let userID = SessionColumn("user_id", .userID)
  static func ip(isNullable: Bool) -> SessionColumn {
    SessionColumn("ip", .ip, isNullable: isNullable)
  }
  static func ownKey(_ name: String, _ index: Int) -> SessionColumn {
    SessionColumn(name, .text, .ownKey(index))
  }
  package static let isLoggedIn = SessionColumn("is_logged_in", .boolean, .isLoggedIn)
  package static let sessionStart = SessionColumn("session_start", .timestamp, .sessionStart)
  package static let sessionEnd = SessionColumn("session_end", .timestamp, .sessionEnd)
  package static let sessionDate = SessionColumn("session_date", .date, .sessionDate)
  package static let durationMs = SessionColumn("duration_ms", .integer, .durationMs)
  package static let eventCount = SessionColumn("event_count", .integer, .eventCount)

  /// What is counted of pages, and follows from that.
  static let pages = [
    SessionColumn("page_views", .integer, .pageViews),
    SessionColumn("distinct_pages", .integer, .distinctPages),
    SessionColumn("distinct_pages_is_minimum", .boolean, .distinctPagesIsMinimum),
    SessionColumn("is_bounce", .boolean, .isBounce),
  ]

  /// The columns of the first event's texts, of the last one's, of what follows from them, and of the
  /// geography.
  static let texts = [
    SessionColumn("landing_url", .landingURL), SessionColumn("exit_url", .exitURL),
    SessionColumn("referrer", .referrer), SessionColumn("host", .host),
    SessionColumn("browser_family", .browserFamily), SessionColumn("os_family", .osFamily),
    SessionColumn("device_family", .deviceFamily), SessionColumn("is_bot", .boolean, .isBot),
    SessionColumn("utm_source", .utmSource), SessionColumn("utm_medium", .utmMedium),
    SessionColumn("utm_campaign", .utmCampaign), SessionColumn("click_id", .clickID),
    SessionColumn("click_id_type", .clickIDType),
    SessionColumn("channel", .channel, isNullable: false), SessionColumn("country", .country),
    SessionColumn("state", .state), SessionColumn("city", .city),
  ]
}

/// The columns of a job's session table, in the table's order: the one list from which all tables
/// are made, against which they are checked, and by which rows are written.
package struct SessionSchema: Hashable, Sendable {
  package let columns: [SessionColumn]

  /// That of a job with the key that is the default.
  package static let standard = SessionSchema(key: .standard)

  /// - Parameter key: its fields of one's own are columns of their own; `user_id` and `ip` are columns
  ///   of every table.
  package init(key: KeyLayout) {
    columns =
      [.sessionID] + key.ownNames.enumerated().map { .ownKey($1, $0) }
      + [
        .userID, .ip(isNullable: key.ip == nil), .isLoggedIn, .sessionStart, .sessionEnd,
        .sessionDate, .durationMs, .eventCount,
      ] + SessionColumn.pages + SessionColumn.texts
  }

  package var names: [String] { columns.map(\.name) }
}

/// A row's value of one column, without the text or number that a sink makes of it.
package enum SessionValue {
  case null
  case text(TextView)
  case sessionID(SessionID)
  case boolean(Bool)
  case timestamp(Microseconds)
  /// The UTC date of a point in time.
  case date(Microseconds)
  case integer(Int64)
}

extension SessionRow {
  package func value(of column: SessionColumn) -> SessionValue {
    switch column.source {
    case .sessionID: .sessionID(sessionID)
    case .isLoggedIn: .boolean(isLoggedIn)
    case .sessionStart: .timestamp(sessionStart)
    case .sessionEnd: .timestamp(sessionEnd)
    case .sessionDate: .date(sessionStart)
    case .durationMs: .integer(durationMs)
    case .eventCount: .integer(Int64(clamping: eventCount))
    case .pageViews: .integer(Int64(clamping: pages.views))
    case .distinctPages: .integer(Int64(clamping: pages.distinct))
    case .distinctPagesIsMinimum: .boolean(pages.isMinimum)
    case .isBounce: .boolean(pages.views <= 1)
    case .isBot: .boolean(isBot)
    case .text(let text): self[text].map { .text($0) } ?? .null
    case .ownKey(let index):
      self[.ownKey].map { .text(KeyLayout.field(index, of: $0)) } ?? .null
    }
  }
}
