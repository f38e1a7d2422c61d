/// A command line understood: what to do, with every setting checked.
package enum Invocation: Sendable {
  case run(RunSettings)
  case preview(PreviewSettings)
  case dump(DumpSettings)
  case purge(PurgeSettings)
  case check(CheckSettings)
  case backup(BackupSettings)
  case verifySink(VerifySinkSettings)
  case ddl(DDLSettings)
  case icebergSetup(IcebergSetupSettings)
  case broker(BrokerSettings)
  case generate(GenerateSettings)
  case drill(DrillSettings)
  case version(VersionSettings)
  /// nil: the list of commands.
  case help(Command?)

  /// Reads arguments, environment and configuration file.
  ///
  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - environment: all variables; those of `SOJOURN_…` names serve.
  ///   - readFile: reads `--config` and `--kafka-properties`.
  /// - Throws: `UsageError` naming the flag, variable, or file and line; nothing was opened but the
  ///   two files.
  package init(
    arguments: [String], environment: [String: String], readFile: FileReader
  ) throws(UsageError) {
    guard let word = arguments.first else {
      throw UsageError("no command is given", remedy: "see: sojourn help")
    }
    switch word {
    case "--help", "-h":
      self = .help(nil)
      return
    case "--version":
      self = try Invocation.understand(.version, Array(arguments.dropFirst()), [:], readFile)
      return
    default: break
    }
    guard let command = Command(rawValue: word) else { throw Invocation.unknown(word) }
    self = try Invocation.understand(
      command, Array(arguments.dropFirst()), environment, readFile)
  }

  /// Variables that look like a setting's but are not used; for standard error.
  package static func warnings(about environment: [String: String]) -> [String] {
    Environment.warnings(about: environment)
  }

  private static func understand(
    _ command: Command, _ arguments: [String], _ environment: [String: String],
    _ readFile: FileReader
  ) throws(UsageError) -> Invocation {
    let parser = try ArgumentParser(command: command, arguments: arguments)
    if parser.wantsHelp { return .help(command == .help ? nil : command) }
    if command == .help { return .help(try helpTopic(parser.operands)) }
    if ![.dump, .purge, .preview].contains(command), let operand = parser.operands.first {
      throw UsageError(
        "\(command.rawValue) does not take the argument \(quoted(operand))",
        remedy: "take it out, or see: sojourn help \(command.rawValue)")
    }
    let values = try resolve(parser, environment, readFile)
    switch command {
    case .run: return .run(try RunSettings(values, readFile: readFile))
    case .preview:
      return .preview(
        try PreviewSettings(values, operands: parser.operands, readFile: readFile))
    case .dump: return .dump(try DumpSettings(values, operands: parser.operands))
    case .purge: return .purge(try PurgeSettings(values, operands: parser.operands))
    case .check: return .check(try CheckSettings(values))
    case .backup: return .backup(try BackupSettings(values))
    case .verifySink: return .verifySink(try VerifySinkSettings(values))
    case .ddl: return .ddl(try DDLSettings(values))
    case .icebergSetup: return .icebergSetup(try IcebergSetupSettings(values))
    case .broker: return .broker(try BrokerSettings(values))
    case .generate: return .generate(try GenerateSettings(values, readFile: readFile))
    case .drill: return .drill(try DrillSettings(values, readFile: readFile))
    case .version: return .version(try VersionSettings(values))
    case .help: preconditionFailure("answered above")
    }
  }

  /// Puts the levels over one another; the file is read only once its own name is settled.
  private static func resolve(
    _ parser: ArgumentParser, _ environment: [String: String], _ readFile: FileReader
  ) throws(UsageError) -> FlagValues {
    let command = parser.command
    var levels = [parser.given, Environment.values(for: command, in: environment)]
    let upper = FlagValues(command: command, levels: levels)
    if FlagTable.flag("config", of: command) != nil, let path = try upper.text("config") {
      let text = try readFile.text(path, place: upper.place(of: "config"))
      levels.append(try ConfigurationFile.values(for: command, in: text, path: path))
    }
    if let preset = try FlagValues(command: command, levels: levels).preset() {
      levels.append(preset.values.mapValues { [GivenValue(text: $0, origin: .builtIn)] })
    }
    return FlagValues(command: command, levels: levels)
  }

  private static func helpTopic(_ operands: [String]) throws(UsageError) -> Command? {
    guard let word = operands.first else { return nil }
    guard let command = Command(rawValue: word) else { throw unknown(word) }
    return command
  }

  private static func unknown(_ word: String) -> UsageError {
    if word.hasPrefix("-") {
      return UsageError(
        "the command comes before its flags", remedy: "write for instance: sojourn run --help")
    }
    let near = Suggestion.nearest(to: word, in: Command.allCases.map(\.rawValue))
    return UsageError(
      "there is no command \(quoted(word))",
      meant: near, remedy: "see: sojourn help")
  }
}
