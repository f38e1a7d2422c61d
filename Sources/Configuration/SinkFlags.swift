/// The checks of `--sink` and the flags that name sinks. What a scheme means is not known here.
extension FlagValues {
  /// Each `[NAME=]SCHEME:PLACE` as written; at least one, with distinct names.
  func sinks() throws(UsageError) -> [String] {
    var names: [String] = []
    let entries = try entries("sink")
    for (text, place) in entries {
      guard let name = SinkFlag.name(of: text) else {
        throw UsageError(
          "\(place): a sink is [NAME=]SCHEME:PLACE",
          remedy: "write for instance sqlite:sessions.db or archive=jsonl:out")
      }
      if names.contains(name) {
        throw UsageError(
          "\(place): two sinks have the name \(name)",
          remedy: "name one of them: --sink OTHER=SCHEME:PLACE")
      }
      names.append(name)
    }
    if entries.isEmpty {
      throw UsageError(
        "no sink is given: the sessions would go nowhere",
        remedy: "add for instance --sink sqlite:sessions.db")
    }
    return entries.map(\.text)
  }

  /// Names that must be those of sinks of this run.
  func sinkNames(_ flag: String, areAmong sinks: [String]) throws(UsageError) -> [String] {
    let known = sinks.compactMap(SinkFlag.name)
    for (name, place) in try entries(flag) where !known.contains(name) {
      throw UsageError(
        "\(place): no sink has the name \(quoted(name))",
        meant: Suggestion.nearest(to: name, in: known),
        remedy: "write one of: \(known.joined(separator: ", "))")
    }
    return try texts(flag)
  }

  /// Names that must not be those of sinks of this run.
  func sinkNames(_ flag: String, areNotAmong sinks: [String]) throws(UsageError) -> [String] {
    let known = sinks.compactMap(SinkFlag.name)
    for (name, place) in try entries(flag) where known.contains(name) {
      throw UsageError(
        "\(place): the sink \(name) is also given with --sink",
        remedy: "leave out one of the two")
    }
    return try texts(flag)
  }

  /// `--table`: a name that every SQL dialect takes without quotes.
  func tableName() throws(UsageError) -> String {
    let table = try required("table")
    let isPlain = table.unicodeScalars.allSatisfy {
      switch $0 {
      case "a"..."z", "A"..."Z", "0"..."9", "_": true
      default: false
      }
    }
    let beginsWithDigit = table.first?.isNumber ?? false
    if !isPlain || beginsWithDigit || table.utf8.count > 63 {
      throw invalid(
        "table", "\(quoted(table)) cannot be a table's name",
        remedy: "use letters, digits and '_', at most 63 of them, no digit first")
    }
    return table
  }
}

/// The form of one `--sink`.
package enum SinkFlag {
  /// The name given before `=`, else the scheme; nil where the text is not `[NAME=]SCHEME:PLACE`.
  package static func name(of text: String) -> String? {
    guard let colon = text.firstIndex(of: ":"), text.index(after: colon) < text.endIndex else {
      return nil
    }
    let head = text[..<colon]
    let parts = head.split(separator: "=", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy(isWord) else { return nil }
    return String(parts[0])
  }

  private static func isWord(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.count <= 64
      && text.unicodeScalars.allSatisfy {
        switch $0 {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
      }
  }
}
