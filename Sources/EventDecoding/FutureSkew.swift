package import SessionModel

/// `--max-future-skew`: an event that is further ahead of clocks is rejected, so that one broken
/// clock does not close every session.
package struct FutureSkew: Equatable, Sendable {
  /// µs; nil: off.
  package let limit: Microseconds?

  package init(_ limit: Microseconds?) { self.limit = limit }

  /// - Parameters:
  ///   - recordTime: the record's timestamp; `.never` where there is none.
  ///   - now: the wall clock, µs since 1970.
  package func rejection(
    ofEventAt time: Microseconds, recordTime: Microseconds, now: Microseconds
  ) -> Rejection? {
    guard let limit else { return nil }
    if recordTime != .never, time > recordTime + limit {
      return Rejection(.aheadOfRecord, .eventTime)
    }
    return time > now + limit ? Rejection(.aheadOfNow, .eventTime) : nil
  }
}
