package import SessionModel

/// An event of a random log, owned.
package struct LoggedEvent: Equatable, Sendable {
  package var point: EventPoint
  package var userID: String
  package var ip: String
  package var url: String
  package var referrer: String?

  package init(point: EventPoint, userID: String, ip: String, url: String, referrer: String?) {
    self.point = point
    self.userID = userID
    self.ip = ip
    self.url = url
    self.referrer = referrer
  }
}

extension LoggedEvent {
  /// The event as a record's value.
  package var json: [UInt8] {
    var text = "{\"event_time\":\(point.time),\"ip\":\"\(ip)\",\"url\":\"\(url)\""
    if !userID.isEmpty { text += ",\"user_id\":\"\(userID)\"" }
    if let referrer { text += ",\"referrer\":\"\(referrer)\"" }
    return Array((text + "}").utf8)
  }
}

/// The sessions of a batch job, the naive way: sort each key's events and scan.
///
/// - Returns: the encoded rows, in the order of their positions.
package func batchRows(_ events: [LoggedEvent], gap: Microseconds) -> [[UInt8]] {
  var byKey: [String: [LoggedEvent]] = [:]
  for event in events { byKey[event.userID + "|" + event.ip, default: []].append(event) }
  var rows: [(position: RowPosition, bytes: [UInt8])] = []
  var ids = SessionIDHasher()
  for list in byKey.values {
    var session: [LoggedEvent] = []
    for event in list.sorted(by: { $0.point < $1.point }) {
      if let last = session.last, event.point.time > last.point.time + gap {
        rows.append(row(of: session, &ids))
        session = []
      }
      session.append(event)
    }
    rows.append(row(of: session, &ids))
  }
  return rows.sorted { $0.position < $1.position }.map(\.bytes)
}

private func row(
  of session: [LoggedEvent], _ ids: inout SessionIDHasher
) -> (position: RowPosition, bytes: [UInt8]) {
  let bytes = encodedRow(of: session, &ids)
  let position = bytes.withUnsafeBytes { SessionRow(bytes: $0)!.position }
  return (position, bytes)
}

/// The encoded row of a session's events.
///
/// - Parameter session: in the order of their points, not empty.
package func encodedRow(of session: [LoggedEvent], _ ids: inout SessionIDHasher) -> [UInt8] {
  let first = session.first!
  let last = session.last!
  let id = withText(first.userID) { user in
    withText(first.ip) { ids.id(userID: user, ip: $0, start: first.point.time) }
  }
  var bytes: [UInt8] = []
  withText(first.userID) { user in
    withText(first.ip) { ip in
      withText(first.url) { landing in
        withText(last.url) { exit in
          withText(first.referrer ?? "") { referrer in
            SessionRow.append(
              id: id, start: first.point.time, end: last.point.time,
              eventCount: UInt64(session.count),
              texts: { text in
                switch text {
                case .userID: user.isEmpty ? nil : user
                case .ip: ip
                case .landingURL: landing
                case .exitURL: exit
                case .referrer: first.referrer == nil ? nil : referrer
                default: nil
                }
              }, to: &bytes)
          }
        }
      }
    }
  }
  return bytes
}

/// Calls `body` with the bytes of a text.
package func withText<Result>(_ text: String, _ body: (TextView) -> Result) -> Result {
  var text = text
  return text.withUTF8 { body(TextView($0)) }
}
