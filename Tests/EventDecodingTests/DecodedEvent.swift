import EventDecoding
import SessionModel

/// An event that owns its texts, or the rejection.
struct DecodedEvent: Equatable {
  var time: Microseconds = 0
  var userID = ""
  var ip = ""
  var url: String?
  var referrer: String?
  var host: String?
  var browserFamily: String?
  var osFamily: String?
  var deviceFamily: String?
  var cutTexts = 0

  /// Stands for a text that is not UTF-8, which no event may have.
  static let brokenText = "<not UTF-8>"

  var texts: [String] {
    [userID, ip] + [url, referrer, host, browserFamily, osFamily, deviceFamily].compactMap { $0 }
  }

  /// A record of the web-traffic schema that holds just this event.
  var asRecord: [UInt8] {
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

  init(_ event: borrowing Event) {
    func text(_ view: TextView?) -> String? {
      view.map { String(validating: $0, as: UTF8.self) ?? DecodedEvent.brokenText }
    }
    time = event.time
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

enum Outcome: Equatable {
  case event(DecodedEvent)
  case rejected(Rejection)

  static func rejected(_ reason: RejectReason, _ field: EventField? = nil) -> Outcome {
    .rejected(Rejection(reason, field))
  }

  var event: DecodedEvent? {
    if case .event(let event) = self { event } else { nil }
  }
  var rejection: Rejection? {
    if case .rejected(let rejection) = self { rejection } else { nil }
  }
}

extension EventDecoder {
  mutating func outcome(_ value: [UInt8], recordTime: Microseconds = .never) -> Outcome {
    var event = Event()
    return value.withUnsafeBytes { bytes in
      let rejection = decode(
        bytes, valueLength: bytes.count, recordTime: recordTime, into: &event)
      return rejection.map { .rejected($0) } ?? .event(DecodedEvent(event))
    }
  }

  mutating func outcome(_ value: String, recordTime: Microseconds = .never) -> Outcome {
    outcome(Array(value.utf8), recordTime: recordTime)
  }
}

/// Decodes one record with a decoder of its own.
func decode(
  _ value: String, recordTime: Microseconds = .never,
  configure: (inout DecodingOptions) -> Void = { _ in }
) -> Outcome {
  var options = DecodingOptions()
  configure(&options)
  var decoder = EventDecoder(options: options)
  return decoder.outcome(value, recordTime: recordTime)
}

/// A record with an address and a time, and what is given besides.
func record(
  ip: String? = #""192.0.2.1""#, time: String? = "1700000000", _ members: String...
) -> String {
  var all = members
  if let ip { all.append(#""ip":\#(ip)"#) }
  if let time { all.append(#""event_time":\#(time)"#) }
  return "{" + all.joined(separator: ",") + "}"
}
