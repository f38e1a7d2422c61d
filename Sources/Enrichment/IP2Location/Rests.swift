package import SessionModel

/// Time-outs of requests, and how long a refused key rests all of them; µs.
package struct ServiceTiming: Sendable {
  /// To the connection.
  package var connection: Microseconds = 5 * .perSecond
  /// All of a request.
  package var request: Microseconds = 10 * .perSecond
  package var refusal: Microseconds = 60 * .perSecond

  package init() {}
}

/// How long requests rest after failures: the one that failed, or all of them.
package enum Rests {
  package static let first: Microseconds = 100_000
  package static let last: Microseconds = 30 * .perSecond
  /// What a service asks for is followed up to this.
  static let longestAsked: Microseconds = 3_600 * .perSecond

  /// The rest after so many failures without an answer between them, doubled each time; a part of it
  /// is random, so that requests that failed together do not come back together.
  ///
  /// - Parameters:
  ///   - failures: 1 or more.
  ///   - random: gives a number of 0 or more, below its argument.
  package static func span(
    after failures: Int, random: (Microseconds) -> Microseconds
  ) -> Microseconds {
    let whole = min(last, first << min(failures - 1, 16))
    return whole / 2 + random(whole / 2 + 1)
  }

  /// What a service asks for, in bounds; nil: it named nothing.
  package static func span(asked seconds: Int64?) -> Microseconds? {
    seconds.map { min(max($0, 0), longestAsked / .perSecond) * .perSecond }
  }
}
