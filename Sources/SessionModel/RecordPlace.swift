/// Where a packed record stands in the state's log of chunks.
package struct RecordPlace: Equatable, Hashable, Sendable, CustomStringConvertible {
  /// `checkpoint << 16 | chunk`; 0 means "on no disk yet" (checkpoints count from 1).
  package var chunk: UInt64
  /// Where the record's envelope begins in the chunk's value, bytes.
  package var offset: UInt32
  /// Length of the envelope and the record in it, bytes.
  package var length: UInt32

  @inlinable
  package init(chunk: UInt64, offset: UInt32, length: UInt32) {
    self.chunk = chunk
    self.offset = offset
    self.length = length
  }

  @inlinable package static var none: RecordPlace {
    RecordPlace(chunk: 0, offset: 0, length: 0)
  }
  @inlinable package var isNone: Bool { chunk == 0 }
  @inlinable package var checkpoint: UInt64 { chunk >> 16 }

  package var description: String {
    "byte \(offset) of chunk \(chunk & 0xFFFF) of checkpoint \(checkpoint)"
  }
}
