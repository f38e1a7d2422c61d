import CPrefetch
import SessionModel

/// Finds a key's slot by its hash: open addressing with linear probing and backward-shift deletion.
///
/// The hash is seeded and 128 bits wide, so that its bits serve as they are. A key's home is given by
/// the top bits: keys of one group (`KeyHash.group`) stand close together, so that a recovery that
/// goes group by group works within a small part of the index, which fits into the cache.
struct SlotIndex: ~Copyable {
  /// A tag of 32 bits of the hash and the slot's number; an empty place has `emptySlot`.
  private struct Place {
    var tag: UInt32
    var slot: UInt32
  }
  private static let emptySlot = UInt32.max

  private var places: UnsafeMutablePointer<Place>
  private var mask: Int
  /// How far a hash's high half is shifted to give the home.
  private var homeShift: UInt64
  private(set) var count = 0

  /// - Parameter capacity: keys to make room for.
  init(capacity: Int) {
    var size = 1_024
    while size < capacity * 2 { size *= 2 }
    mask = size - 1
    homeShift = SlotIndex.homeShift(size)
    places = SlotIndex.empty(size)
  }

  deinit { places.deallocate() }

  private static func homeShift(_ size: Int) -> UInt64 { UInt64(64 - size.trailingZeroBitCount) }

  @inline(__always)
  private func home(_ hash: KeyHash) -> Int { Int(truncatingIfNeeded: hash.high >> homeShift) }

  private static func empty(_ size: Int) -> UnsafeMutablePointer<Place> {
    let places = UnsafeMutablePointer<Place>.allocate(capacity: size)
    places.initialize(repeating: Place(tag: 0, slot: emptySlot), count: size)
    return places
  }

  var memoryBytes: Int { (mask + 1) * MemoryLayout<Place>.stride }

  /// The most places from a key's home to where it stands, both counted.
  func mostProbes(hashOf: (UInt32) -> KeyHash) -> Int {
    var most = 0
    for place in 0...mask where places[place].slot != SlotIndex.emptySlot {
      let home = home(hashOf(places[place].slot))
      most = max(most, ((place &- home) & mask) + 1)
    }
    return most
  }

  private static func tag(_ hash: KeyHash) -> UInt32 { UInt32(truncatingIfNeeded: hash.low) }

  /// The slot for which `matches` says yes among those with the hash's tag; nil for none.
  @inline(__always)
  func find(_ hash: KeyHash, _ matches: (UInt32) -> Bool) -> UInt32? {
    let tag = SlotIndex.tag(hash)
    var place = home(hash)
    while true {
      let found = places[place]
      if found.slot == SlotIndex.emptySlot { return nil }
      if found.tag == tag, matches(found.slot) { return found.slot }
      place = (place &+ 1) & mask
    }
  }

  /// Asks for the cache line of a key's home.
  @inline(__always)
  func prefetch(_ hash: KeyHash) { cprefetch(places + home(hash)) }

  /// The slot of the first place with the hash's tag; nil for none. Another key may have the tag.
  @inline(__always)
  func firstMatch(_ hash: KeyHash) -> UInt32? { find(hash) { _ in true } }

  /// Adds a key that is not there.
  ///
  /// - Parameter hashOf: the hash of a slot, for the times when the index grows.
  mutating func insert(_ hash: KeyHash, slot: UInt32, hashOf: (UInt32) -> KeyHash) {
    if (count + 1) * 3 > (mask + 1) * 2 { grow(hashOf) }
    put(hash, slot: slot)
    count += 1
  }

  private mutating func put(_ hash: KeyHash, slot: UInt32) {
    var place = home(hash)
    while places[place].slot != SlotIndex.emptySlot { place = (place &+ 1) & mask }
    places[place] = Place(tag: SlotIndex.tag(hash), slot: slot)
  }

  private mutating func grow(_ hashOf: (UInt32) -> KeyHash) {
    let old = places
    let oldSize = mask + 1
    mask = oldSize * 2 - 1
    homeShift -= 1
    places = SlotIndex.empty(oldSize * 2)
    for place in 0..<oldSize where old[place].slot != SlotIndex.emptySlot {
      put(hashOf(old[place].slot), slot: old[place].slot)
    }
    old.deallocate()
  }

  /// Removes a key that is there, closing the gap that it leaves.
  mutating func remove(_ hash: KeyHash, slot: UInt32, hashOf: (UInt32) -> KeyHash) {
    var gap = home(hash)
    while places[gap].slot != slot { gap = (gap &+ 1) & mask }
    var next = (gap &+ 1) & mask
    while places[next].slot != SlotIndex.emptySlot {
      let home = home(hashOf(places[next].slot))
      if (next &- home) & mask >= (next &- gap) & mask {
        places[gap] = places[next]
        gap = next
      }
      next = (next &+ 1) & mask
    }
    places[gap] = Place(tag: 0, slot: SlotIndex.emptySlot)
    count -= 1
  }
}
