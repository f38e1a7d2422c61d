/// Which pages of a file have an owner: a bit each.
struct PageOwners {
  private var words: [UInt64]
  private let count: UInt64
  /// Pages that nobody owns yet.
  private(set) var unowned: UInt64

  /// - Parameter count: of the file's pages, the meta pages included, which are owned from the
  ///   beginning.
  init(count: UInt64) {
    self.count = count
    words = [UInt64](repeating: 0, count: Int(count / 64 + 1))
    words[0] = (1 << PageFormat.metaPages) - 1
    unowned = count - PageFormat.metaPages
  }

  /// Gives a run of pages an owner.
  ///
  /// - Returns: what is wrong with it, in words; nil if all were in the file and free to take.
  mutating func claim(_ first: UInt64, pages: UInt64 = 1) -> String? {
    guard first < count, pages <= count - first else {
      return "page \(first) with \(pages - 1) behind it is not in the file of \(count) pages"
    }
    for page in first..<(first + pages) {
      let bit = UInt64(1) << (page & 63)
      if words[Int(page >> 6)] & bit != 0 { return "page \(page) is in use twice" }
      words[Int(page >> 6)] |= bit
    }
    unowned -= pages
    return nil
  }
}
