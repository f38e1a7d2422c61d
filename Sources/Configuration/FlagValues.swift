import SessionModel

/// A command's settings after precedence: flags over environment over file over default.
///
/// Of each setting only the highest level that names it is kept: a list there replaces the lower
/// ones as a whole.
struct FlagValues {
  let command: Command
  private let given: [String: [GivenValue]]

  /// - Parameter levels: from the highest to the lowest.
  init(command: Command, levels: [[String: [GivenValue]]]) {
    self.command = command
    given = levels.reduce(into: [:]) { $0.merge($1) { higher, _ in higher } }
  }

  func isGiven(_ name: String) -> Bool { given[name] != nil }

  /// Where the setting's value was written, as errors name it.
  func place(of name: String) -> String {
    let flag = definition(name)
    return (given[name]?.first?.origin ?? .builtIn).place(of: flag)
  }

  func boolean(_ name: String) throws(UsageError) -> Bool {
    switch try text(name) {
    case "true": return true
    case "false": return false
    default: throw invalid(name, "must be true or false", remedy: "write true or false")
    }
  }

  /// Any text but the empty one.
  func text(_ name: String) throws(UsageError) -> String? {
    guard let value = given[name]?.first else { return definition(name).defaultValue }
    try checkFilled(value, name)
    return value.text
  }

  /// A list's entries, each with the place where it stands.
  func entries(_ name: String) throws(UsageError) -> [(text: String, place: String)] {
    var entries: [(text: String, place: String)] = []
    for value in given[name] ?? [] {
      try checkFilled(value, name)
      entries.append((value.text, value.origin.place(of: definition(name))))
    }
    return entries
  }

  func texts(_ name: String) throws(UsageError) -> [String] { try entries(name).map(\.text) }

  /// In µs; nil for `off` and where there is neither value nor default.
  func duration(_ name: String) throws(UsageError) -> Microseconds? {
    guard case .duration(let minimum, let allowsOff) = definition(name).kind else {
      preconditionFailure("\(name) is no duration")
    }
    guard let text = try text(name) else { return nil }
    if text == "off", allowsOff { return nil }
    let off = allowsOff ? ", or off" : ""
    let span: Microseconds
    do throws(DurationError) {
      span = try DurationText.parse(text)
    } catch {
      let remedy =
        error == .missingUnit
        ? "write for instance \(text)s or \(text)m" : "write for instance 30s, 5m or 1h30m"
      throw invalid(
        name, "\(quoted(text)) is not a duration: \(error.reason)", remedy: remedy + off)
    }
    if span < minimum {
      let least = DurationText.text(minimum)
      throw invalid(
        name, "\(quoted(text)) is too short: the least is \(least)",
        remedy: "write \(least) or more\(off)")
    }
    return span
  }

  /// nil where there is neither value nor default.
  func integer(_ name: String) throws(UsageError) -> Int? {
    guard case .integer(let range) = definition(name).kind else {
      preconditionFailure("\(name) is no number")
    }
    guard let text = try text(name) else { return nil }
    let isNumber = text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    guard isNumber, let number = Int(text), range.contains(number) else {
      let bounds =
        range.upperBound == Int.max
        ? "of \(range.lowerBound) or more" : "from \(range.lowerBound) to \(range.upperBound)"
      throw invalid(
        name, "\(quoted(text)) is not a whole number \(bounds)",
        remedy: "write digits only, for instance \(min(range.upperBound, 100))")
    }
    return number
  }

  /// One of an enumeration's words; nil where there is neither value nor default.
  func choice<Choice: RawRepresentable>(
    _ name: String, _ type: Choice.Type
  ) throws(UsageError) -> Choice? where Choice.RawValue == String {
    guard case .choice(let words) = definition(name).kind else {
      preconditionFailure("\(name) is no choice")
    }
    guard let text = try text(name) else { return nil }
    if let choice = Choice(rawValue: text) { return choice }
    throw invalid(
      name, "\(quoted(text)) is not one of \(words.joined(separator: ", "))",
      meant: Suggestion.nearest(to: text, in: words), remedy: "write one of these words")
  }

  /// In µs since 1970; nil where there is neither value nor default.
  func timestamp(_ name: String) throws(UsageError) -> Microseconds? {
    guard let text = try text(name) else { return nil }
    if let time = TimestampText.parse(text) { return time }
    throw invalid(
      name, "\(quoted(text)) is not a point in time",
      remedy: "write ISO-8601 with an offset such as 2025-01-31T08:30:00Z, or epoch milliseconds")
  }

  /// In days since 1970; nil where there is neither value nor default.
  func date(_ name: String) throws(UsageError) -> UInt32? {
    guard let text = try text(name) else { return nil }
    if text.utf8.count == 10, let time = TimestampText.parse(text + "T00:00:00Z") {
      return UInt32(time / .perDay)
    }
    throw invalid(
      name, "\(quoted(text)) is not a date from 1970-01-01 to 9999-12-31",
      remedy: "write for instance 2025-01-31")
  }

  /// An error about one setting, with the place where its value stands.
  func invalid(
    _ name: String, _ problem: String, meant: String? = nil, remedy: String
  ) -> UsageError {
    UsageError("\(place(of: name)): \(problem)", meant: meant, remedy: remedy)
  }

  private func checkFilled(_ value: GivenValue, _ name: String) throws(UsageError) {
    guard value.text.isEmpty else { return }
    let flag = definition(name)
    throw UsageError(
      "\(value.origin.place(of: flag)): the value is empty",
      remedy: "write \(flag.written) \(flag.placeholder)")
  }

  private func definition(_ name: String) -> FlagDefinition {
    guard let flag = FlagTable.flag(name, of: command) else {
      preconditionFailure("\(command.rawValue) has no flag \(name)")
    }
    return flag
  }
}

/// A value as messages repeat it: in quotes, its beginning only.
func quoted(_ text: String) -> String {
  text.count <= 60 ? "\"\(text)\"" : "\"\(text.prefix(60))…\""
}
