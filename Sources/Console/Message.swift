/// Lines on standard error: `sojourn: what happened. State: … Do: …`.
package enum Message {
  private static let red = "\u{1B}[31m"
  private static let yellow = "\u{1B}[33m"
  private static let plain = "\u{1B}[0m"

  /// An error that ends the process.
  ///
  /// - Parameters:
  ///   - problem: what happened; may hold text from outside.
  ///   - state: whether the state is safe, for instance "safe: the last checkpoint is intact"; nil
  ///     where `problem` says it.
  ///   - remedy: what to do next; nil where `problem` says it.
  package static func failure(
    _ problem: String, state: String?, remedy: String?, colour: Bool = false
  ) -> String {
    var text = paint("sojourn:", red, colour) + " " + sentence(problem)
    if let state { text += " State: " + sentence(state) }
    if let remedy { text += " Do: " + sentence(remedy) }
    return text + "\n"
  }

  package static func warning(_ text: String, colour: Bool = false) -> String {
    paint("sojourn: warning:", yellow, colour) + " " + TerminalText.sanitised(text) + "\n"
  }

  package static func note(_ text: String) -> String {
    "sojourn: " + TerminalText.sanitised(text) + "\n"
  }

  /// Harmless for a terminal, and with a full stop unless it has an end of its own.
  private static func sentence(_ text: String) -> String {
    let text = TerminalText.sanitised(text)
    return text.hasSuffix(".") || text.hasSuffix("?") || text.hasSuffix("!") ? text : text + "."
  }

  private static func paint(_ text: String, _ colour: String, _ isOn: Bool) -> String {
    isOn ? colour + text + plain : text
  }
}
