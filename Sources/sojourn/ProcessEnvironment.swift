import Glibc

/// The variables that the process was started with.
enum ProcessEnvironment {
  /// The first of equal names counts, as for `getenv(3)`.
  static func all() -> [String: String] {
    var variables: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if let equals = text.firstIndex(of: "=") {
        let name = String(text[..<equals])
        variables[name] = variables[name] ?? String(text[text.index(after: equals)...])
      }
      next += 1
    }
    return variables
  }
}
