import EventDecoding
import SessionModel
import TestSupport

/// What decoding one record came to.
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
