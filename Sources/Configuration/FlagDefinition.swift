/// One flag: the single source for parsing, `--help`, environment, file and documentation.
package struct FlagDefinition: Equatable, Sendable {
  /// Without dashes; also its name in a configuration file.
  package let name: String
  /// What stands for the value in help; empty for booleans.
  package let placeholder: String
  package let kind: FlagKind
  /// Whether it may be given more than once, making a list.
  package let isRepeatable: Bool
  /// The value where nothing is given, as it would be written; nil where there is none.
  package let defaultValue: String?
  /// The default in words where it follows from other settings.
  package let derivedDefault: String?
  /// What a bare number counts; nil where the value carries its unit or has none.
  package let unit: String?
  /// One sentence without a full stop.
  package let help: String
  package let commands: Set<Command>

  init(
    _ name: String, _ placeholder: String, _ kind: FlagKind, repeatable isRepeatable: Bool = false,
    default defaultValue: String? = nil, derived derivedDefault: String? = nil,
    unit: String? = nil, help: String, _ commands: Set<Command>
  ) {
    self.name = name
    self.placeholder = placeholder
    self.kind = kind
    self.isRepeatable = isRepeatable
    self.defaultValue = defaultValue
    self.derivedDefault = derivedDefault
    self.unit = unit
    self.help = help
    self.commands = commands
  }

  init(boolean name: String, help: String, _ commands: Set<Command>) {
    self.init(name, "", .boolean, default: "false", help: help, commands)
  }

  /// `--name`, or `-X`.
  package var written: String { name.count == 1 ? "-\(name)" : "--\(name)" }

  /// `SOJOURN_NAME`: the environment variable that serves in the flag's place.
  package var environmentVariable: String {
    "SOJOURN_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
  }

  /// The default as help and documentation show it; nil where there is none.
  package var shownDefault: String? { derivedDefault ?? defaultValue }
}
