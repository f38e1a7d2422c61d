import SessionModel

/// When something that is down is tried again: after a pause, longer each time.
struct Backoff {
  /// Monotonic, µs; nil when it may be tried now.
  private(set) var retryAt: Int64?
  private var pause = RunLimits.firstRetryPause

  /// Whether a failure was not followed by a success yet.
  var isFailing: Bool { pause != RunLimits.firstRetryPause }

  /// - Returns: whether the pause after the last failure is over.
  mutating func isOver(now: Int64) -> Bool {
    if let retryAt, now < retryAt { return false }
    retryAt = nil
    return true
  }

  mutating func failed(now: Int64) {
    retryAt = now + pause
    pause = min(pause * 2, RunLimits.lastRetryPause)
  }

  mutating func succeeded() { pause = RunLimits.firstRetryPause }
}
