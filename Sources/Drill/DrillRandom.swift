import SessionModel

/// The seeded numbers of a drill.
package struct DrillRandom {
  private var numbers: SplitMix

  package init(seed: UInt64) { numbers = SplitMix(seed) }

  package mutating func next() -> UInt64 { numbers.next() }

  /// From 0 up to the bound, which is not among them; 0 for a bound below 1.
  mutating func below(_ bound: Int64) -> Int64 {
    bound < 1 ? 0 : Int64(next() % UInt64(bound))
  }

  mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }

  mutating func oneIn(_ n: Int64) -> Bool { below(n) == 0 }

  mutating func pick<Element>(_ list: [Element]) -> Element { list[Int(below(Int64(list.count)))] }
}
