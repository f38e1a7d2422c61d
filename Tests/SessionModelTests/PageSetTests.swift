import SessionModel
import TestSupport
import Testing

@Suite struct PageSetTests {
  @Test(arguments: [0, 1, 63, 64, 65, 200])
  func `pages are counted exactly up to the limit, then as one more`(count: Int) {
    let set = PageSet((0..<count).flatMap { [UInt64($0) << 40, UInt64($0) << 40] })
    #expect(set.count == min(count, 65))
    #expect(PageCounts(distinct: UInt64(set.count)).isMinimum == (count > 64))
  }

  /// Joins the sets in a random tree.
  private func joined(_ sets: [PageSet], _ random: inout RandomNumbers) -> PageSet {
    var sets = sets
    while sets.count > 1 {
      let one = sets.remove(at: random.below(sets.count))
      sets[random.below(sets.count)].formUnion(one)
    }
    return sets[0]
  }

  @Test func `any order and any tree of joins gives the same`() {
    for seed in 0..<300 as Range<UInt64> {
      var random = RandomNumbers(seed: seed)
      let few = random.pick([3, 60, 66, 120])
      let parts = (0..<9).map { _ in
        (0..<random.below(30)).map { _ in UInt64(random.below(few)) &* 0x9E37_79B9_7F4A_7C15 }
      }
      let expected = min(Set(parts.joined()).count, 65)
      for _ in 0..<3 {
        let set = joined(parts.map { PageSet($0) }, &random)
        #expect(set.count == expected, "seed \(seed)")
        #expect(set == joined(parts.reversed().map { PageSet($0) }, &random), "seed \(seed)")
      }
    }
  }
}
