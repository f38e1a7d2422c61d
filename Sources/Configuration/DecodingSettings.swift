import SessionModel

/// How records are read as events: what `run` and `preview` share.
package struct DecodingSettings: Equatable, Sendable {
  /// `--key`: `user_id`, `ip`, and names of `fields` of one's own.
  package let key: [String]
  /// Those of the preset, with those of `--field` in their place or behind them.
  package let fields: [FieldPath]
  /// The header that the address is taken from; nil: the field alone.
  package let ipHeader: String?
  package let assumeUTC: Bool
  package let eventTimeUnit: EventTimeUnit
  package let eventTimeFallback: EventTimeFallback

  init(_ values: FlagValues) throws(UsageError) {
    key = try values.keyFields()
    fields = try values.fieldPaths(over: try values.preset()?.fields ?? [], key: key)
    ipHeader = try values.ipHeader()
    assumeUTC = try values.boolean("assume-utc")
    eventTimeUnit = try values.requiredChoice("event-time-unit", EventTimeUnit.self)
    eventTimeFallback = try values.requiredChoice("event-time-fallback", EventTimeFallback.self)
  }
}

/// What a numeric event time counts.
package enum EventTimeUnit: String, Sendable {
  /// Told by the magnitude.
  case auto
  case seconds = "s"
  case milliseconds = "ms"
  case microseconds = "us"
}

/// Where an event's time comes from if it has none.
package enum EventTimeFallback: String, Sendable {
  /// Nowhere: the record is rejected.
  case none
  /// The Kafka record's timestamp.
  case record
}

/// One `--field NAME=PATH`: the path as it was written.
package struct FieldPath: Equatable, Sendable {
  package let name: String
  package let path: String

  package init(name: String, path: String) {
    self.name = name
    self.path = path
  }
}

extension FlagValues {
  /// - Parameters:
  ///   - preset: each field at most once; a given path takes its place.
  ///   - key: each of its fields of one's own needs a path.
  fileprivate func fieldPaths(
    over preset: [FieldPath], key: [String]
  ) throws(UsageError) -> [FieldPath] {
    var given: [FieldPath] = []
    for (text, place) in try entries("field") {
      let parts = text.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, !text.hasPrefix("=") else {
        throw UsageError(
          "\(place): \(quoted(text)) is not NAME=PATH",
          remedy: "write for instance ip=client.address")
      }
      let field = FieldPath(name: Lines.trimmed(parts[0]), path: Lines.trimmed(parts[1]))
      if given.contains(where: { $0.name == field.name }) {
        throw UsageError(
          "\(place): the field \(field.name) is mapped twice", remedy: "keep one of the paths")
      }
      given.append(field)
    }
    let known = EventField.named.map(\.name)
    // A preset's fields of one's own serve its key; another key may do without them.
    let rest = preset.filter { field in
      !given.contains { $0.name == field.name }
        && (known.contains(field.name) || key.contains(field.name))
    }
    for name in key where ![EventField.userID.name, EventField.ip.name].contains(name) {
      if (rest + given).contains(where: { $0.name == name }) { continue }
      throw invalid(
        "key", "no --field says where \(quoted(name)) stands in an event",
        remedy: "add for instance --field \(name)=\(name)")
    }
    return rest + given
  }
}
