import CCrypto

/// SHA-256 over the key's fields and the start, with the default key `user_id ␟ ip ␟
/// session_start_µs`: UTF-8, ␟ = U+001F, the start in decimal, an empty string for no user. Shown as
/// 64 lower-case hex digits.
package struct SessionID: Hashable, Comparable, Sendable {
  /// The digest as four big-endian words, so that comparing words compares bytes.
  package var words: (UInt64, UInt64, UInt64, UInt64)

  package static let byteCount = 32

  package init(words: (UInt64, UInt64, UInt64, UInt64)) {
    self.words = words
  }

  /// Reads the 32 bytes of a digest.
  package init(bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == SessionID.byteCount, "a session id has 32 bytes")
    func word(_ index: Int) -> UInt64 {
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
    }
    words = (word(0), word(1), word(2), word(3))
  }

  /// Reads 64 lower-case hex digits; nil if they are anything else.
  package init?(hex: some StringProtocol) {
    let digits = Array(hex.utf8)
    guard digits.count == 64 else { return nil }
    var parsed: [UInt64] = [0, 0, 0, 0]
    for (index, digit) in digits.enumerated() {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
      default: return nil
      }
      parsed[index / 16] = parsed[index / 16] << 4 | UInt64(value)
    }
    words = (parsed[0], parsed[1], parsed[2], parsed[3])
  }

  /// The 32 bytes of the digest, appended.
  package func append(to bytes: inout [UInt8]) {
    for word in [words.0, words.1, words.2, words.3] {
      withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
    }
  }

  /// The 64 hex digits, appended.
  package func appendHex(to bytes: inout [UInt8]) {
    for word in [words.0, words.1, words.2, words.3] {
      for shift in stride(from: UInt64(60), through: 0, by: -4) {
        let digit = UInt8(truncatingIfNeeded: word >> shift & 0xF)
        bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      }
    }
  }

  package var hex: String {
    var bytes: [UInt8] = []
    appendHex(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  @inlinable
  package static func == (left: SessionID, right: SessionID) -> Bool { left.words == right.words }

  @inlinable
  package static func < (left: SessionID, right: SessionID) -> Bool { left.words < right.words }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
  }
}

/// Computes session ids with libcrypto; keeps one digest context, so it belongs to one thread.
package struct SessionIDHasher: ~Copyable {
  private let context: OpaquePointer
  private let algorithm: OpaquePointer
  private var input: [UInt8] = []

  package init() {
    guard let context = EVP_MD_CTX_new(), let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else {
      preconditionFailure("libcrypto offers no SHA-256")
    }
    self.context = context
    self.algorithm = algorithm
  }

  deinit {
    EVP_MD_CTX_free(context)
    EVP_MD_free(algorithm)
  }

  /// The id of the session of a key (`KeyLayout`) that starts at `start`.
  package mutating func id(key: TextView, start: Microseconds) -> SessionID {
    input.removeAll(keepingCapacity: true)
    input.append(contentsOf: key)
    input.append(KeyLayout.separator)
    DecimalText.append(start, to: &input)
    return withUnsafeTemporaryAllocation(byteCount: SessionID.byteCount, alignment: 8) { digest in
      let done =
        EVP_DigestInit_ex2(context, algorithm, nil) == 1
        && EVP_DigestUpdate(context, input, input.count) == 1
        && EVP_DigestFinal_ex(context, digest.baseAddress, nil) == 1
      precondition(done, "libcrypto failed to compute SHA-256")
      return SessionID(bytes: UnsafeRawBufferPointer(digest))
    }
  }
}

/// Integers as decimal text, appended to bytes without a `String` in between.
package enum DecimalText {
  package static func append(_ number: Int64, to bytes: inout [UInt8]) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    append(number.magnitude, to: &bytes)
  }

  package static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    let start = bytes.count
    var rest = number
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }
}
