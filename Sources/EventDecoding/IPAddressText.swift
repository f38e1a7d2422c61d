import SessionModel

/// The canonical text of an IP address, so that one visitor's address has one form in the key.
///
/// IPv4 is a dotted quad without leading zeros, as `inet_pton` has it; IPv6 is written after RFC
/// 5952, always in hexadecimal groups, but for IPv4-mapped addresses (`::ffff:a.b.c.d`), which become
/// IPv4. A port (`1.2.3.4:80`, `[::1]:80`), brackets around IPv6 and a zone (`fe80::1%eth0`) go.
enum IPAddressText {
  /// Bytes that the longest canonical text takes.
  static let maxBytes = 39

  /// The canonical text of a literal.
  ///
  /// - Parameter buffer: `maxBytes` bytes; holds the result where it is not a part of `text`.
  /// - Returns: nil if `text` is not a literal.
  static func canonical(_ text: TextView, buffer: UnsafeMutableRawBufferPointer) -> TextView? {
    if let quad = IPv4Quad(text, from: 0) {
      guard quad.end == text.count || isPort(text, from: quad.end) else { return nil }
      return TextView(rebasing: text[..<quad.end])
    }
    guard let literal = withoutDecoration(text), let groups = IPv6Groups(literal) else {
      return nil
    }
    var writer = TextWriter(buffer)
    groups.write(to: &writer)
    return TextView(rebasing: TextView(buffer)[..<writer.count])
  }

  /// The canonical text of a literal that is a public address (`PublicAddress`); nil for any other.
  static func publicCanonical(
    _ text: TextView, buffer: UnsafeMutableRawBufferPointer
  ) -> TextView? {
    if let quad = IPv4Quad(text, from: 0), !PublicAddress.contains(ipv4: quad.address) {
      return nil
    }
    if let literal = withoutDecoration(text), let groups = IPv6Groups(literal), !groups.isPublic {
      return nil
    }
    return canonical(text, buffer: buffer)
  }

  /// What is left of an IPv6 literal without brackets, port and zone.
  private static func withoutDecoration(_ text: TextView) -> TextView? {
    var literal = text
    if text.first == UInt8(ascii: "[") {
      guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      guard end + 1 == text.count || isPort(text, from: end + 1) else { return nil }
      literal = TextView(rebasing: text[1..<end])
    }
    if let zone = literal.firstIndex(of: UInt8(ascii: "%")) {
      guard zone + 1 < literal.count else { return nil }
      literal = TextView(rebasing: literal[..<zone])
    }
    return literal
  }

  /// Whether `:` and a port number stand from `place` up to the end.
  private static func isPort(_ text: TextView, from place: Int) -> Bool {
    guard text[place] == UInt8(ascii: ":"), (place + 2...place + 6).contains(text.count) else {
      return false
    }
    var port = 0
    for byte in text[(place + 1)...] {
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return false }
      port = port * 10 + Int(digit)
    }
    return port <= 65_535
  }
}

/// Four decimal numbers with dots between them.
private struct IPv4Quad {
  var address: UInt32 = 0
  /// Where the text behind the quad begins.
  var end: Int

  /// - Returns: nil unless a quad begins at `start`.
  init?(_ text: TextView, from start: Int) {
    end = start
    for part in 0..<4 {
      if part > 0 {
        guard end < text.count, text[end] == UInt8(ascii: ".") else { return nil }
        end &+= 1
      }
      let first = end
      var number: UInt32 = 0
      while end < text.count, end &- first < 3 {
        let digit = text[end] &- UInt8(ascii: "0")
        guard digit < 10 else { break }
        number = number &* 10 &+ UInt32(digit)
        end &+= 1
      }
      guard end > first, number < 256, end == first &+ 1 || text[first] != UInt8(ascii: "0")
      else { return nil }
      address = address &<< 8 | number
    }
    if end < text.count, text[end] &- UInt8(ascii: "0") < 10 { return nil }
  }
}

