/// A branch or leaf page of one of LMDB's trees: pointers to its nodes from the front, in the order
/// of their keys; the nodes from the back, in any order.
struct TreePage {
  let bytes: UnsafeRawBufferPointer

  @inline(__always)
  private func short(_ offset: Int) -> Int {
    Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  private var number: UInt64 { bytes.loadUnaligned(as: UInt64.self) }
  private var flags: Int { short(10) }
  /// Where the pointers end, and where the nodes begin.
  private var lower: Int { short(12) }
  private var upper: Int { short(14) }

  var count: Int { (lower - PageFormat.headBytes) / 2 }

  @inline(__always)
  private func start(_ index: Int) -> Int { short(PageFormat.headBytes + 2 * index) }

  @inline(__always)
  func nodeFlags(_ index: Int) -> Int { short(start(index) + 4) }

  @inline(__always)
  private func keyBytes(_ index: Int) -> Int { short(start(index) + 6) }

  @inline(__always)
  func key(_ index: Int) -> UnsafeRawBufferPointer {
    let start = start(index) + PageFormat.nodeHeadBytes
    return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + keyBytes(index))])
  }

  /// A branch page's child.
  func child(_ index: Int) -> UInt64 {
    let start = start(index)
    let low = bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)
    return UInt64(low) | UInt64(nodeFlags(index)) << 32
  }

  /// The size of a leaf node's value, wherever it lies.
  @inline(__always)
  func valueBytes(_ index: Int) -> Int {
    Int(bytes.loadUnaligned(fromByteOffset: start(index), as: UInt32.self))
  }

  /// What a leaf node holds behind its key: the value, or the number of the value's first page.
  func content(_ index: Int) -> UnsafeRawBufferPointer {
    let start = start(index) + PageFormat.nodeHeadBytes + keyBytes(index)
    return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + contentBytes(index))])
  }

  @inline(__always)
  private func contentBytes(_ index: Int) -> Int {
    nodeFlags(index) & PageFormat.valueElsewhere != 0 ? 8 : valueBytes(index)
  }

  /// The first page of a leaf node's value; nil where the node holds the value itself.
  @inline(__always)
  func valuePage(_ index: Int) -> UInt64? {
    nodeFlags(index) & PageFormat.valueElsewhere == 0
      ? nil : content(index).loadUnaligned(as: UInt64.self)
  }

  /// What its place in a tree asks of a page.
  struct Place {
    var number: UInt64
    var isLeaf: Bool
    /// How few nodes a page may have here.
    var leastCount: Int
    var order: KeyOrder
    /// What a leaf's nodes may have as flags.
    var isDirectory: Bool
    /// The least key that belongs here, and the least that does not any more; nil for no bound.
    var low: UnsafeRawBufferPointer?
    var high: UnsafeRawBufferPointer?
  }

  /// - Parameter starts: working space.
  /// - Returns: what is wrong with the page at this place; nil for a sound one, of which all that
  ///   is inside the page may be used then.
  func problem(at place: Place, _ starts: inout NodeStarts) -> String? {
    if number != place.number { return "it says that it is page \(number)" }
    let expected = place.isLeaf ? PageFormat.leaf : PageFormat.branch
    if flags != expected { return "its flags are \(flags), not \(expected)" }
    guard lower >= PageFormat.headBytes, lower & 1 == 0, lower <= upper, upper <= bytes.count
    else { return "its bounds are \(lower) and \(upper)" }
    if count < place.leastCount { return "it has \(count) nodes" }
    return nodeProblem(place, &starts) ?? orderProblem(place)
  }

  /// Nodes must fill the page from `upper` to its end, without a hole and without sharing a byte:
  /// LMDB moves them about by these sizes.
  private func nodeProblem(_ place: Place, _ starts: inout NodeStarts) -> String? {
    starts.clear()
    var total = 0
    for index in 0..<count {
      let start = start(index)
      guard start >= upper, start & 1 == 0, start + PageFormat.nodeHeadBytes <= bytes.count,
        starts.insert(start)
      else { return "its node \(index) begins at \(start)" }
      if let problem = sizeProblem(index, place) { return problem }
      total += nodeBytes(index, place)
      if total > bytes.count - upper { return "its nodes are larger than their room" }
    }
    guard total == bytes.count - upper, starts.contains(upper) else {
      return "its nodes do not fill their room"
    }
    for index in 0..<count {
      let end = start(index) + nodeBytes(index, place)
      if end != bytes.count, end > bytes.count || !starts.contains(end) {
        return "its node \(index) ends at \(end)"
      }
    }
    return nil
  }

  @inline(__always)
  private func nodeBytes(_ index: Int, _ place: Place) -> Int {
    let content = place.isLeaf ? contentBytes(index) : 0
    return (PageFormat.nodeHeadBytes + keyBytes(index) + content + 1) & ~1
  }

  @inline(__always)
  private func sizeProblem(_ index: Int, _ place: Place) -> String? {
    // The first key of a branch page is never compared, and mostly empty.
    if place.isLeaf || index > 0, !place.order.allows(keyBytes: keyBytes(index)) {
      return "its node \(index) has a key of \(keyBytes(index)) bytes"
    }
    guard place.isLeaf else { return nil }
    let flags = nodeFlags(index)
    let isAllowed =
      place.isDirectory ? flags == PageFormat.isDatabase : flags & ~PageFormat.valueElsewhere == 0
    if !isAllowed { return "its node \(index) has the flags \(flags)" }
    if flags & PageFormat.valueElsewhere == 0,
      PageFormat.nodeHeadBytes + keyBytes(index) + valueBytes(index)
        > PageFormat.largestNode(pageSize: bytes.count)
    {
      return "its node \(index) has a value of \(valueBytes(index)) bytes"
    }
    return nil
  }

  private func orderProblem(_ place: Place) -> String? {
    let first = place.isLeaf ? 0 : 1
    if count <= first { return nil }
    if let low = place.low, place.order.isRising(key(first), low) {
      return "its first key belongs before it"
    }
    var last = key(first)
    for index in (first + 1)..<max(count, first + 1) {
      let key = key(index)
      if !place.order.isRising(last, key) { return "its keys are out of order at node \(index)" }
      last = key
    }
    if let high = place.high, !place.order.isRising(last, high) {
      return "its last key belongs behind it"
    }
    return nil
  }
}

/// The places at which the nodes of a page begin, all even: a bit each.
struct NodeStarts {
  private var words: [UInt64]

  init(pageSize: Int) { words = [UInt64](repeating: 0, count: pageSize / 128) }

  mutating func clear() {
    for index in words.indices { words[index] = 0 }
  }

  /// - Returns: false if it is there already.
  @inline(__always)
  mutating func insert(_ start: Int) -> Bool {
    let bit = UInt64(1) << UInt64(start >> 1 & 63)
    if words[start >> 7] & bit != 0 { return false }
    words[start >> 7] |= bit
    return true
  }

  @inline(__always)
  func contains(_ start: Int) -> Bool {
    start >> 7 < words.count && words[start >> 7] >> UInt64(start >> 1 & 63) & 1 != 0
  }
}
