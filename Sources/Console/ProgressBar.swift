/// One line that shows how far something is; pure, see `ProgressLine` for the terminal.
package enum ProgressBar {
  /// `reading  [=====>    ]  47 %  4,700 of 10,000 events  1,200/s`, at most `width` cells.
  ///
  /// - Parameters:
  ///   - total: 0 where it is not known; then there is no bar.
  ///   - perSecond: nil leaves it out.
  package static func text(
    _ title: String, done: UInt64, total: UInt64, unit: String, perSecond: UInt64? = nil,
    width: Int
  ) -> String {
    let title = TerminalText.sanitised(title)
    let rate = perSecond.map { "  \(grouped($0))/s" } ?? ""
    if total == 0 {
      return DisplayWidth.cut("\(title)  \(grouped(done)) \(unit)\(rate)", to: width)
    }
    // The ratio of counts that may be as large as they like.
    let ratio = min(1, Double(done) / Double(total))
    let percent = done >= total ? 100 : min(99, Int(ratio * 100))
    // Padded, so that the bar keeps its length.
    let all = grouped(total)
    let share = padded(String(percent), to: 3) + " %"
    let tail = "  \(share)  \(padded(grouped(done), to: all.count)) of \(all) \(unit)\(rate)"
    let room = min(40, width - DisplayWidth.of(title) - DisplayWidth.of(tail) - 4)
    if room < 5 { return DisplayWidth.cut(title + tail, to: width) }
    let filled = done >= total ? room : Int(ratio * Double(room))
    var bar = String(repeating: "=", count: filled)
    if filled < room { bar += ">" + String(repeating: " ", count: room - filled - 1) }
    return "\(title)  [\(bar)]\(tail)"
  }

  private static func padded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  /// `1,234,567`.
  package static func grouped(_ number: UInt64) -> String {
    let digits = String(number)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }
}

/// A progress bar that redraws itself on standard error; silent where that is not a terminal.
package struct ProgressLine {
  /// Redrawn at most so often, in µs.
  private static let interval: Int64 = 100_000

  private let isShown: Bool
  private var isDrawn = false
  private var lastDrawn = Int64.min / 2

  /// - Parameter isShown: by default, whether standard error is a terminal that can redraw.
  package init(isShown: Bool = Standard.errorRedraws) {
    self.isShown = isShown
  }

  /// - Parameters:
  ///   - now: monotonic, in µs.
  ///   - text: made only if it is shown, for this many columns.
  package mutating func update(now: Int64, _ text: (Int) -> String) {
    guard isShown, now - lastDrawn >= ProgressLine.interval else { return }
    lastDrawn = now
    isDrawn = true
    Standard.writeError("\r\u{1B}[K" + text(Standard.columns() - 1))
  }

  /// Takes the line away, so that messages have a clean one.
  package mutating func clear() {
    if isDrawn { Standard.writeError("\r\u{1B}[K") }
    isDrawn = false
    lastDrawn = Int64.min / 2
  }
}
