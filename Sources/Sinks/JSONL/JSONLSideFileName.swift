import SessionModel

/// `late-<number>.jsonl`, `rejected-<number>.jsonl` or `bots-<number>.jsonl`: the number, of 20 digits, is the wall clock's
/// at the write, µs since 1970, or one more than the newest file's where that is greater.
struct JSONLSideFileName: JSONLName {
  var output: SideOutput
  var number: Int64

  private static let suffix = ".jsonl"
  private static let digits = 20

  init(output: SideOutput, number: Int64) {
    self.output = output
    self.number = number
  }

  init?(_ name: String) {
    let parts = name.split(separator: "-", maxSplits: 1)
    guard parts.count == 2, let output = SideOutput(rawValue: String(parts[0])),
      parts[1].hasSuffix(JSONLSideFileName.suffix),
      let number = Int64(parts[1].dropLast(JSONLSideFileName.suffix.count)), number >= 0
    else { return nil }
    self.init(output: output, number: number)
    if text != name { return nil }
  }

  var text: String {
    let number = String(number)
    let zeros = String(repeating: "0", count: JSONLSideFileName.digits - number.utf8.count)
    return "\(output.rawValue)-\(zeros)\(number)\(JSONLSideFileName.suffix)"
  }

  func isBehind(_ other: JSONLSideFileName) -> Bool {
    (output.rawValue, number) > (other.output.rawValue, other.number)
  }
}
