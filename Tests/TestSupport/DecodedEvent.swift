package import SessionModel

/// An event that owns its texts.
package struct DecodedEvent: Equatable {
  package var time: Microseconds = 0
  package var key = ""
  package var userID = ""
  package var ip = ""
  package var url: String?
  package var referrer: String?
  package var host: String?
  package var browserFamily: String?
  package var osFamily: String?
  package var deviceFamily: String?
  package var cutTexts = 0

  /// Stands for a text that is not UTF-8, which no event may have.
  package static let brokenText = "<not UTF-8>"

  package var texts: [String] {
    [userID, ip] + [url, referrer, host, browserFamily, osFamily, deviceFamily].compactMap { $0 }
  }

  /// A record of the web-traffic schema that holds just this event.
  package var asRecord: [UInt8] {
    func literal(_ text: String?) -> String {
      guard let text else { return "null" }
      var bytes: [UInt8] = []
      JSONText.append(text, to: &bytes)
      return String(decoding: bytes, as: UTF8.self)
    }
    return Array(
      """
      {"event_time":"\(TimeText.timestamp(time))","user_id":\(literal(userID)),
      "ip":\(literal(ip)),"url":\(literal(url)),"referrer":\(literal(referrer)),
      "host":\(literal(host)),"user_agent":{"family":\(literal(browserFamily)),
      "os":{"family":\(literal(osFamily))},"device":{"family":\(literal(deviceFamily))}}}
      """.utf8)
  }

  package init(_ event: borrowing Event) {
    func text(_ view: TextView?) -> String? {
      view.map { String(validating: $0, as: UTF8.self) ?? DecodedEvent.brokenText }
    }
    time = event.time
    key = text(event.key) ?? ""
    userID = text(event.userID) ?? ""
    ip = text(event.ip) ?? ""
    url = text(event.url)
    referrer = text(event.referrer)
    host = text(event.host)
    browserFamily = text(event.browserFamily)
    osFamily = text(event.osFamily)
    deviceFamily = text(event.deviceFamily)
    cutTexts = event.cutTexts
  }
}
