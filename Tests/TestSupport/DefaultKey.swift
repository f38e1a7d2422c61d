package import SessionModel

/// Keys of `user_id` and `ip`, the default, for tests that make them by hand.

/// The joined key.
package func joinedKey(_ userID: some Sequence<UInt8>, _ ip: some Sequence<UInt8>) -> [UInt8] {
  Array(userID) + [KeyLayout.separator] + Array(ip)
}

extension KeyHasher {
  package func hash(userID: TextView, ip: TextView) -> KeyHash {
    joinedKey(userID, ip).withUnsafeBytes { hash($0) }
  }
}

extension SessionIDHasher {
  package mutating func id(userID: TextView, ip: TextView, start: Microseconds) -> SessionID {
    joinedKey(userID, ip).withUnsafeBytes { id(key: $0, start: start) }
  }
}

extension SessionRecord {
  package init(userID: [UInt8], ip: [UInt8], sessions: [Session]) {
    self.init(key: joinedKey(userID, ip), sessions: sessions)
  }

  /// The first field.
  package var userID: [UInt8] { Array(key.prefix { $0 != KeyLayout.separator }) }
  /// The second field.
  package var ip: [UInt8] { Array(key.drop { $0 != KeyLayout.separator }.dropFirst()) }
}

extension Event {
  /// Calls `body` with an event of this visitor, the rest of it empty.
  package static func with<Result>(
    userID: TextView, ip: TextView, _ body: (Event) throws -> Result
  ) rethrows -> Result {
    try joinedKey(userID, ip).withUnsafeBytes { key in
      var event = Event()
      (event.key, event.userID, event.ip) = (key, userID, ip)
      return try body(event)
    }
  }
}
