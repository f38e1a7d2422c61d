/// What a session's key is made of: fields in order, joined by the unit separator U+001F, which no
/// key field can hold. The joined text is the key everywhere: in events, in the state, under the
/// hash; with the session's start behind it, it is what `session_id` is the digest of.
package struct KeyLayout: Hashable, Sendable {
  /// `user_id`, `ip`, or names of fields of one's own.
  package let fields: [String]
  /// Where `user_id` stands among the fields; nil where it is none.
  package let userID: Int?
  package let ip: Int?
  /// Where the fields of one's own stand.
  package let own: [Int]

  /// `--key` where it is not given.
  package static let standard = KeyLayout(["user_id", "ip"])
  /// Between two fields.
  package static let separator: UInt8 = 0x1F
  /// The most fields of one's own.
  package static let ownFields = 4

  package init(_ fields: [String]) {
    self.fields = fields
    let userID = fields.firstIndex(of: EventField.userID.name)
    let ip = fields.firstIndex(of: EventField.ip.name)
    own = fields.indices.filter { $0 != userID && $0 != ip }
    self.userID = userID
    self.ip = ip
  }

  /// The names of the fields of one's own, in the key's order.
  package var ownNames: [String] { own.map { fields[$0] } }

  /// One field of a joined key.
  ///
  /// - Returns: an empty text where the key has fewer fields.
  package static func field(_ index: Int, of key: TextView) -> TextView {
    var start = 0
    for _ in 0..<index {
      guard let end = key[start...].firstIndex(of: separator) else {
        return TextView(rebasing: key[key.count...])
      }
      start = end + 1
    }
    let end = key[start...].firstIndex(of: separator) ?? key.count
    return TextView(rebasing: key[start..<end])
  }

  /// Appends the key that a row belongs to, where all its fields are in the row as they are in the key.
  package func appendKey(of row: SessionRow, to bytes: inout [UInt8]) {
    let none = TextView(start: nil, count: 0)
    for index in fields.indices {
      if index > 0 { bytes.append(KeyLayout.separator) }
      if index == userID {
        bytes.append(contentsOf: row[.userID] ?? none)
      } else if index == ip {
        bytes.append(contentsOf: row[.ip] ?? none)
      } else if let place = own.firstIndex(of: index) {
        bytes.append(contentsOf: KeyLayout.field(place, of: row[.ownKey] ?? none))
      }
    }
  }

  /// Appends the fields of one's own, joined; the rest of the key is in columns that every table has.
  package func appendOwnFields(of key: TextView, to bytes: inout [UInt8]) {
    for (place, index) in own.enumerated() {
      if place > 0 { bytes.append(KeyLayout.separator) }
      bytes.append(contentsOf: KeyLayout.field(index, of: key))
    }
  }
}
