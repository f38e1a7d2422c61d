package import SessionModel

/// Reads session rows back from the JSON that `SessionRowJSON` writes.
package struct SessionRowReader {
  private var rest: ArraySlice<UInt8> = []
  private var written: [UInt8] = []
  private let columns: [SessionColumn]
  private let json: SessionRowJSON

  package init(_ schema: SessionSchema = .standard) {
    columns = schema.columns
    json = SessionRowJSON(schema)
  }

  /// Reads one row.
  ///
  /// - Parameter line: the object, without a line feed.
  /// - Returns: the row's encoding (`SessionRow`); nil where the line is not, byte for byte, what
  ///   `SessionRowJSON` writes for a row. So a value that another one decides, the duration for
  ///   instance, is as it must be.
  package mutating func encodedRow(_ line: [UInt8]) -> [UInt8]? {
    rest = line[...]
    guard let row = parse() else { return nil }
    written.removeAll(keepingCapacity: true)
    let isRow = row.withUnsafeBytes { bytes in
      SessionRow(bytes: bytes).map { json.append($0, to: &written) } != nil
    }
    return isRow && written == line ? row : nil
  }

  private mutating func parse() -> [UInt8]? {
    var texts = [[UInt8]?](repeating: nil, count: RowText.allCases.count)
    var ownKey: [UInt8] = []
    var id: SessionID?
    var (start, end): (Microseconds?, Microseconds?)
    var events: UInt64?
    var pages = PageCounts()
    for column in columns {
      guard skip(column == .sessionID ? "{" : ","), skip("\"\(column.name)\":") else {
        return nil
      }
      switch column.source {
      case .sessionID: id = text().flatMap { SessionID(hex: String(decoding: $0, as: UTF8.self)) }
      case .sessionStart: start = text().flatMap { TimeText.timestamp($0) }
      case .sessionEnd: end = text().flatMap { TimeText.timestamp($0) }
      case .eventCount: events = UInt64(String(decoding: word(), as: UTF8.self))
      case .pageViews:
        guard let views = UInt64(String(decoding: word(), as: UTF8.self)) else { return nil }
        pages.views = views
      case .distinctPages:
        guard let distinct = UInt64(String(decoding: word(), as: UTF8.self)) else { return nil }
        pages.distinct = distinct
      // Others decide them; they are compared as they are written.
      case .isLoggedIn, .durationMs, .distinctPagesIsMinimum, .isBounce, .isBot: _ = word()
      case .sessionDate: _ = text()
      case .ownKey(let index):
        guard let text = text() else { return nil }
        ownKey += (index == 0 ? [] : [KeyLayout.separator]) + text
        texts[RowText.ownKey.rawValue] = ownKey
      case .text(let place):
        if !skip("null") {
          guard let text = text() else { return nil }
          texts[place.rawValue] = text
        }
      }
    }
    guard let id, let start, let end, let events else { return nil }
    return SessionRowReader.encode(id, start, end, events, pages, texts)
  }

  private static func encode(
    _ id: SessionID, _ start: Microseconds, _ end: Microseconds, _ events: UInt64,
    _ pages: PageCounts, _ texts: [[UInt8]?]
  ) -> [UInt8]? {
    guard texts.allSatisfy({ $0.map { $0.count < UInt16.max } ?? true }) else { return nil }
    // One buffer for all texts, which stays where it is while they are read.
    let bytes = texts.flatMap { $0 ?? [] }
    var begin = 0
    let ranges = texts.map { text -> Range<Int>? in
      defer { begin += text?.count ?? 0 }
      return text.map { begin..<(begin + $0.count) }
    }
    var row: [UInt8] = []
    bytes.withUnsafeBytes { bytes in
      SessionRow.append(
        id: id, start: start, end: end, eventCount: events, pages: pages,
        texts: { ranges[$0.rawValue].map { TextView(rebasing: bytes[$0]) } }, to: &row)
    }
    return row
  }

  /// Takes `expected` from the front, if it stands there.
  private mutating func skip(_ expected: String) -> Bool {
    guard rest.starts(with: expected.utf8) else { return false }
    rest = rest.dropFirst(expected.utf8.count)
    return true
  }

  /// Takes a number or a literal.
  private mutating func word() -> ArraySlice<UInt8> {
    let word = rest.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "}") }
    rest = rest[word.endIndex...]
    return word
  }

  /// Takes a string; nil where there is none.
  private mutating func text() -> [UInt8]? {
    guard skip("\"") else { return nil }
    var text: [UInt8] = []
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return text
      case UInt8(ascii: "\\"):
        guard let escaped = escaped() else { return nil }
        text.append(escaped)
      default: text.append(byte)
      }
    }
    return nil
  }

  /// Takes what follows a backslash: only control characters are written by their number.
  private mutating func escaped() -> UInt8? {
    switch rest.popFirst() {
    case UInt8(ascii: "b"): return 0x08
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "n"): return 0x0A
    case UInt8(ascii: "f"): return 0x0C
    case UInt8(ascii: "r"): return 0x0D
    case UInt8(ascii: "u"):
      let digits = rest.prefix(4)
      rest = rest.dropFirst(4)
      return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    case let byte: return byte
    }
  }
}
