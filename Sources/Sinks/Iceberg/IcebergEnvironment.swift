import Glibc

/// The Python environment that drives PyIceberg, and what is installed into it.
package enum IcebergEnvironment {
  /// The versions that the helper was written for and tested with begin so.
  static let version = "0.12."

  /// Where `sojourn iceberg-setup` puts it unless told otherwise; nil where the user has no home.
  package static var defaultDirectory: String? {
    if let data = variable("XDG_DATA_HOME") { return data + "/sojourn/iceberg" }
    return variable("HOME").map { $0 + "/.local/share/sojourn/iceberg" }
  }

  /// Of an environment as `python -m venv` makes it.
  package static func interpreter(in directory: String) -> String { directory + "/bin/python" }

  /// All packages with their versions, for pip.
  package static var requirements: [UInt8] { PackageResources.requirements_txt }

  /// The program that the interpreter runs.
  static var helper: [UInt8] { PackageResources.iceberg_helper_py }

  static let remedy =
    "Make one with `sojourn iceberg-setup`, or name its interpreter with --iceberg-python."

  private static func variable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}
