import SessionModel

/// The content of `_owner` and `_position`: lines `name=value`, the first of which says the version.
///
/// `%`, line feed and carriage return in a value are written as `%25`, `%0A` and `%0D`. Both files
/// are replaced as a whole, so a broken one was changed by somebody else.
struct JSONLMark: Equatable {
  private static let version = "1"

  var job: String
  var fingerprint: String
  /// In `_owner` only.
  var owner: String?
  /// In `_position` only.
  var position: RowPosition?

  var bytes: [UInt8] {
    var lines = [("sojourn_jsonl", JSONLMark.version), ("job", job), ("fingerprint", fingerprint)]
    if let owner { lines.append(("owner", owner)) }
    if let position { lines.append(("position", String(describing: position))) }
    return Array(lines.map { "\($0)=\(JSONLMark.escape($1))\n" }.joined().utf8)
  }

  init(job: String, fingerprint: String, owner: String? = nil, position: RowPosition? = nil) {
    self.job = job
    self.fingerprint = fingerprint
    self.owner = owner
    self.position = position
  }

  /// - Returns: nil unless `bytes` is exactly what `bytes` of a mark is.
  init?(_ bytes: [UInt8]) {
    var values: [Substring: String] = [:]
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      guard let mark = line.firstIndex(of: "=") else { return nil }
      values[line[..<mark]] = JSONLMark.unescape(line[line.index(after: mark)...])
    }
    guard let job = values["job"], let fingerprint = values["fingerprint"] else { return nil }
    self.init(
      job: job, fingerprint: fingerprint, owner: values["owner"],
      position: values["position"].flatMap { RowPosition($0) })
    if self.bytes != bytes { return nil }
  }

  private static let escapes: [(Character, String)] = [("%", "%25"), ("\n", "%0A"), ("\r", "%0D")]

  private static func escape(_ value: String) -> String {
    value.unicodeScalars.map { scalar in
      escapes.first { $0.0.unicodeScalars.first == scalar }?.1 ?? String(scalar)
    }.joined()
  }

  private static func unescape(_ value: Substring) -> String {
    var text = ""
    var rest = value
    while let mark = rest.firstIndex(of: "%") {
      text += rest[..<mark]
      rest = rest[mark...]
      guard let (character, escape) = escapes.first(where: { rest.hasPrefix($0.1) }) else { break }
      text.append(character)
      rest = rest.dropFirst(escape.count)
    }
    return text + rest
  }
}
