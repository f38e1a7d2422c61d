package import SessionModel

/// Where in a record each field of an event is found: a path of object keys per field.
///
/// The defaults are the paths of the web-traffic schema. The parts of the parsed user agent follow
/// the `user_agent` path unless they are given paths of their own.
package struct FieldMapping: Equatable, Sendable {
  /// By raw value of `EventField`; nil where nothing was set.
  private var paths: [[String]?]

  /// Names of fields of one's own, in the order of `EventField.ownKeys`.
  private let ownNames: [String]

  /// - Parameter key: its fields of one's own can be mapped, too.
  package init(key: KeyLayout = .standard) {
    paths = Array(repeating: nil, count: EventField.allCases.count + 1)
    ownNames = key.ownNames
  }

  /// The fields that are read.
  package var fields: [EventField] {
    EventField.named.filter { $0 != .eventType || paths[Int($0.rawValue)] != nil }
      + EventField.ownKeys.prefix(ownNames.count)
  }

  /// What a field is called here.
  package func name(of field: EventField) -> String {
    EventField.ownKeys.firstIndex(of: field).map { ownNames[$0] } ?? field.name
  }

  /// Sets the path of one field, as `--field NAME=PATH` does.
  ///
  /// - Parameters:
  ///   - name: as `name(of:)` has it.
  ///   - path: keys separated by dots; `\.` is a dot and `\\` a backslash inside a key. Paths lead
  ///     through objects only, not into arrays.
  /// - Throws: `MappingError`; nothing was changed.
  package mutating func set(_ name: String, path: String) throws(MappingError) {
    let known = EventField.named + EventField.ownKeys.prefix(ownNames.count)
    guard let field = known.first(where: { self.name(of: $0) == name }) else {
      throw .unknownField(name)
    }
    paths[Int(field.rawValue)] = try FieldMapping.keys(of: path)
  }

  /// The keys that lead to a field, outermost first.
  package func path(of field: EventField) -> [String] {
    if let path = paths[Int(field.rawValue)] { return path }
    switch field {
    case .browserFamily: return path(of: .userAgent) + ["family"]
    case .osFamily: return path(of: .userAgent) + ["os", "family"]
    case .deviceFamily: return path(of: .userAgent) + ["device", "family"]
    default: return [name(of: field)]
    }
  }

  /// A path as `set` takes it.
  package static func text(of path: [String]) -> String {
    path.map { key in
      key.unicodeScalars.reduce(into: "") { text, character in
        if character == "." || character == "\\" { text += "\\" }
        text.unicodeScalars.append(character)
      }
    }.joined(separator: ".")
  }

  private static func keys(of path: String) throws(MappingError) -> [String] {
    var keys = [""]
    var rest = path.unicodeScalars.makeIterator()
    while let character = rest.next() {
      switch character {
      case ".": keys.append("")
      case "\\":
        guard let escaped = rest.next(), escaped == "." || escaped == "\\" else {
          throw .badEscape(path)
        }
        keys[keys.count - 1].unicodeScalars.append(escaped)
      default: keys[keys.count - 1].unicodeScalars.append(character)
      }
    }
    guard !keys.contains("") else { throw .emptyKey(path) }
    guard keys.count <= Limits.jsonDepth else { throw .tooLong(path) }
    return keys
  }
}

/// A `--field NAME=PATH` that cannot be.
package enum MappingError: Error, Equatable, CustomStringConvertible {
  case unknownField(String)
  /// The path, or a key between two dots of it, is empty.
  case emptyKey(String)
  /// A backslash that is followed by neither a dot nor a backslash.
  case badEscape(String)
  /// More keys than `Limits.jsonDepth`.
  case tooLong(String)

  package var description: String {
    switch self {
    case .unknownField(let name):
      let names = EventField.named.map(\.name).joined(separator: ", ")
      return "there is no field '\(name)' to map; the fields are \(names), and those of --key"
    case .emptyKey(let path):
      return "the path '\(path)' has an empty key; write keys separated by single dots"
    case .badEscape(let path):
      return "the path '\(path)' has a lone backslash; write \\. for a dot and \\\\ for a backslash"
    case .tooLong(let path):
      return "the path '\(path)' has more than \(Limits.jsonDepth) keys"
    }
  }
}
