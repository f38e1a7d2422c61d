/// Addresses to be asked for: those that rows wait for first, in the order in which they came.
///
/// An address is in it once, from the first asking until its answer is taken.
package struct LookupQueue {
  /// Addresses that no row waits for, at most. Further ones are left out: they are asked for again when
  /// a row waits.
  package static let ahead = 100_000

  private enum Standing {
    case ahead, urgent
    case underWay(isUrgent: Bool)
    case answered
  }

  private var standings: [String: Standing] = [:]
  private var urgent = Line()
  private var others = Line()

  package init() {}

  package var isEmpty: Bool { urgent.isEmpty && others.isEmpty }

  /// - Returns: whether it is to be asked for now, and was not before.
  package mutating func add(_ address: String, isUrgent: Bool) -> Bool {
    switch standings[address] {
    case nil:
      if !isUrgent, others.count >= LookupQueue.ahead { return false }
      put(address, isUrgent: isUrgent)
      return true
    case .ahead where isUrgent:
      // Its place among the others is passed over when it comes.
      put(address, isUrgent: true)
      return true
    case .underWay(isUrgent: false) where isUrgent:
      standings[address] = .underWay(isUrgent: true)
      return false
    default: return false
    }
  }

  private mutating func put(_ address: String, isUrgent: Bool) {
    standings[address] = isUrgent ? .urgent : .ahead
    if isUrgent { urgent.append(address) } else { others.append(address) }
  }

  /// The next address, which is under way from then on.
  package mutating func next() -> String? {
    while let address = urgent.popFirst() {
      guard case .urgent = standings[address] else { continue }
      standings[address] = .underWay(isUrgent: true)
      return address
    }
    while let address = others.popFirst() {
      guard case .ahead = standings[address] else { continue }
      standings[address] = .underWay(isUrgent: false)
      return address
    }
    return nil
  }

  /// Puts an address that got no answer behind those that wait.
  package mutating func putBack(_ address: String) {
    guard case .underWay(let isUrgent) = standings[address] else { return }
    put(address, isUrgent: isUrgent)
  }

  package mutating func answered(_ address: String) { standings[address] = .answered }

  /// Forgets an address: its answer was taken.
  package mutating func forget(_ address: String) { standings[address] = nil }
}

/// First in, first out.
private struct Line {
  private var elements: [String] = []
  private var head = 0

  var isEmpty: Bool { count == 0 }
  var count: Int { elements.count - head }

  mutating func append(_ element: String) { elements.append(element) }

  mutating func popFirst() -> String? {
    guard head < elements.count else { return nil }
    let element = elements[head]
    head += 1
    if head == elements.count || head > 4_096 && head * 2 > elements.count {
      elements.removeFirst(head)
      head = 0
    }
    return element
  }
}