/// The eight 16-bit groups of an IPv6 address.
private struct IPv6Groups {
  private var groups = InlineArray<8, UInt16>(repeating: 0)

  /// - Returns: nil unless `text` is an address after RFC 4291, section 2.2.
  init?(_ text: TextView) {
    var count = 0
    var place = 0
    /// How many groups stand before `::`.
    var gap: Int?
    while place < text.count {
      if IPv6Groups.isColon(text, place), IPv6Groups.isColon(text, place + 1) {
        guard gap == nil, count < 8 else { return nil }
        gap = count
        place += 2
        continue
      }
      if count > 0, gap != count {
        guard IPv6Groups.isColon(text, place) else { return nil }
        place += 1
      }
      guard count < 8 else { return nil }
      if count <= 6, let quad = IPv4Quad(text, from: place), quad.end == text.count {
        groups[count] = UInt16(quad.address >> 16)
        groups[count + 1] = UInt16(quad.address & 0xFFFF)
        count += 2
        place = text.count
      } else {
        guard let group = IPv6Groups.group(text, from: &place) else { return nil }
        groups[count] = group
        count += 1
      }
    }
    guard gap == nil ? count == 8 : count < 8 else { return nil }
    if let gap { spread(gap: gap, count: count) }
  }

  /// Moves the groups behind `::` to the end.
  private mutating func spread(gap: Int, count: Int) {
    var from = count - 1
    var to = 7
    while from >= gap {
      groups[to] = groups[from]
      groups[from] = 0
      from -= 1
      to -= 1
    }
  }

  private static func isColon(_ text: TextView, _ place: Int) -> Bool {
    place < text.count && text[place] == UInt8(ascii: ":")
  }

  /// One to four hexadecimal digits.
  private static func group(_ text: TextView, from place: inout Int) -> UInt16? {
    var number: UInt32 = 0
    let start = place
    while place < text.count, let digit = hexDigit(text[place]) {
      guard place - start < 4 else { return nil }
      number = number << 4 | digit
      place += 1
    }
    return place > start ? UInt16(number) : nil
  }

  private static func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  /// The IPv4 address that the groups stand for (RFC 4291, section 2.5.5.2).
  private var mappedIPv4: UInt32? {
    for index in 0..<5 where groups[index] != 0 { return nil }
    return groups[5] == 0xFFFF ? UInt32(groups[6]) << 16 | UInt32(groups[7]) : nil
  }

  var isPublic: Bool {
    if let address = mappedIPv4 { return PublicAddress.contains(ipv4: address) }
    var high: UInt64 = 0
    for index in 0..<4 { high = high << 16 | UInt64(groups[index]) }
    return PublicAddress.contains(ipv6: high)
  }

  /// RFC 5952, section 4: lower case, no leading zeros, `::` for the longest run of at least two
  /// zero groups, the first of equals.
  func write(to writer: inout TextWriter) {
    if let address = mappedIPv4 {
      for shift in [24, 16, 8, 0] {
        if shift < 24 { writer.append(UInt8(ascii: ".")) }
        writer.append(UInt64(address >> UInt32(shift) & 0xFF), radix: 10)
      }
      return
    }
    let run = longestZeroRun
    var index = 0
    while index < 8 {
      if index == run.start, run.count > 1 {
        writer.append(UInt8(ascii: ":"))
        writer.append(UInt8(ascii: ":"))
        index += run.count
        continue
      }
      if index > 0, index != run.start + run.count || run.count < 2 {
        writer.append(UInt8(ascii: ":"))
      }
      writer.append(UInt64(groups[index]), radix: 16)
      index += 1
    }
  }

  private var longestZeroRun: (start: Int, count: Int) {
    var longest = (start: 0, count: 0)
    var run = (start: 0, count: 0)
    for index in 0..<8 {
      run = groups[index] == 0 ? (run.start, run.count + 1) : (index + 1, 0)
      if run.count > longest.count { longest = run }
    }
    return longest
  }
}
