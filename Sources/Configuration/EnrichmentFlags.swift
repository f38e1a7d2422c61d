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
    if text == "ip2location" { return .ip2location(try geographyService()) }
    for name in GeographyServiceSettings.flags where isGiven(name) {
      throw UsageError(
        "\(place(of: name)) is only for --geo ip2location",
        remedy: "leave it out, or write --geo ip2location")
    }
    if text == "none" { return .none }
    let parts = text.split(separator: ":", maxSplits: 1)
    if parts.count == 2, parts[0] == "mmdb" { return .mmdb(String(parts[1])) }
    throw invalid(
      "geo", "\(quoted(text)) names no source of geography",
      meant: Suggestion.nearest(
        to: String(parts.first ?? ""), in: ["none", "mmdb", "ip2location"]),
      remedy: "write none, mmdb:FILE with the path of an MMDB file, or ip2location")
  }

  private func geographyService() throws(UsageError) -> GeographyServiceSettings {
    let url = try required("geo-url")
    let isPlain = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    guard isPlain, url.hasPrefix("https://") || url.hasPrefix("http://") else {
      throw invalid(
        "geo-url", "\(quoted(url)) is no address of a web service",
        remedy: "write for instance https://api.ip2location.io/")
    }
    // It would be in messages and in the list of processes.
    if url.contains("key=") || url.contains("@") {
      throw invalid(
        "geo-url", "keys and passwords do not belong into an address",
        remedy: "put the key into a file and name it with --geo-key-file")
    }
    return GeographyServiceSettings(
      url: url, keyFile: try text("geo-key-file"), deadline: try duration("geo-deadline"),
      requests: try requiredInteger("geo-requests"), timeToLive: try requiredDuration("geo-ttl"),
      cachedAddresses: try requiredInteger("geo-cache"))
  }
}
