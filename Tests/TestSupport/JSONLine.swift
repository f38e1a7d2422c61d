/// Looks up members in one JSON object as this program writes it: without spaces, each name once.
package enum JSONLine {
  /// A whole number; nil where the member is absent or something else.
  package static func number(_ name: String, in json: String) -> Int? {
    Int(rest(name, in: json).prefix { $0 == "-" || $0.isASCII && $0.isNumber })
  }

  /// A text without escapes in it; nil where the member is absent or null.
  package static func text(_ name: String, in json: String) -> String? {
    let rest = rest(name, in: json)
    guard rest.first == "\"" else { return nil }
    return String(rest.dropFirst().prefix { $0 != "\"" })
  }

  private static func rest(_ name: String, in json: String) -> Substring {
    guard let range = json.firstRange(of: "\"\(name)\":") else { return "" }
    return json[range.upperBound...]
  }
}
