import CPrefetch
package import SessionModel

/// What an event of a key will need of memory, asked for ahead of `add`: place in the index, slot, record,
/// each of which leads to the next. Hints only: nothing depends on what came in between.
extension SessionTable {
  /// The first step, as soon as the hash is known.
  package func prefetchPlace(of hash: KeyHash) { index.prefetch(hash) }

  /// The second step, once the first has been answered.
  ///
  /// - Returns: the key's slot, for the third step; nil for a key that is not in the table.
  package func prefetchSlot(of hash: KeyHash) -> UInt32? {
    guard let slot = index.firstMatch(hash) else { return nil }
    let start = UnsafeRawPointer(slots + Int(slot))
    cprefetch(start)
    cprefetch(start + MemoryLayout<Slot>.size - 1)
    return slot
  }

  /// The third step.
  package func prefetchRecord(of slot: UInt32) {
    guard let record = slots[Int(slot)].record else { return }
    cprefetch(record)
    cprefetch(record + Int(slots[Int(slot)].tail))
    cprefetch(record + Int(slots[Int(slot)].length) - 1)
  }
}
