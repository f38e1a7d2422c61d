/// How long a question to the cluster may take before it is given up: at least twice as long as the
/// last answer took, and doubled after each time-out, so that slow brokers are heard in the end.
///
/// Times in µs.
package struct AnswerPatience {
  /// librdkafka gives a request up after this by itself (`socket.timeout.ms`).
  private static let longest: Int64 = 60_000_000

  private let shortest: Int64
  package private(set) var timeout: Int64

  package init(shortest: Int64) {
    self.shortest = shortest
    timeout = shortest
  }

  package mutating func answered(after elapsed: Int64) {
    timeout = min(Self.longest, max(shortest, 2 * elapsed))
  }

  package mutating func timedOut() { timeout = min(Self.longest, 2 * timeout) }
}
