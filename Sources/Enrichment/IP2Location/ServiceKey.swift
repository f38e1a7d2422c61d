import Platform

/// Where the key of a service comes from. The key itself is in no description.
package enum ServiceKey: Sendable {
  /// Requests without one: the service has limits of its own for those.
  case none
  case text(Secret)
  /// The path of a file that holds the key and nothing else; read again whenever the service refuses it.
  case file(String)

  package struct Secret: Sendable, CustomStringConvertible, CustomReflectable {
    let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { "…" }
    package var customMirror: Mirror { Mirror(self, children: []) }
  }

  /// The longest key, bytes.
  private static let maxBytes = 4_096

  /// - Throws: `EnrichmentError` where there should be a key and is none.
  func read() throws(EnrichmentError) -> String? {
    switch self {
    case .none: return nil
    case .text(let secret): return try ServiceKey.checked(secret.text, "the key")
    case .file(let path):
      let bytes: [UInt8]
      do throws(SystemError) {
        bytes = try Files.read(path, limit: ServiceKey.maxBytes)
      } catch {
        throw EnrichmentError("the key of the geography service cannot be read: \(error)")
      }
      return try ServiceKey.checked(String(decoding: bytes, as: UTF8.self), "the file '\(path)'")
    }
  }

  private static func checked(_ text: String, _ place: String) throws(EnrichmentError) -> String {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 1, words[0].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw EnrichmentError("\(place) holds no key of a geography service: one word of ASCII")
    }
    return String(words[0])
  }
}
