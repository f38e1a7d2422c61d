/// Splits a command's arguments into flags and operands; values are checked later.
struct ArgumentParser {
  let command: Command
  private(set) var given: [String: [GivenValue]] = [:]
  private(set) var operands: [String] = []
  private(set) var wantsHelp = false
  /// Whether the argument before was a librdkafka property, of which nothing may be repeated.
  private var isBehindProperty = false

  /// - Parameter arguments: those behind the command's name.
  init(command: Command, arguments: [String]) throws(UsageError) {
    self.command = command
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" {
        operands += rest
        return
      }
      if argument == "--help" || argument == "-h" {
        wantsHelp = true
      } else if argument.hasPrefix("--") {
        try takeLong(argument, &rest)
      } else if argument.hasPrefix("-X"), FlagTable.flag("X", of: command) != nil {
        try takeProperty(argument, &rest)
      } else if argument.hasPrefix("-"), argument != "-" {
        throw unknown(argument)
      } else {
        try takeOperand(argument)
        continue
      }
      isBehindProperty = argument.hasPrefix("-X")
    }
  }

  private mutating func takeLong(
    _ argument: String, _ rest: inout ArraySlice<String>
  ) throws(UsageError) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0].dropFirst(2))
    guard name != "X", let flag = FlagTable.flag(name, of: command) else {
      throw unknown(String(parts[0]))
    }
    if parts.count == 2 {
      try add(String(parts[1]), to: flag)
    } else if !flag.kind.takesValue {
      try add("true", to: flag)
    } else {
      try add(try nextValue(of: flag, &rest), to: flag)
    }
  }

  /// `-X key=value` or `-Xkey=value`.
  private mutating func takeProperty(
    _ argument: String, _ rest: inout ArraySlice<String>
  ) throws(UsageError) {
    guard let flag = FlagTable.flag("X", of: command) else { throw unknown("-X") }
    let attached = String(argument.dropFirst(2))
    try add(attached.isEmpty ? try nextValue(of: flag, &rest) : attached, to: flag)
  }

  private mutating func takeOperand(_ argument: String) throws(UsageError) {
    if isBehindProperty {
      throw UsageError(
        "an argument behind -X belongs to no flag",
        remedy: "quote a property whose value has blanks: -X 'KEY=VALUE'")
    }
    operands.append(argument)
  }

  private func nextValue(
    of flag: FlagDefinition, _ rest: inout ArraySlice<String>
  ) throws(UsageError) -> String {
    if let next = rest.first, !next.hasPrefix("-") || next == "-" {
      rest.removeFirst()
      return next
    }
    let joined = flag.written == "-X" ? "-XKEY=VALUE" : "\(flag.written)=VALUE"
    throw UsageError(
      "\(flag.written) needs a value: \(flag.placeholder)",
      remedy: rest.isEmpty
        ? "write one behind it" : "write one behind it; \(joined) if it begins with a dash")
  }

  private mutating func add(_ text: String, to flag: FlagDefinition) throws(UsageError) {
    if !flag.isRepeatable, given[flag.name] != nil {
      throw UsageError(
        "\(flag.written) is given more than once", remedy: "keep one of them")
    }
    given[flag.name, default: []].append(GivenValue(text: text, origin: .commandLine))
  }

  /// - Parameter written: without a value, since that may be a secret.
  private func unknown(_ written: String) -> UsageError {
    let name = String(written.drop { $0 == "-" })
    if written.hasPrefix("--") || written.count == 2,
      let other = FlagTable.all.first(where: { $0.name == name })
    {
      if other.commands.contains(command) {
        return UsageError("\(other.written) is written with one dash", remedy: "write -X KEY=VALUE")
      }
      let commands = Command.allCases.filter(other.commands.contains).map(\.rawValue)
      return UsageError(
        "\(command.rawValue) takes no \(other.written); that is a flag of "
          + commands.joined(separator: ", "),
        remedy: "leave it out, or see: sojourn help \(command.rawValue)")
    }
    // A single dash may hold an attached value of any kind: `-psecret`.
    let shown = written.hasPrefix("--") ? written : String(written.prefix(2))
    let names = FlagTable.flags(of: command).filter { $0.name.count > 1 }.map(\.name)
    return UsageError(
      "unknown flag \(shown)",
      meant: Suggestion.nearest(to: name, in: names + ["help"]).map { "--\($0)" },
      remedy: "correct it, or see: sojourn help \(command.rawValue)")
  }
}
