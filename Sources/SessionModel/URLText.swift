/// Parts of URLs as they come from browsers and logs (RFC 3986, without its strictness).
enum URLText {
  /// The host of an absolute URL, or of one that begins with `//`: without user, port and a dot at its
  /// end; an IPv6 literal keeps its brackets. Nil for any other text.
  static func host(of url: TextView) -> TextView? {
    var start = 0
    if url.count < 2 { return nil }
    if url[0] == slash, url[1] == slash {
      start = 2
    } else {
      guard let colon = url.firstIndex(of: UInt8(ascii: ":")), colon + 2 < url.count,
        url[colon + 1] == slash, url[colon + 2] == slash,
        url[..<colon].allSatisfy({ $0.isSchemeByte })
      else { return nil }
      start = colon + 3
    }
    let end = url[start...].firstIndex { $0 == slash || $0 == question || $0 == hash }
    let authority = url[start..<(end ?? url.count)]
    let begin = authority.lastIndex(of: UInt8(ascii: "@")).map { $0 + 1 } ?? start
    return host(ofAuthority: TextView(rebasing: authority[begin...]))
  }

  /// The host of `host`, `host:port` or `[address]:port`; nil for an empty one.
  static func host(ofAuthority text: TextView) -> TextView? {
    var end = text.count
    if text.first == UInt8(ascii: "[") {
      end = text.firstIndex(of: UInt8(ascii: "]")).map { $0 + 1 } ?? text.count
    } else if let colon = text.lastIndex(of: UInt8(ascii: ":")) {
      end = colon
    }
    while end > 0, text[end - 1] == UInt8(ascii: ".") { end -= 1 }
    return end == 0 ? nil : TextView(rebasing: text[..<end])
  }

  /// What stands between the first `?` and the fragment; nil for none.
  static func query(of url: TextView) -> TextView? {
    let end = url.firstIndex(of: hash) ?? url.count
    guard let start = url[..<end].firstIndex(of: question) else { return nil }
    return TextView(rebasing: url[(start + 1)..<end])
  }

  /// Calls `body` with each `name=value` of a query, as they stand there.
  static func forEachParameter(
    of query: TextView, _ body: (_ name: TextView, _ value: TextView) -> Void
  ) {
    for part in query.split(separator: UInt8(ascii: "&")) {
      guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { continue }
      body(TextView(rebasing: part[..<equals]), TextView(rebasing: part[(equals + 1)...]))
    }
  }

  /// Appends a value with `+` and `%XX` decoded; as it stands where that would not be UTF-8.
  static func appendDecoded(_ value: TextView, to bytes: inout [UInt8]) {
    let start = bytes.count
    var place = 0
    while place < value.count {
      let byte = value[place]
      if byte == UInt8(ascii: "%"), place + 2 < value.count, let high = value[place + 1].hexDigit,
        let low = value[place + 2].hexDigit
      {
        bytes.append(high << 4 | low)
        place += 3
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
        place += 1
      }
    }
    if String(validating: bytes[start...], as: UTF8.self) == nil {
      bytes.removeSubrange(start...)
      bytes.append(contentsOf: value)
    }
  }

  private static let slash = UInt8(ascii: "/")
  private static let question = UInt8(ascii: "?")
  private static let hash = UInt8(ascii: "#")
}

extension UInt8 {
  fileprivate var isSchemeByte: Bool {
    switch self | 0x20 {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): true
    default: self == UInt8(ascii: "+") || self == UInt8(ascii: "-") || self == UInt8(ascii: ".")
    }
  }

  fileprivate var hexDigit: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
