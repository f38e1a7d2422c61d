/// 128 bits of seeded hash of a session key.
///
/// The seed is random per state directory, so that nobody outside can choose addresses that
/// collide. Two keys with one hash do not occur in practice (2⁻¹²⁸ per pair); where the full keys
/// are compared and differ all the same, the process stops.
package struct KeyHash: Hashable, Sendable {
  package var high: UInt64
  package var low: UInt64

  @inlinable
  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The top 8 bits: which of the 256 groups of the header log the key belongs to.
  @inlinable
  package var group: Int { Int(truncatingIfNeeded: high >> 56) }
}

/// SipHash-2-4 with a 128-bit result over a key.
///
/// Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, with the 128-bit output of the
/// authors' reference implementation.
package struct KeyHasher: Sendable {
  package let seedLow: UInt64
  package let seedHigh: UInt64

  /// - Parameter seed: 16 bytes, read as two little-endian halves.
  package init(seed: (UInt64, UInt64)) {
    seedLow = seed.0
    seedHigh = seed.1
  }

  /// The hash of a key, which is one text (`KeyLayout`).
  @inlinable
  package func hash(_ bytes: UnsafeRawBufferPointer) -> KeyHash {
    var state = SipState(seedLow, seedHigh)
    state.absorb(bytes)
    return state.finish()
  }
}

/// The state of one SipHash-2-4 computation.
package struct SipState {
  package var v0: UInt64
  package var v1: UInt64
  package var v2: UInt64
  package var v3: UInt64
  /// Bytes not yet absorbed, least significant first.
  package var pending: UInt64 = 0
  package var count: UInt64 = 0

  @inlinable
  package init(_ k0: UInt64, _ k1: UInt64) {
    v0 = 0x736f_6d65_7073_6575 ^ k0
    v1 = 0x646f_7261_6e64_6f6d ^ k1 ^ 0xee
    v2 = 0x6c79_6765_6e65_7261 ^ k0
    v3 = 0x7465_6462_7974_6573 ^ k1
  }

  @inlinable @inline(__always)
  package mutating func round() {
    v0 &+= v1
    v1 = rotate(v1, 13) ^ v0
    v0 = rotate(v0, 32)
    v2 &+= v3
    v3 = rotate(v3, 16) ^ v2
    v0 &+= v3
    v3 = rotate(v3, 21) ^ v0
    v2 &+= v1
    v1 = rotate(v1, 17) ^ v2
    v2 = rotate(v2, 32)
  }

  @inlinable @inline(__always)
  package func rotate(_ word: UInt64, _ bits: UInt64) -> UInt64 {
    word &<< bits | word &>> (64 &- bits)
  }

  @inlinable @inline(__always)
  package mutating func compress(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  @inlinable @inline(__always)
  package mutating func absorb(byte: UInt8) {
    pending |= UInt64(byte) &<< ((count & 7) &* 8)
    count &+= 1
    if count & 7 == 0 {
      compress(pending)
      pending = 0
    }
  }

  @inlinable
  package mutating func absorb(_ bytes: UnsafeRawBufferPointer) {
    var index = 0
    let end = bytes.count
    while end - index >= 8 {
      let word = UInt64(
        littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      let filled = (count & 7) &* 8
      if filled == 0 {
        compress(word)
      } else {
        compress(pending | word &<< filled)
        pending = word &>> (64 &- filled)
      }
      count &+= 8
      index += 8
    }
    while index < end {
      absorb(byte: bytes[index])
      index += 1
    }
  }

  @inlinable
  package mutating func finish() -> KeyHash {
    compress(pending | count &<< 56)
    v2 ^= 0xee
    for _ in 0..<4 { round() }
    let low = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xdd
    for _ in 0..<4 { round() }
    return KeyHash(high: v0 ^ v1 ^ v2 ^ v3, low: low)
  }
}
