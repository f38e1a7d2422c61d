/// The checks of the flags about what rows are enriched with.
extension FlagValues {
  /// `--ip-from`.
  func ipHeader() throws(UsageError) -> String? {
    let text = try required("ip-from")
    if text == "field" { return nil }
    let parts = text.split(separator: ":", maxSplits: 1)
    if parts.count == 2, parts[0] == "header" { return String(parts[1]) }
    throw invalid(
      "ip-from", "\(quoted(text)) names neither the field nor a header",
      remedy: "write field, or header:NAME such as header:x-forwarded-for")
  }

  /// `--user-agents`.
  func userAgents() throws(UsageError) -> UserAgentSetting {
    switch try text("user-agents") {
    case nil: .system
    case "off": .off
    case let path?: .file(path)
    }
  }

  /// `--geo`.
  func geo() throws(UsageError) -> GeoSetting {
    let text = try required("geo")
    if text == "none" { return .none }
    let parts = text.split(separator: ":", maxSplits: 1)
    if parts.count == 2, parts[0] == "mmdb" { return .mmdb(String(parts[1])) }
    throw invalid(
      "geo", "\(quoted(text)) names no source of geography",
      meant: Suggestion.nearest(to: String(parts.first ?? ""), in: ["none", "mmdb"]),
      remedy: "write none, or mmdb:FILE with the path of an MMDB file")
  }
}
