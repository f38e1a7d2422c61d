import SessionModel

/// What people are told of a service's failures: the first one, then once a minute as long as there are
/// any; a refused key once, until one was accepted.
struct ServiceReports {
  static let interval: Microseconds = 60 * .perSecond

  private let place: String
  private var notices: [String] = []
  private var answers = 0
  private var failures = 0
  private var lastReason = ""
  private var reportedAt: Int64?
  private var isKeyRefused = false

  init(place: String) { self.place = place }

  mutating func tell(_ notice: String) { notices.append("geography: \(place) \(notice)") }

  mutating func answered(now: Int64) {
    answers += 1
    if isKeyRefused { tell("accepts the key again") }
    isKeyRefused = false
    report(now: now)
  }

  mutating func keyRefused(_ reason: String) {
    if isKeyRefused { return }
    isKeyRefused = true
    tell(
      """
      REFUSES THE KEY, or what was paid for is used up: \(reason). No address is looked up, and rows \
      wait as long as --geo-deadline lets them. It is tried again each minute; a file named by \
      --geo-key-file is read again then
      """)
  }

  mutating func failed(_ reason: String, now: Int64) {
    failures += 1
    lastReason = reason
    if reportedAt == nil {
      tell("has failed: \(reason). It is asked again, after a pause that grows")
      startCounting(now)
    }
    report(now: now)
  }

  private mutating func report(now: Int64) {
    guard failures > 0, let reportedAt, now - reportedAt >= ServiceReports.interval else { return }
    tell(
      "failed for \(failures) requests and answered \(answers) in "
        + "\((now - reportedAt) / .perSecond) s; the last failure: \(lastReason)")
    startCounting(now)
  }

  private mutating func startCounting(_ now: Int64) {
    reportedAt = now
    answers = 0
    failures = 0
  }

  mutating func take() -> [String] {
    defer { notices.removeAll() }
    return notices
  }
}
