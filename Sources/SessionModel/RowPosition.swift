/// A row's place in the total order of the output: by session end, then session id.
///
/// As bytes it is 40 long, big-endian, so that comparing bytes compares positions. A sink's
/// progress is the position of the last row that it holds.
package struct RowPosition: Hashable, Comparable, Sendable {
  /// Event time of the session's last event, µs since 1970, never negative.
  package var sessionEnd: Microseconds
  package var sessionID: SessionID

  package static let byteCount = 8 + SessionID.byteCount

  package init(sessionEnd: Microseconds, sessionID: SessionID) {
    self.sessionEnd = sessionEnd
    self.sessionID = sessionID
  }

  package init(bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == RowPosition.byteCount, "a position has 40 bytes")
    let end = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
    sessionEnd = Int64(bitPattern: end)
    sessionID = SessionID(bytes: UnsafeRawBufferPointer(rebasing: bytes[8...]))
  }

  package func append(to bytes: inout [UInt8]) {
    withUnsafeBytes(of: UInt64(bitPattern: sessionEnd).bigEndian) {
      bytes.append(contentsOf: $0)
    }
    sessionID.append(to: &bytes)
  }

  @inlinable
  package static func < (left: RowPosition, right: RowPosition) -> Bool {
    left.sessionEnd != right.sessionEnd
      ? left.sessionEnd < right.sessionEnd : left.sessionID < right.sessionID
  }
}

/// `1431864342000000-<64 hex digits>`: how a position is kept in sinks and shown to people.
extension RowPosition: LosslessStringConvertible {
  package init?(_ description: String) {
    let parts = description.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let end = Int64(parts[0]), end >= 0, String(end) == parts[0],
      let id = SessionID(hex: parts[1])
    else { return nil }
    self.init(sessionEnd: end, sessionID: id)
  }

  package var description: String { "\(sessionEnd)-\(sessionID.hex)" }
}
