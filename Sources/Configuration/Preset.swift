/// A way in which others write their events: the settings that read it, each of which one given
/// explicitly goes over.
package enum Preset: String, CaseIterable, Sendable {
  /// The web-traffic schema that the defaults are made for.
  case dataexpert
  /// Calls as Segment's libraries send them and its warehouses and webhooks hand them on.
  case segment
  /// Enriched events as JSON, as Snowplow's analytics SDKs write them.
  case snowplow
  /// Access logs of nginx whose `log_format … escape=json` names each value after its variable.
  case nginxJSON = "nginx-json"

  /// Where the fields stand that do not stand where the defaults look.
  package var fields: [FieldPath] {
    switch self {
    case .dataexpert: []
    case .segment:
      [
        FieldPath(name: "anonymous_id", path: "anonymousId"),
        FieldPath(name: "event_type", path: "type"), FieldPath(name: "user_id", path: "userId"),
        FieldPath(name: "ip", path: "context.ip"),
        FieldPath(name: "event_time", path: "timestamp"),
        FieldPath(name: "url", path: "context.page.url"),
        FieldPath(name: "referrer", path: "context.page.referrer"),
        FieldPath(name: "user_agent", path: "context.userAgent"),
      ]
    case .snowplow:
      [
        FieldPath(name: "domain_userid", path: "domain_userid"),
        FieldPath(name: "event_type", path: "event"),
        FieldPath(name: "ip", path: "user_ipaddress"),
        FieldPath(name: "event_time", path: "derived_tstamp"),
        FieldPath(name: "url", path: "page_url"),
        FieldPath(name: "referrer", path: "page_referrer"),
        FieldPath(name: "host", path: "page_urlhost"),
        FieldPath(name: "user_agent", path: "useragent"),
      ]
    case .nginxJSON:
      [
        FieldPath(name: "user_id", path: "remote_user"),
        FieldPath(name: "ip", path: "remote_addr"),
        FieldPath(name: "event_time", path: "time_iso8601"),
        FieldPath(name: "url", path: "request_uri"),
        FieldPath(name: "referrer", path: "http_referer"),
        FieldPath(name: "user_agent", path: "http_user_agent"),
      ]
    }
  }

  /// Values of other flags, by their names.
  var values: [String: String] {
    switch self {
    case .dataexpert, .nginxJSON: [:]
    case .segment: ["key": "anonymous_id"]
    // Its times are UTC without an offset, unless an SDK has rewritten them.
    case .snowplow: ["key": "domain_userid", "assume-utc": "true"]
    }
  }
}

extension FlagValues {
  /// `--preset`; nil where the command has no such flag, or none is given.
  func preset() throws(UsageError) -> Preset? {
    guard FlagTable.flag("preset", of: command) != nil else { return nil }
    return try choice("preset", Preset.self)
  }
}
