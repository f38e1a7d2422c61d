package import SessionModel

/// The grid at which sessions are cut, counted from 1970 in UTC.
package enum SplitGrid: String, CaseIterable, Sendable {
  case day = "1d"
  case hour = "1h"
  case off

  /// µs; 0 for off.
  package var span: Microseconds {
    switch self {
    case .day: Microseconds.perDay
    case .hour: 3_600 * Microseconds.perSecond
    case .off: 0
    }
  }
}
