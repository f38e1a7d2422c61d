import CCurl
import SessionModel

/// One of the requests that can be under way at once; it keeps its connection from one to the next. The
/// service's thread uses it.
final class ServiceRequest {
  let handle: UnsafeMutableRawPointer
  /// What is being asked for; nil while nothing is.
  private(set) var address: String?
  private(set) var body: [UInt8] = []
  /// That was sent; nil for none.
  private(set) var key: String?
  /// Since the last answer.
  var failures = 0
  /// Monotonic, µs.
  var restsUntil: Int64 = 0

  init(_ timing: ServiceTiming) {
    guard let handle = curl_easy_init() else {
      fatalError("out of memory for an HTTP request; the state is safe")
    }
    self.handle = handle
    ccurl_set_number(handle, CURLOPT_NOSIGNAL, 1)
    // A name that is still being looked up holds up neither time-outs nor the end.
    ccurl_set_number(handle, CURLOPT_QUICK_EXIT, 1)
    ccurl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
    ccurl_set_number(handle, CURLOPT_CONNECTTIMEOUT_MS, Int(timing.connection / .perMillisecond))
    ccurl_set_number(handle, CURLOPT_TIMEOUT_MS, Int(timing.request / .perMillisecond))
    ccurl_set_text(handle, CURLOPT_USERAGENT, "sojourn")
    ccurl_set_writer(
      handle,
      { bytes, _, count, context in
        let request = Unmanaged<ServiceRequest>.fromOpaque(context!).takeUnretainedValue()
        // Less than what came is an error to libcurl, which then ends the request.
        if request.body.count + count > ServiceReplies.maxBytes { return 0 }
        request.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
        return count
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit { curl_easy_cleanup(handle) }

  func begin(_ address: String, at url: ServiceURL, key: String?) {
    self.address = address
    self.key = key
    body.removeAll(keepingCapacity: true)
    ccurl_set_text(handle, CURLOPT_URL, url.text(for: address, key: key))
  }

  /// - Returns: what it asked for.
  func end() -> String? {
    defer { address = nil }
    return address
  }
}

/// Where a service is asked.
struct ServiceURL {
  private let base: String
  /// Without key or query, for messages.
  let shown: String

  init(_ url: String) {
    base = url + (url.contains("?") ? "&" : "?")
    shown = String(url.prefix { $0 != "?" })
  }

  func text(for address: String, key: String?) -> String {
    let key = key.map { "key=\(ServiceURL.escaped($0))&" } ?? ""
    return "\(base)\(key)ip=\(ServiceURL.escaped(address))&format=json"
  }

  /// Percent-encoded, but for RFC 3986's unreserved characters.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        escaped.unicodeScalars.append(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        escaped += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return escaped
  }
}
