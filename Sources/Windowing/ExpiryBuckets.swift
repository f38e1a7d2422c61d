import SessionModel

/// When keys are to be looked at again: slots by the second of event time in which one of their
/// sessions may close. An entry may come too early and is then put in again; never too late.
struct ExpiryBuckets {
  /// The width of a bucket, µs.
  static let width = Microseconds.perSecond

  private var slots: [Int64: [UInt32]] = [:]
  /// The numbers of the buckets, as a binary heap, least first.
  private var heap: [Int64] = []

  static func bucket(of time: Microseconds) -> Int64 { time / width }

  mutating func put(_ slot: UInt32, in bucket: Int64) {
    if slots[bucket]?.append(slot) == nil {
      slots[bucket] = [slot]
      push(bucket)
    }
  }

  /// Takes out the least bucket that holds times below a limit.
  mutating func takeBucket(below limit: Microseconds) -> (bucket: Int64, slots: [UInt32])? {
    guard let least = heap.first, least * ExpiryBuckets.width < limit else { return nil }
    pop()
    return (least, slots.removeValue(forKey: least)!)
  }

  private mutating func push(_ bucket: Int64) {
    heap.append(bucket)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if heap[parent] <= heap[child] { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  private mutating func pop() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child] < heap[least] { least = child }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
