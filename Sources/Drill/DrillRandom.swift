/// The seeded numbers of a drill (SplitMix64; Steele, Lea and Flood 2014).
package struct DrillRandom {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return DrillRandom.mix(state)
  }

  static func mix(_ word: UInt64) -> UInt64 {
    var mixed = word
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

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
