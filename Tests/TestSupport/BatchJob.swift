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
  let first = session.first!
  let last = session.last!
  let id = withText(first.userID) { user in
    withText(first.ip) { ids.id(userID: user, ip: $0, start: first.point.time) }
  }
  var bytes: [UInt8] = []
  let texts: [RowText: [UInt8]] = [
    .ip: Array(first.ip.utf8), .landingURL: Array(first.url.utf8), .exitURL: Array(last.url.utf8),
  ]
  SessionRow.append(
    id: id, start: first.point.time, end: last.point.time, eventCount: UInt64(session.count),
    texts: { text in
      let owned: [UInt8]? =
        switch text {
        case .userID: first.userID.isEmpty ? nil : Array(first.userID.utf8)
        case .referrer: first.referrer.map { Array($0.utf8) }
        default: texts[text]
        }
      guard let owned else { return nil }
      // The view outlives the closure only until the row is encoded: keep the bytes meanwhile.
      return Leak.view(owned)
    }, to: &bytes)
  return (RowPosition(sessionEnd: last.point.time, sessionID: id), bytes)
}

/// Views whose bytes live as long as the test process; the oracle's texts are few and short.
private enum Leak {
  static func view(_ bytes: [UInt8]) -> TextView {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    copy.copyBytes(from: bytes)
    return TextView(copy)
  }
}

/// Calls `body` with the bytes of a text.
package func withText<Result>(_ text: String, _ body: (TextView) -> Result) -> Result {
  var text = text
  return text.withUTF8 { body(TextView($0)) }
}
