import SessionModel

/// Settings with a default, which therefore always have a value.
extension FlagValues {
  func required(_ name: String) throws(UsageError) -> String {
    guard let text = try text(name) else { preconditionFailure("\(name) has no default") }
    return text
  }

  func requiredDuration(_ name: String) throws(UsageError) -> Microseconds {
    guard let span = try duration(name) else { preconditionFailure("\(name) can be off") }
    return span
  }

  func requiredInteger(_ name: String) throws(UsageError) -> Int {
    guard let number = try integer(name) else { preconditionFailure("\(name) has no default") }
    return number
  }

  func requiredChoice<Choice: RawRepresentable>(
    _ name: String, _ type: Choice.Type
  ) throws(UsageError) -> Choice where Choice.RawValue == String {
    guard let choice = try choice(name, type) else {
      preconditionFailure("\(name) has no default")
    }
    return choice
  }
}
