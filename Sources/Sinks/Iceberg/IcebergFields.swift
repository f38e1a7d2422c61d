extension SinkError {
  /// What the helper says of a failure: its kind and a text without secrets.
  init(answer: [[UInt8]], place: String) {
    let kind = answer.count > 1 ? answer[1].text : ""
    let text = answer.count > 2 ? answer[2].text : ""
    switch kind {
    case "authentication":
      self = .authentication("\(place): \(text). Nothing was written, the rows stay in the state.")
    case "unsuitable":
      self = .unsuitable("\(place): \(text). Nothing was written, the rows stay in the state.")
    default: self = .unavailable("\(place): \(text). It is tried again.")
    }
  }
}

extension String {
  var utf8Bytes: [UInt8] { Array(utf8) }
}

extension [UInt8] {
  /// Bytes that are not UTF-8 become U+FFFD.
  var text: String { String(decoding: self, as: UTF8.self) }
}
