package import SessionModel

/// Everything that `sojourn preview` was told.
package struct PreviewSettings: Sendable {
  package let input: RunInput
  package let from: StartPoint
  package let decoding: DecodingSettings
  package let userAgents: UserAgentSetting
  /// In µs; nil: off.
  package let maxFutureSkew: Microseconds?
  /// In records.
  package let limit: Int
  /// How long to wait for records, in µs.
  package let timeout: Microseconds
  package let output: OutputFormat

  /// - Parameter operands: files; they go over an input that a configuration file names.
  init(
    _ values: FlagValues, operands: [String], readFile: FileReader
  ) throws(UsageError) {
    input =
      operands.isEmpty ? try values.runInput(readFile: readFile) : .files(operands)
    from = try values.startPoint()
    decoding = try DecodingSettings(values)
    userAgents = try values.userAgents()
    maxFutureSkew = try values.duration("max-future-skew")
    limit = try values.requiredInteger("limit")
    timeout = try values.requiredDuration("timeout")
    output = try values.requiredChoice("output", OutputFormat.self)
  }
}
