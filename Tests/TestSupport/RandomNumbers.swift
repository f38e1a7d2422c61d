import SessionModel

/// A small seeded generator, so that a seed that failed can be run again.
package struct RandomNumbers: RandomNumberGenerator {
  private var numbers: SplitMix

  package init(seed: UInt64) { numbers = SplitMix(seed) }

  package mutating func next() -> UInt64 { numbers.next() }

  /// A number below `bound`.
  package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  package mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }

  /// True once in `n` times on average.
  package mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }
}
