import CXXHash

/// XXH3-64 over everything that has been read of the files, as one stream of bytes: 9 bytes of proof
/// that a later run finds the same beginning.
///
/// Byte form, version 1: `01`, then the digest in little-endian order.
final class PrefixDigest {
  private static let version: UInt8 = 1
  private let state: OpaquePointer

  init() {
    guard let state = XXH3_createState() else { fatalError("out of memory") }
    self.state = state
    XXH3_64bits_reset(state)
  }

  deinit { XXH3_freeState(state) }

  func update(_ bytes: UnsafeRawBufferPointer) {
    XXH3_64bits_update(state, bytes.baseAddress, bytes.count)
  }

  /// Of what has been given so far; more may follow.
  var proof: [UInt8] {
    let digest = XXH3_64bits_digest(state)
    return [Self.version] + (0..<8).map { UInt8(truncatingIfNeeded: digest >> (8 * $0)) }
  }
}
