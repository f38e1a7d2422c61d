/// What hostile bytes can reach. The raw value names the target on the fuzzer's command line and
/// its folder of kept inputs in `Tests/Fuzz/Corpus`.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// A record's value on its way to an event.
  case eventDecoder = "event-decoder"
  /// Arguments, environment, configuration file and properties; and the values in them.
  case configuration
  /// Values of the state, with checksums made right: what the decoders rest on otherwise.
  case stateValues = "state-values"

  /// Looks at one input; keeps what it needs from one to the next.
  package typealias Check = (UnsafeRawBufferPointer) throws(FuzzFinding) -> Void

  package func makeCheck() -> Check {
    switch self {
    case .eventDecoder:
      let check = EventDecoderCheck()
      return { (input) throws(FuzzFinding) in try check.run(input) }
    case .configuration:
      return { (input) throws(FuzzFinding) in try ConfigurationCheck.run(input) }
    case .stateValues:
      return { (input) throws(FuzzFinding) in try StateValueCheck.run(input) }
    }
  }
}

/// A property that an input breaks.
package struct FuzzFinding: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// Throws a finding unless `condition` holds.
func require(
  _ condition: Bool, _ finding: @autoclosure () -> String
) throws(FuzzFinding) {
  if !condition { throw FuzzFinding(finding()) }
}
