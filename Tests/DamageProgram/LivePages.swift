/// The pages that the newest checkpoint of a sound file uses, found the naive way: so that damage
/// can be done where it matters.
struct LivePages {
  static let size = 4_096

  /// Of LMDB's trees, branches and leaves.
  private(set) var tree: [Int] = []
  /// Where values begin that have pages of their own.
  private(set) var valueHeads: [Int] = []
  /// All pages of such values.
  private(set) var values: [Int] = []
  /// Of the list of free pages: its tree and its values.
  private(set) var freeList: [Int] = []
  /// The meta page that counts, 0 or 1.
  let newestMeta: Int
  /// Of the whole file.
  let count: Int

  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    func word(_ place: Int) -> UInt64 { LivePages.number(bytes, place, 8) }
    newestMeta = word(144) > word(LivePages.size + 144) ? 0 : 1
    let meta = newestMeta * LivePages.size
    count = Int(word(meta + 136)) + 1
    // The roots in the two records of the meta page.
    visit(word(meta + 40 + 40), isFreeList: true)
    visit(word(meta + 88 + 40), isFreeList: false)
  }

  /// A little-endian number.
  static func number(_ bytes: [UInt8], _ place: Int, _ width: Int) -> UInt64 {
    (0..<width).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
  }

  private mutating func visit(_ page: UInt64, isFreeList: Bool) {
    if page == .max { return }
    let page = Int(page)
    let start = page * LivePages.size
    let short = { [bytes] in Int(LivePages.number(bytes, $0, 2)) }
    tree.append(page)
    if isFreeList { freeList.append(page) }
    for index in 0..<((short(start + 12) - 16) / 2) {
      let node = start + short(start + 16 + 2 * index)
      let content = node + 8 + short(node + 6)
      if short(start + 10) == 1 {
        let child = LivePages.number(bytes, node, 6)
        visit(child, isFreeList: isFreeList)
      } else if short(node + 4) == 1 {
        let first = Int(LivePages.number(bytes, content, 8))
        let pages = Int(LivePages.number(bytes, first * LivePages.size + 12, 4))
        valueHeads.append(first)
        values += first..<(first + pages)
        if isFreeList { freeList += first..<(first + pages) }
      } else if short(node + 4) == 2 {
        visit(LivePages.number(bytes, content + 40, 8), isFreeList: false)
      }
    }
  }
}
