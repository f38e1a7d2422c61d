/// Settings from environment variables.
enum Environment {
  private static let prefix = "SOJOURN_"

  /// The values for a command's flags. Lists have one entry a line; a variable that is empty, or
  /// holds white space only, counts as not set.
  static func values(
    for command: Command, in environment: [String: String]
  ) -> [String: [GivenValue]] {
    var values: [String: [GivenValue]] = [:]
    for flag in FlagTable.flags(of: command) {
      let variable = flag.environmentVariable
      guard let text = environment[variable] else { continue }
      let entries = flag.isRepeatable ? Lines.split(text).map(Lines.trimmed) : [Lines.trimmed(text)]
      let given = entries.filter { !$0.isEmpty }.map {
        GivenValue(text: $0, origin: .environment(variable))
      }
      if !given.isEmpty { values[flag.name] = given }
    }
    return values
  }

  /// Variables that nothing reads though their name is nearly a flag's.
  ///
  /// Warnings only: an orchestrator may set `SOJOURN_SERVICE_HOST` and the like on its own.
  static func warnings(about environment: [String: String]) -> [String] {
    let known = FlagTable.all.map(\.environmentVariable)
    let unknown = environment.keys.filter { $0.hasPrefix(prefix) && !known.contains($0) }
    return unknown.sorted().compactMap { variable in
      let names = known.map { String($0.dropFirst(prefix.count)) }
      let name = String(variable.dropFirst(prefix.count))
      return Suggestion.nearest(to: name, in: names).map {
        "environment variable \(variable) is not used; did you mean \(prefix)\($0)?"
      }
    }
  }
}
