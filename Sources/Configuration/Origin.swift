/// Where a setting's value was written.
enum Origin: Equatable, Sendable {
  case commandLine
  /// The variable's name.
  case environment(String)
  /// The configuration file and the line in it, from 1.
  case file(path: String, line: Int)
  case builtIn

  /// The place as errors name it, for a flag written `--name`.
  func place(of flag: FlagDefinition) -> String {
    switch self {
    case .commandLine, .builtIn: flag.written
    case .environment(let variable): "environment variable \(variable)"
    case .file(let path, let line): "\(path):\(line) (\(flag.name))"
    }
  }
}

/// One value as it was written, not yet checked.
struct GivenValue: Equatable, Sendable {
  var text: String
  var origin: Origin
}
