package import SessionModel

/// An event of a random log, owned.
package struct LoggedEvent: Equatable, Sendable {
  package var point: EventPoint
  package var userID: String
  package var ip: String
  /// What a key of one's own goes by.
  package var visitor: String
  package var url: String
  package var referrer: String?
  /// The family of the device: `Spider` for a bot.
  package var device: String?

  package init(
    point: EventPoint, userID: String, ip: String, visitor: String = "v", url: String,
    referrer: String?, device: String? = nil
  ) {
    self.point = point
    self.userID = userID
    self.ip = ip
    self.visitor = visitor
    self.url = url
    self.referrer = referrer
    self.device = device
  }

  /// The key's fields, joined.
  package func key(_ layout: KeyLayout) -> String {
    layout.fields.map { $0 == "user_id" ? userID : $0 == "ip" ? ip : visitor }
      .joined(separator: "\u{1F}")
  }
}

extension LoggedEvent {
  /// The event as a record's value.
  package var json: [UInt8] {
    var text = "{\"event_time\":\(point.time),\"ip\":\"\(ip)\",\"url\":\"\(url)\""
    if !userID.isEmpty { text += ",\"user_id\":\"\(userID)\"" }
    if let referrer { text += ",\"referrer\":\"\(referrer)\"" }
    if let device { text += ",\"user_agent\":{\"device\":{\"family\":\"\(device)\"}}" }
    return Array((text + "}").utf8)
  }
}

/// The sessions of a batch job, the naive way: sort each key's events and scan.
///
/// - Returns: the encoded rows, in the order of their positions.
package func batchRows(
  _ events: [LoggedEvent], gap: Microseconds, split: Microseconds = .max, key: KeyLayout = .standard
) -> [[UInt8]] {
  var byKey: [String: [LoggedEvent]] = [:]
  for event in events { byKey[event.key(key), default: []].append(event) }
  var rows: [(position: RowPosition, bytes: [UInt8])] = []
  var ids = SessionIDHasher()
  func add(_ session: [LoggedEvent]) {
    let bytes = encodedRow(of: session, &ids, key: key)
    rows.append((bytes.withUnsafeBytes { SessionRow(bytes: $0)!.position }, bytes))
  }
  for list in byKey.values {
    var session: [LoggedEvent] = []
    for event in list.sorted(by: { $0.point < $1.point }) {
      if let last = session.last,
        event.point.time > last.point.time + gap
          || event.point.time / split != last.point.time / split
      {
        add(session)
        session = []
      }
      session.append(event)
    }
    add(session)
  }
  return rows.sorted { $0.position < $1.position }.map(\.bytes)
}

/// The encoded row of a session's events.
///
/// - Parameter session: in the order of their points, not empty.
package func encodedRow(
  of session: [LoggedEvent], _ ids: inout SessionIDHasher, key: KeyLayout = .standard
) -> [UInt8] {
  let first = session.first!
  let last = session.last!
  let userID = key.userID == nil ? last.userID : first.userID
  let texts: [RowText: String?] = [
    .ownKey: key.own.isEmpty ? nil : first.visitor, .userID: userID.isEmpty ? nil : userID,
    .ip: first.ip, .landingURL: first.url, .exitURL: last.url, .referrer: first.referrer,
    .deviceFamily: first.device,
    // Referrers of random logs have no host.
    .channel: first.referrer == nil ? "direct" : "referral",
  ]
  let id = withText(first.key(key)) { ids.id(key: $0, start: first.point.time) }
  var bytes: [UInt8] = []
  withViews(of: texts) { views in
    SessionRow.append(
      id: id, start: first.point.time, end: last.point.time, eventCount: UInt64(session.count),
      pages: pageCounts(session.map(\.url)), texts: { views[$0] }, to: &bytes)
  }
  return bytes
}

/// Every URL is a page view but those of style sheets; a page is a URL without its query.
package func pageCounts(_ urls: [String]) -> PageCounts {
  let pages = urls.map { String($0.prefix { $0 != "?" }) }.filter { !$0.hasSuffix(".css") }
  return PageCounts(
    views: UInt64(pages.count), distinct: UInt64(min(Set(pages).count, PageSet.limit + 1)))
}

/// Calls `body` with views of texts; those that are nil have none.
package func withViews(of texts: [RowText: String?], _ body: ([RowText: TextView]) -> Void) {
  let owned = texts.compactMapValues { $0.map { Array($0.utf8) + [0] } }
  let joined = Array(owned.values.joined())
  joined.withUnsafeBytes { all in
    var views: [RowText: TextView] = [:]
    var place = 0
    for (text, bytes) in owned {
      views[text] = TextView(rebasing: all[place..<(place + bytes.count - 1)])
      place += bytes.count
    }
    body(views)
  }
}

/// Calls `body` with the bytes of a text.
package func withText<Result>(_ text: String, _ body: (TextView) -> Result) -> Result {
  var text = text
  return text.withUTF8 { body(TextView($0)) }
}
