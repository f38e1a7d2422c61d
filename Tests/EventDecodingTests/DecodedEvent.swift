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

  init(_ event: borrowing Event) {
    func text(_ view: TextView?) -> String? { view.map { String(decoding: $0, as: UTF8.self) } }
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
