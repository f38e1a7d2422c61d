/// What `--help` and `sojourn help` print, made from the table of flags.
package enum HelpText {
  private static let width = 100

  /// The list of commands.
  package static func overview() -> String {
    var text = "Sojourn turns a Kafka topic of web events into a table of visitor sessions.\n\n"
    text += "Usage: sojourn COMMAND [flags]\n\n"
    for command in Command.allCases {
      text += "  \(padded(command.rawValue, to: 15))\(command.summary)\n"
    }
    text += "\nsojourn help COMMAND lists a command's flags.\n"
    return text
  }

  /// One command with all its flags.
  package static func text(_ command: Command) -> String {
    var text = "sojourn \(command.rawValue): \(command.summary)\n\n"
    for synopsis in command.synopses { text += "  sojourn \(synopsis)\n" }
    let flags = FlagTable.flags(of: command)
    if flags.isEmpty { return text }
    text += "\nFlags:\n"
    for flag in flags {
      text += "  \(heading(flag))\n"
      for line in wrapped(details(flag), width: width - 6) { text += "      \(line)\n" }
    }
    if FlagTable.flag("config", of: command) != nil {
      text += """

        A setting comes from its flag, else from the environment (SOJOURN_FLAG_NAME, lists one entry
        a line), else from the configuration file (flag-name = value), else it has its default.
        Durations: 250us, 10ms, 30s, 5m, 1h30m, 1d.

        """
    }
    return text
  }

  private static func heading(_ flag: FlagDefinition) -> String {
    let value = flag.placeholder.isEmpty ? "" : " \(flag.placeholder)"
    return flag.written + value + (flag.isRepeatable ? "   (may be repeated)" : "")
  }

  private static func details(_ flag: FlagDefinition) -> String {
    guard flag.kind != .boolean, let value = flag.shownDefault else { return flag.help }
    return "\(flag.help) [default: \(value)]"
  }

  /// Broken at blanks.
  private static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if line.isEmpty {
        line = String(word)
      } else if line.count + 1 + word.count <= width {
        line += " \(word)"
      } else {
        lines.append(line)
        line = String(word)
      }
    }
    return line.isEmpty ? lines : lines + [line]
  }

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
