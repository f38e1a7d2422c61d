import Configuration
import Console
import SessionModel

/// `sojourn version`: the program's version and those of the libraries that it runs with.
enum VersionCommand {
  static let name = "sojourn"
  static let version = "0.1.0"

  static func run(_ settings: VersionSettings) throws(CommandFailure) {
    let libraries = LibraryVersions.all
    try StandardOutput.write { (writer) throws(OutputError) in
      switch settings.output {
      case .text: try writer.write(text(libraries))
      case .json: try writer.write(json(libraries))
      }
    }
  }

  private static func text(_ libraries: [(name: String, version: String)]) -> String {
    var text = "\(name) \(version)\n"
    for library in [("Swift", swiftVersion)] + libraries {
      text += "  \(library.0) \(library.1)\n"
    }
    return text
  }

  private static func json(_ libraries: [(name: String, version: String)]) -> [UInt8] {
    var json = JSONWriter()
    json.object {
      $0.member("name", name)
      $0.member("version", version)
      $0.member("swift", swiftVersion)
      $0.object("libraries") {
        for library in libraries { $0.member(library.name, library.version) }
      }
    }
    json.endLine()
    return json.bytes
  }

  /// Of the compiler, as far as the language tells it.
  private static var swiftVersion: String {
    #if compiler(>=6.5)
      "6.5 or later"
    #elseif compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }
}
