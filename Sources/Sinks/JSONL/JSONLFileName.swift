import SessionModel

/// `sessions-<end>-<id>--<end>-<id>.jsonl`: the positions of a file's first and last row, the ends
/// with 20 digits, so that names sort as rows do. 187 bytes, within the 255 of file systems.
struct JSONLFileName: JSONLName {
  var first: RowPosition
  var last: RowPosition

  private static let prefix = "sessions-"
  private static let suffix = ".jsonl"
  private static let endDigits = 20

  init(first: RowPosition, last: RowPosition) {
    self.first = first
    self.last = last
  }

  var text: String {
    let middle = "\(JSONLFileName.padded(first))--\(JSONLFileName.padded(last))"
    return JSONLFileName.prefix + middle + JSONLFileName.suffix
  }

  /// - Returns: nil for every name that this type does not write.
  init?(_ name: String) {
    guard name.hasPrefix(JSONLFileName.prefix), name.hasSuffix(JSONLFileName.suffix) else {
      return nil
    }
    let middle = name.dropFirst(JSONLFileName.prefix.count).dropLast(JSONLFileName.suffix.count)
    let parts = middle.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[2].isEmpty,
      let first = JSONLFileName.position(parts[0], parts[1]),
      let last = JSONLFileName.position(parts[3], parts[4]), first <= last
    else { return nil }
    self.init(first: first, last: last)
    if text != name { return nil }
  }

  func isBehind(_ other: JSONLFileName) -> Bool { first > other.last }

  private static func padded(_ position: RowPosition) -> String {
    let end = String(position.sessionEnd)
    return String(repeating: "0", count: endDigits - end.utf8.count) + end + "-"
      + position.sessionID.hex
  }

  private static func position(_ end: Substring, _ id: Substring) -> RowPosition? {
    guard let end = Int64(end), end >= 0, let id = SessionID(hex: id) else { return nil }
    return RowPosition(sessionEnd: end, sessionID: id)
  }
}
