import Glibc
import Platform
import SessionModel

/// Holds a sender to so many events per second of real time.
struct Pace {
  private let perSecond: Int64?
  private let startedAt = Clock.monotonic
  private var events: Int64 = 0

  /// - Parameter perSecond: nil: as fast as it goes.
  init(perSecond: Int?) { self.perSecond = perSecond.map { Int64($0) } }

  /// One event was sent; waits until the next is due.
  ///
  /// - Returns: whether it waited.
  mutating func wait() -> Bool {
    events += 1
    guard let perSecond else { return false }
    let ahead = events * Microseconds.perSecond / perSecond - (Clock.monotonic - startedAt)
    // Short waits are not worth a system call each.
    guard ahead > 1_000 else { return false }
    usleep(UInt32(min(ahead, 1_000_000)))
    return true
  }
}
