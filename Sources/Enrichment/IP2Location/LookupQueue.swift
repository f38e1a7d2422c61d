package import SessionModel

/// Addresses to be asked for: those that rows wait for first, in the order in which they came. What failed
/// takes turns with what was not tried yet, so that neither holds up the other.
///
/// An address is in it once, from the first asking until its answer is taken or nobody waits for it.
package struct LookupQueue {
  /// Addresses that no row waits for, at most. Further ones are left out: they are asked for again when
  /// a row waits.
  package static let ahead = 100_000

  private enum Standing {
    case ahead, urgent, failed, refused
    case underWay(isUrgent: Bool)
    /// Under way, and wanted no more.
    case givenUp
    case answered
  }

  /// An address that the service refuses is asked for again after this, µs.
  package static let refusalRest: Microseconds = 30 * .perSecond

  private var standings: [String: Standing] = [:]
  private var urgent = Line()
  private var others = Line()
  private var failed = Line()
  private var refused = Line()
  /// When each of `refused` may be asked for again, monotonic, µs.
  private var retries: [String: Int64] = [:]
  private var isTurnOfFailed = false

  package init() {}

  /// Whether nothing waits that could be asked for at once.
  package var isEmpty: Bool { urgent.isEmpty && others.isEmpty && failed.isEmpty }

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
    case .givenUp:
      standings[address] = .underWay(isUrgent: isUrgent)
      return false
    default: return false
    }
  }

  private mutating func put(_ address: String, isUrgent: Bool) {
    standings[address] = isUrgent ? .urgent : .ahead
    if isUrgent { urgent.append(address) } else { others.append(address) }
  }

  /// The next address, which is under way from then on.
  ///
  /// - Parameter now: monotonic, µs.
  package mutating func next(now: Int64) -> String? {
    isTurnOfFailed.toggle()
    let first = isTurnOfFailed ? nextFailed(now) ?? nextUrgent() : nextUrgent() ?? nextFailed(now)
    if let first { return first }
    while let address = others.popFirst() {
      guard case .ahead = standings[address] else { continue }
      standings[address] = .underWay(isUrgent: false)
      return address
    }
    return nil
  }

  private mutating func nextUrgent() -> String? {
    while let address = urgent.popFirst() {
      guard case .urgent = standings[address] else { continue }
      standings[address] = .underWay(isUrgent: true)
      return address
    }
    return nil
  }

  private mutating func nextFailed(_ now: Int64) -> String? {
    while let address = refused.first, retries[address] ?? 0 <= now {
      _ = refused.popFirst()
      retries[address] = nil
      guard case .refused = standings[address] else { continue }
      standings[address] = .underWay(isUrgent: true)
      return address
    }
    while let address = failed.popFirst() {
      guard case .failed = standings[address] else { continue }
      standings[address] = .underWay(isUrgent: true)
      return address
    }
    return nil
  }

  /// Puts an address that got no answer behind those that failed before, or behind those that no row
  /// waits for.
  ///
  /// - Parameter retryAt: not before this, monotonic, µs; nil: when its turn comes.
  package mutating func putBack(_ address: String, retryAt: Int64? = nil) {
    switch standings[address] {
    case .underWay(let isUrgent):
      if let retryAt {
        standings[address] = .refused
        retries[address] = retryAt
        refused.append(address)
      } else if isUrgent {
        standings[address] = .failed
        failed.append(address)
      } else {
        put(address, isUrgent: false)
      }
    case .givenUp: standings[address] = nil
    default: break
    }
  }

  /// Nobody waits for an address any more.
  package mutating func giveUp(_ address: String) {
    switch standings[address] {
    case .underWay: standings[address] = .givenUp
    case .answered, nil: break
    default: standings[address] = nil
    }
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
  var first: String? { head < elements.count ? elements[head] : nil }

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
