/// The texts of a row that may be null, in their order in the encoding: the geography, which the
/// log does not decide, stands last.
package enum RowText: Int, CaseIterable, Sendable {
  /// Key fields of one's own, joined; null where the key has none.
  case ownKey
  case userID, ip, landingURL, exitURL, referrer, host, browserFamily, osFamily, deviceFamily
  case utmSource, utmMedium, utmCampaign, clickID, clickIDType, channel
  case country, state, city

  /// The texts that are fixed when the session closes.
  package static let fixedAtClose = allCases.prefix { $0 != .country }
}

/// A closed session as it is delivered: a view of encoded bytes that the owner keeps alive.
///
/// Encoding, little-endian: session id (32 bytes), start and end (i64, µs since 1970), event count,
/// page views and distinct pages (u64), then each of `RowText` as a u16 length (0xFFFF: null) and its bytes.
package struct SessionRow {
  private static let start = SessionID.byteCount
  private static let texts = start + 40
  private static let nullLength = UInt16.max

  package let bytes: UnsafeRawBufferPointer
  /// Where each text's length stands.
  private let places: InlineArray<19, UInt32>

  /// - Returns: nil unless `bytes` is exactly one encoded row.
  package init?(bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    var places = InlineArray<19, UInt32>(repeating: 0)
    var place = SessionRow.texts
    for text in 0..<RowText.allCases.count {
      guard place + 2 <= bytes.count else { return nil }
      places[text] = UInt32(place)
      let length = bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self)
      place += 2 + (length == SessionRow.nullLength ? 0 : Int(length))
    }
    guard place == bytes.count else { return nil }
    self.places = places
  }

  package var sessionID: SessionID {
    SessionID(bytes: UnsafeRawBufferPointer(rebasing: bytes[..<SessionID.byteCount]))
  }
  package var sessionStart: Microseconds {
    bytes.loadUnaligned(fromByteOffset: SessionRow.start, as: Int64.self)
  }
  package var sessionEnd: Microseconds {
    bytes.loadUnaligned(fromByteOffset: SessionRow.start + 8, as: Int64.self)
  }
  package var eventCount: UInt64 {
    bytes.loadUnaligned(fromByteOffset: SessionRow.start + 16, as: UInt64.self)
  }
  /// The session date, in days since 1970.
  package var sessionDay: UInt32 { UInt32(clamping: sessionStart / .perDay) }
  package var pages: PageCounts {
    PageCounts(
      views: bytes.loadUnaligned(fromByteOffset: SessionRow.start + 24, as: UInt64.self),
      distinct: bytes.loadUnaligned(fromByteOffset: SessionRow.start + 32, as: UInt64.self))
  }
  package var isBot: Bool {
    BotRules.isBot(browser: self[.browserFamily], device: self[.deviceFamily])
  }
  package var durationMs: Int64 { (sessionEnd - sessionStart) / Microseconds.perMillisecond }
  package var isLoggedIn: Bool { self[.userID] != nil }
  package var position: RowPosition {
    RowPosition(sessionEnd: sessionEnd, sessionID: sessionID)
  }
  /// The encoding without its texts.
  package var numbers: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[..<SessionRow.texts])
  }
  /// The part of the encoding that is fixed when the session closes: all but the geography.
  package var fixedAtClose: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[..<Int(places[RowText.country.rawValue])])
  }

  /// The position of an encoded row, which was checked when it was read.
  package static func position(ofEncoded bytes: [UInt8]) -> RowPosition {
    bytes.withUnsafeBytes { bytes in
      guard let row = SessionRow(bytes: bytes) else {
        preconditionFailure("an encoded row is whole")
      }
      return row.position
    }
  }

  /// A text of the row; nil where it is null.
  package subscript(text: RowText) -> TextView? {
    let place = Int(places[text.rawValue])
    let length = bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self)
    if length == SessionRow.nullLength { return nil }
    return TextView(rebasing: bytes[(place + 2)..<(place + 2 + Int(length))])
  }

  /// Appends an encoded row.
  ///
  /// - Parameter texts: called for each text in order; at most 65,534 bytes each.
  package static func append(
    id: SessionID, start: Microseconds, end: Microseconds, eventCount: UInt64,
    pages: PageCounts = PageCounts(), texts: (RowText) -> TextView?, to bytes: inout [UInt8]
  ) {
    id.append(to: &bytes)
    withUnsafeBytes(of: start.littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: end.littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: eventCount.littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: pages.views.littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: pages.distinct.littleEndian) { bytes.append(contentsOf: $0) }
    for text in RowText.allCases {
      guard let view = texts(text) else {
        bytes.append(0xFF)
        bytes.append(0xFF)
        continue
      }
      precondition(view.count < Int(nullLength), "a row's text is bounded by Limits")
      withUnsafeBytes(of: UInt16(view.count).littleEndian) { bytes.append(contentsOf: $0) }
      bytes.append(contentsOf: view)
    }
  }
}

/// Rows in the order of their positions, encoded one behind the other; it owns the bytes.
package struct RowBatch {
  /// The encoded rows.
  package private(set) var bytes: [UInt8] = []
  /// Where each row ends in `bytes`.
  package private(set) var ends: [Int] = []

  package init() {}

  package var count: Int { ends.count }
  package var isEmpty: Bool { ends.isEmpty }

  /// Appends one encoded row.
  package mutating func append(encoded row: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: row)
    ends.append(bytes.count)
  }

  /// Appends one row by encoding it in place: `encode` appends its bytes.
  package mutating func append(encode: (inout [UInt8]) -> Void) {
    encode(&bytes)
    ends.append(bytes.count)
  }

  /// Calls `body` with the encoding of each row, in order.
  package func forEachEncoded<Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    var failure: Failure?
    bytes.withUnsafeBytes { all in
      var start = 0
      for end in ends {
        do throws(Failure) {
          try body(UnsafeRawBufferPointer(rebasing: all[start..<end]))
        } catch {
          failure = error
          return
        }
        start = end
      }
    }
    if let failure { throw failure }
  }

  /// Calls `body` with each row, in order. The rows were encoded by `SessionRow.append` or checked
  /// when they were read, so a broken one is a programming error.
  package func forEachRow<Failure: Error>(
    _ body: (SessionRow) throws(Failure) -> Void
  ) throws(Failure) {
    try forEachEncoded { (encoded) throws(Failure) in
      guard let row = SessionRow(bytes: encoded) else {
        preconditionFailure("a row batch holds whole rows only")
      }
      try body(row)
    }
  }

  package var firstPosition: RowPosition? { position(at: 0) }
  package var lastPosition: RowPosition? { position(at: count - 1) }

  private func position(at index: Int) -> RowPosition? {
    guard index >= 0, index < count else { return nil }
    return bytes.withUnsafeBytes { all in
      let start = index == 0 ? 0 : ends[index - 1]
      return SessionRow(bytes: UnsafeRawBufferPointer(rebasing: all[start..<ends[index]]))?
        .position
    }
  }
}
