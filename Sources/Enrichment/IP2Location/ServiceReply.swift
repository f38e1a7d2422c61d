import CSimdJSON
import SessionModel

/// What a reply of ip2location.io says, after its API's description.
package enum ServiceReply: Equatable {
  /// Names as the service has them; nil for those it does not know.
  case answer(country: String?, state: String?, city: String?)
  /// The key, or what was paid for with it, does not serve (401, 403).
  case keyRefused(String)
  /// Too many requests (429).
  ///
  /// - Parameter retryAfter: seconds, where the service names them.
  case tooMany(retryAfter: Int64?)
  /// It does not take this address (400, 404, 422); others may be answered.
  case addressRefused(String)
  /// Anything else; another try may go better.
  case failed(String)
}

/// Reads replies. One thread uses it.
package final class ServiceReplies {
  /// The longest reply that is read; those of the API have some 1,000 bytes.
  package static let maxBytes = 64 << 10
  private static let depth = 16
  /// Of a service's own words, so many characters are repeated.
  private static let quotedCharacters = 200

  private enum Field: Int, CaseIterable {
    case country, state, city, error

    var path: [String] {
      switch self {
      case .country: ["country_code"]
      case .state: ["region_name"]
      case .city: ["city_name"]
      case .error: ["error", "error_message"]
      }
    }
  }

  private let parser: OpaquePointer
  private var slots = [csimdjson_slot](repeating: csimdjson_slot(), count: Field.allCases.count)

  package init() {
    guard let parser = csimdjson_create(ServiceReplies.maxBytes, ServiceReplies.depth) else {
      fatalError("out of memory for a JSON parser; the state is safe")
    }
    self.parser = parser
    for field in Field.allCases {
      var node: Int32 = 0
      for key in field.path {
        var key = key
        node = key.withUTF8 { csimdjson_child(parser, node, $0.baseAddress, $0.count) }
      }
      csimdjson_bind(parser, node, UInt32(field.rawValue))
    }
  }

  deinit { csimdjson_destroy(parser) }

  /// - Parameters:
  ///   - retryAfter: seconds; 0 for none.
  ///   - key: that was sent; it is left out of the service's words.
  package func reply(
    status: Int, body: [UInt8], retryAfter: Int64, key: String? = nil
  ) -> ServiceReply {
    let isObject = parse(body)
    let words = isObject ? text(.error).map { ServiceReplies.without(key, $0) } : nil
    switch status {
    case 200 where words == nil:
      guard isObject else { return .failed("its answer is no JSON object") }
      guard slots[Field.country.rawValue].type != UInt8(CSIMDJSON_ABSENT.rawValue) else {
        return .failed("its answer has no country_code")
      }
      return .answer(country: text(.country), state: text(.state), city: text(.city))
    case 401, 403: return .keyRefused(described(status, words))
    case 400, 404, 422: return .addressRefused(described(status, words))
    case 429: return .tooMany(retryAfter: retryAfter > 0 ? retryAfter : nil)
    default: return .failed(described(status, words))
    }
  }

  /// A service may repeat what it was sent, as it was or percent-encoded.
  private static func without(_ key: String?, _ text: String) -> String {
    guard let key else { return text }
    return [key, ServiceURL.escaped(key)].reduce(text) { text, key in
      text.split(separator: key, omittingEmptySubsequences: false).joined(separator: "…")
    }
  }

  private func described(_ status: Int, _ words: String?) -> String {
    guard let words else { return "HTTP status \(status)" }
    return "HTTP status \(status), \"\(words.prefix(ServiceReplies.quotedCharacters))\""
  }

  private func parse(_ body: [UInt8]) -> Bool {
    let count = UInt32(slots.count)
    let result = body.withUnsafeBytes {
      csimdjson_parse(parser, $0.baseAddress, $0.count, &slots, count)
    }
    return result == CSIMDJSON_OK
  }

  /// Nil for a missing or empty text, and for the dash that stands for "unknown".
  private func text(_ field: Field) -> String? {
    let slot = slots[field.rawValue]
    guard slot.type == UInt8(CSIMDJSON_STRING.rawValue), slot.length > 0 else { return nil }
    let text = TextView(start: slot.text, count: slot.length)
    let kept = String(decoding: text.cut(at: Limits.keptTextBytes), as: UTF8.self)
    return kept == "-" ? nil : kept
  }
}
