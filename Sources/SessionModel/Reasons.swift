/// Why a record became a dead letter instead of an event. The raw values are stored: never reuse one.
package enum RejectReason: UInt8, CaseIterable, Sendable {
  /// The Kafka record has no value (a tombstone).
  case nullValue = 1
  /// Longer than `Limits.recordBytes`.
  case tooLarge = 2
  case notJSON = 3
  /// Valid JSON, but not an object.
  case notObject = 4
  /// Nested deeper than `Limits.jsonDepth`.
  case tooDeep = 5
  /// The record, or a string in it, is not valid UTF-8 or holds a broken escape.
  case badText = 6
  /// A number that fits neither 64-bit integers nor a finite double.
  case numberOutOfRange = 7
  /// A mapped field is there with a type that it cannot have.
  case wrongType = 8
  case missingIP = 9
  case missingTime = 10
  /// The time is text, but not ISO-8601.
  case badTime = 11
  /// ISO-8601 without an offset from UTC, and `--assume-utc` was not given.
  case timeWithoutOffset = 12
  /// Before 1970, or of a magnitude that no unit explains.
  case timeOutOfRange = 13
  /// A key field holds control characters (U+0000 to U+001F, U+007F).
  case controlCharacterInKey = 14
  /// A key field is longer than `Limits.keyFieldBytes`.
  case keyTooLong = 15
  /// Event time more than `max-future-skew` after the record's Kafka timestamp.
  case aheadOfRecord = 16
  /// Event time more than `max-future-skew` after this machine's clock.
  case aheadOfNow = 17
  /// Its visitor has more sessions at once than a record holds; the event would open another.
  case tooManySessions = 18
  /// A key field other than the ip is absent, null or empty, and the key needs it.
  case missingKey = 19

  /// The code in counters, dumps and documents.
  package var code: String {
    switch self {
    case .nullValue: "null_value"
    case .tooLarge: "too_large"
    case .notJSON: "not_json"
    case .notObject: "not_object"
    case .tooDeep: "too_deep"
    case .badText: "bad_text"
    case .numberOutOfRange: "number_out_of_range"
    case .wrongType: "wrong_type"
    case .missingIP: "missing_ip"
    case .missingTime: "missing_time"
    case .badTime: "bad_time"
    case .timeWithoutOffset: "time_without_offset"
    case .timeOutOfRange: "time_out_of_range"
    case .controlCharacterInKey: "control_character_in_key"
    case .keyTooLong: "key_too_long"
    case .aheadOfRecord: "ahead_of_record"
    case .aheadOfNow: "ahead_of_now"
    case .tooManySessions: "too_many_sessions"
    case .missingKey: "missing_key"
    }
  }
}

/// The event's field that a rejection is about. The raw values are stored: never reuse one.
package enum EventField: UInt8, CaseIterable, Sendable {
  case userID = 1
  case ip = 2
  case eventTime = 3
  case url = 4
  case referrer = 5
  case host = 6
  /// The raw user-agent header, or the parsed object whose parts follow.
  case userAgent = 7
  case browserFamily = 8
  case osFamily = 9
  case deviceFamily = 10
  /// Key fields of one's own (`--key`), in the key's order: they have no name before they are mapped.
  case ownKey1 = 11
  case ownKey2 = 12
  case ownKey3 = 13
  case ownKey4 = 14

  /// Has no path unless it is given one.
  case eventType = 15

  package static let ownKeys: [EventField] = [.ownKey1, .ownKey2, .ownKey3, .ownKey4]
  /// The fields that every job has, with names of their own.
  package static let named = allCases.filter { !ownKeys.contains($0) }

  /// The name that dumps show; of a named field also what `--field NAME=PATH` takes.
  package var name: String {
    switch self {
    case .userID: "user_id"
    case .ip: "ip"
    case .eventTime: "event_time"
    case .url: "url"
    case .referrer: "referrer"
    case .host: "host"
    case .userAgent: "user_agent"
    case .browserFamily: "browser_family"
    case .osFamily: "os_family"
    case .deviceFamily: "device_family"
    case .ownKey1: "key_1"
    case .ownKey2: "key_2"
    case .ownKey3: "key_3"
    case .ownKey4: "key_4"
    case .eventType: "event_type"
    }
  }
}

/// A rejection: the reason, and the field where one field is to blame.
package struct Rejection: Equatable, Sendable {
  package var reason: RejectReason
  package var field: EventField?

  package init(_ reason: RejectReason, _ field: EventField? = nil) {
    self.reason = reason
    self.field = field
  }
}

/// Why an event came too late for its session. The raw values are stored: never reuse one.
package enum LateReason: UInt8, CaseIterable, Sendable {
  /// Older than its own partition's watermark: depends on that partition's log alone.
  case behindPartition = 1
  /// Older than the task's watermark only: after an idle, flushed, new or re-configured partition.
  case behindWatermark = 2

  package var code: String {
    switch self {
    case .behindPartition: "behind_partition"
    case .behindWatermark: "behind_watermark"
    }
  }
}
