/// The file of `--config`: lines `flag-name = value`, `#` comments, repeated lines for lists.
enum ConfigurationFile {
  /// The values for one command's flags. Names are checked against all commands' flags, so that one
  /// file can serve several; errors name the line and never repeat a value.
  static func values(
    for command: Command, in text: String, path: String
  ) throws(UsageError) -> [String: [GivenValue]] {
    var values: [String: [GivenValue]] = [:]
    for (index, line) in Lines.split(text).enumerated() {
      let line = Lines.trimmed(line)
      if line.isEmpty || line.hasPrefix("#") { continue }
      let place = "\(path):\(index + 1)"
      let (name, value) = try entry(line, place: place)
      guard let flag = FlagTable.flag(name, of: command) else { continue }
      if let first = values[name]?.first, !flag.isRepeatable {
        throw UsageError(
          "\(place): \(name) is given more than once: first \(first.origin.place(of: flag))",
          remedy: "keep one of the lines")
      }
      values[name, default: []].append(
        GivenValue(text: value, origin: .file(path: path, line: index + 1)))
    }
    return values
  }

  private static func entry(
    _ line: String, place: String
  ) throws(UsageError) -> (name: String, value: String) {
    let equals = line.firstIndex(of: "=")
    let name = Lines.trimmed(line[..<(equals ?? line.endIndex)])
    try check(name, place: place)
    guard let equals else {
      throw UsageError(
        "\(place): \(name) has no value", remedy: "write the line as \(name) = value")
    }
    let value = Lines.trimmed(line[line.index(after: equals)...])
    if value.isEmpty {
      throw UsageError(
        "\(place): \(name) has an empty value", remedy: "give a value, or take the line out")
    }
    return (name, value)
  }

  private static func check(_ name: String, place: String) throws(UsageError) {
    if name == "config" {
      throw UsageError(
        "\(place): a configuration file cannot name another one",
        remedy: "put all settings into one file")
    }
    let names = FlagTable.all.map(\.name)
    if names.contains(name) { return }
    let bare = String(name.drop { $0 == "-" })
    let near = names.contains(bare) ? bare : Suggestion.nearest(to: bare, in: names)
    // Without a near name the line may be anything, a secret too: show only what looks like a name.
    let isName = name.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0))
    }
    let shown = isName && name.count <= 40 ? " \(name)" : ""
    throw UsageError(
      "\(place): unknown setting\(shown)",
      meant: near, remedy: "write lines as flag-name = value, with the names of sojourn help")
  }
}
