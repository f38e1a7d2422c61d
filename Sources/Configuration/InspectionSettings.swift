package import SessionModel

/// Everything that `sojourn dump` was told.
package struct DumpSettings: Equatable, Sendable {
  package let view: DumpView
  package let stateDirectory: String
  /// Only sessions of this user id, compared as text.
  package let user: String?
  /// Only sessions from this address, as written.
  package let ip: String?
  /// In rows; nil: all.
  package let limit: Int?
  package let output: OutputFormat

  init(_ values: FlagValues, operands: [String]) throws(UsageError) {
    view =
      try values.operand(operands, DumpView.self, DumpView.allCases, noun: "view") ?? .summary
    stateDirectory = try values.required("state")
    user = try values.text("user")
    ip = try values.text("ip")
    limit = try values.integer("limit")
    output = try values.requiredChoice("output", OutputFormat.self)
    for name in ["user", "ip"] where values.isGiven(name) && view != .sessions {
      throw values.invalid(
        name, "it chooses among sessions, not in \(view.rawValue)",
        remedy: "write: sojourn dump sessions")
    }
  }
}

/// Everything that `sojourn purge` was told.
package struct PurgeSettings: Equatable, Sendable {
  package let target: SideOutput
  package let stateDirectory: String
  package let output: OutputFormat

  init(_ values: FlagValues, operands: [String]) throws(UsageError) {
    let target = try values.operand(
      operands, SideOutput.self, SideOutput.allCases, noun: "target")
    guard let target else {
      throw UsageError(
        "purge is not told what to take out",
        remedy: "write "
          + SideOutput.allCases.map { "purge \($0.rawValue)" }.joined(separator: ", or "))
    }
    self.target = target
    stateDirectory = try values.required("state")
    output = try values.requiredChoice("output", OutputFormat.self)
  }
}

/// Everything that `sojourn check` was told.
package struct CheckSettings: Equatable, Sendable {
  package let stateDirectory: String
  package let output: OutputFormat

  init(_ values: FlagValues) throws(UsageError) {
    stateDirectory = try values.required("state")
    output = try values.requiredChoice("output", OutputFormat.self)
  }
}

/// Everything that `sojourn backup` was told.
package struct BackupSettings: Equatable, Sendable {
  package let stateDirectory: String
  /// The directory for the copy.
  package let target: String
  package let output: OutputFormat

  init(_ values: FlagValues) throws(UsageError) {
    stateDirectory = try values.required("state")
    guard let target = try values.text("to") else {
      throw UsageError("--to is missing", remedy: "name a new directory for the copy")
    }
    self.target = target
    output = try values.requiredChoice("output", OutputFormat.self)
  }
}

/// Everything that `sojourn verify-sink` was told.
package struct VerifySinkSettings: Equatable, Sendable {
  package let stateDirectory: String
  /// `[NAME=]SCHEME:PLACE`, at least one; the names are those of the run.
  package let sinks: [String]
  package let table: String
  /// The first session date to compare, in days since 1970.
  package let since: UInt32
  /// nil: the default environment's.
  package let icebergPython: String?
  package let output: OutputFormat

  init(_ values: FlagValues) throws(UsageError) {
    stateDirectory = try values.required("state")
    sinks = try values.sinks()
    table = try values.tableName()
    since = try values.date("since") ?? 0
    icebergPython = try values.text("iceberg-python")
    output = try values.requiredChoice("output", OutputFormat.self)
  }
}

/// Everything that `sojourn ddl` was told.
package struct DDLSettings: Equatable, Sendable {
  package let dialect: DDLDialect
  package let table: String
  /// `--key`: it decides on columns.
  package let key: [String]

  init(_ values: FlagValues) throws(UsageError) {
    guard let dialect = try values.choice("dialect", DDLDialect.self) else {
      let all = DDLDialect.allCases.map(\.rawValue).joined(separator: ", ")
      throw UsageError("--dialect is missing", remedy: "name one of \(all)")
    }
    self.dialect = dialect
    table = try values.tableName()
    key = try values.keyFields()
  }
}

/// Everything that `sojourn iceberg-setup` was told.
package struct IcebergSetupSettings: Equatable, Sendable {
  /// nil: the user's default place.
  package let directory: String?

  init(_ values: FlagValues) throws(UsageError) { directory = try values.text("dir") }
}

/// Everything that `sojourn version` was told.
package struct VersionSettings: Equatable, Sendable {
  package let output: OutputFormat

  init(_ values: FlagValues) throws(UsageError) {
    output = try values.requiredChoice("output", OutputFormat.self)
  }
}

extension FlagValues {
  /// The one operand that a command takes; nil if there is none.
  fileprivate func operand<Choice: RawRepresentable>(
    _ operands: [String], _ type: Choice.Type, _ choices: [Choice], noun: String
  ) throws(UsageError) -> Choice? where Choice.RawValue == String {
    guard let word = operands.first else { return nil }
    if operands.count > 1 {
      throw UsageError(
        "\(command.rawValue) takes one \(noun), not \(operands.count)", remedy: "keep one of them")
    }
    if let choice = choices.first(where: { $0.rawValue == word }) { return choice }
    let words = choices.map(\.rawValue)
    throw UsageError(
      "\(command.rawValue) has no \(noun) \(quoted(word))",
      meant: Suggestion.nearest(to: word, in: words),
      remedy: "write one of \(words.joined(separator: ", "))")
  }
}
