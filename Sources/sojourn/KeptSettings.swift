import Configuration
import EventDecoding
import SessionModel

extension [KeptSetting] {
  /// What may differ from run to run and yet decides what is late, closed, rejected or read.
  init(_ settings: RunSettings, mapping: FieldMapping) {
    func span(_ name: String, _ span: Microseconds?) -> KeptSetting {
      KeptSetting(name, span.map(DurationText.text) ?? "off")
    }
    self = [
      span("out-of-orderness", settings.outOfOrderness), span("idle-timeout", settings.idleTimeout),
      span("quiet-close", settings.quietClose), span("max-future-skew", settings.maxFutureSkew),
      span("max-drift", settings.maxDrift),
      KeptSetting("ip-from", settings.decoding.ipHeader.map { "header:" + $0 } ?? "field"),
      KeptSetting("assume-utc", settings.decoding.assumeUTC ? "on" : "off"),
      KeptSetting("event-time-unit", settings.decoding.eventTimeUnit.rawValue),
      KeptSetting("event-time-fallback", settings.decoding.eventTimeFallback.rawValue),
    ]
    self += mapping.fields.map { field in
      KeptSetting(
        "field \(mapping.name(of: field))", FieldMapping.text(of: mapping.path(of: field)))
    }
  }
}
