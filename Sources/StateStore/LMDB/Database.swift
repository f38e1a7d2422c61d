import CLMDB

/// The named databases of a state, in the order of their handles.
enum Database: Int, CaseIterable {
  case job, state, partitions, outbox, late, rejected, data, headers, segments, dates, bots
  case geography

  var name: String { String(describing: self) }

  /// Keyed by native 64-bit integers; the others by bytes.
  var hasIntegerKeys: Bool {
    switch self {
    case .data, .headers, .segments: true
    default: false
    }
  }

  var flags: UInt32 { hasIntegerKeys ? UInt32(MDB_INTEGERKEY) : 0 }
}
