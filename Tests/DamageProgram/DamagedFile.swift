import TestSupport

/// A file under damage.
struct DamagedFile {
  var bytes: [UInt8]
  /// With the hole behind `bytes`.
  var length: Int
  private let pages: LivePages
  private let older: [[UInt8]]

  init(_ state: SoundState) {
    bytes = state.bytes
    length = state.length
    pages = state.pages
    older = state.older
  }

  private static let page = LivePages.size
  private static let sector = 512
  private static let metaBytes = 152

  mutating func apply(_ damage: Damage, _ random: inout RandomNumbers) {
    switch damage {
    case .bitAnywhere: flip(in: 0..<bytes.count, &random)
    case .bitInTree: flip(in: range(random.pick(pages.tree)), &random)
    case .bitInHead: flipHead(&random)
    case .bitInFreeList: flip(in: range(random.pick(pages.freeListOrTree)), &random)
    case .bitInMeta:
      let start = random.below(2) * DamagedFile.page
      flip(in: start..<(start + DamagedFile.metaBytes), &random)
    case .bitsInTrees:
      for _ in 0..<(2 + random.below(20)) { flip(in: range(random.pick(pages.tree)), &random) }
    case .number: change(in: range(random.pick(pages.tree)), &random)
    case .freeNumber: change(in: range(random.pick(pages.freeListOrTree)), &random)
    case .zeroedPage: fill(range(anyLive(&random))) { 0 }
    case .zeroedSector:
      let place = range(anyLive(&random)).lowerBound + random.below(8) * DamagedFile.sector
      fill(place..<(place + DamagedFile.sector)) { 0 }
    case .noisePage: fill(range(anyLive(&random))) { UInt8(truncatingIfNeeded: random.next()) }
    case .swappedPages: swap(anyLive(&random), anyLive(&random))
    case .misplacedPage, .disguisedPage: misplace(damage == .disguisedPage, &random)
    case .stalePage: restore([anyLive(&random)], &random)
    case .stalePages:
      restore((0..<(2 + random.below(12))).map { _ in anyLive(&random) }, &random)
    case .halfStalePage: restoreHalf(anyLive(&random), &random)
    case .truncated: truncate(to: random.below(bytes.count))
    case .tornMeta: tearMeta(&random)
    case .staleMeta: restoreMeta()
    case .lostMeta:
      let noise = random.oneIn(2)
      fill(range(random.below(2))) { noise ? UInt8(truncatingIfNeeded: random.next()) : 0 }
    case .swappedMetas: swap(0, 1)
    case .olderFile:
      bytes = older[0]
      length = bytes.count
    case .foreignFile: replace(&random)
    case .lockFiles: break
    }
  }

  private func range(_ page: Int) -> Range<Int> {
    (page * DamagedFile.page)..<((page + 1) * DamagedFile.page)
  }

  private func anyLive(_ random: inout RandomNumbers) -> Int {
    pages.values.isEmpty || random.oneIn(2) ? random.pick(pages.tree) : random.pick(pages.values)
  }

  private mutating func flip(in range: Range<Int>, _ random: inout RandomNumbers) {
    bytes[range.lowerBound + random.below(range.count)] ^= 1 << UInt8(random.below(8))
  }

  private mutating func flipHead(_ random: inout RandomNumbers) {
    let isValue = !pages.valueHeads.isEmpty && random.oneIn(3)
    let start = range(random.pick(isValue ? pages.valueHeads : pages.tree)).lowerBound
    // A tree page's list of pointers follows its head.
    flip(in: start..<(start + (isValue ? 16 : 32)), &random)
  }

  /// Puts a wrong but likely number into an even place.
  private mutating func change(in range: Range<Int>, _ random: inout RandomNumbers) {
    let width = random.pick([2, 4, 8])
    let place = range.lowerBound + random.below((range.count - width) / 2) * 2
    let old = LivePages.number(bytes, place, width)
    let likely = [
      old &+ 1, old &- 1, 0, .max, UInt64(random.below(pages.count + 2)), old ^ 0x8000, old << 1,
    ]
    let new = random.pick(likely)
    for index in 0..<width { bytes[place + index] = UInt8(truncatingIfNeeded: new >> (8 * index)) }
  }

  private mutating func fill(_ range: Range<Int>, _ byte: () -> UInt8) {
    for place in range { bytes[place] = byte() }
  }

  private mutating func swap(_ first: Int, _ second: Int) {
    let kept = Array(bytes[range(first)])
    bytes.replaceSubrange(range(first), with: Array(bytes[range(second)]))
    bytes.replaceSubrange(range(second), with: kept)
  }

  private mutating func misplace(_ renumbered: Bool, _ random: inout RandomNumbers) {
    let (from, to) = (random.below(pages.count), anyLive(&random))
    bytes.replaceSubrange(range(to), with: Array(bytes[range(from)]))
    if renumbered {
      for index in 0..<8 {
        bytes[to * DamagedFile.page + index] = UInt8(truncatingIfNeeded: to >> (8 * index))
      }
    }
  }

  private mutating func restore(_ numbers: [Int], _ random: inout RandomNumbers) {
    let old = random.pick(older)
    for number in numbers where range(number).upperBound <= old.count {
      bytes.replaceSubrange(range(number), with: Array(old[range(number)]))
    }
  }

  private mutating func restoreHalf(_ number: Int, _ random: inout RandomNumbers) {
    let whole = range(number)
    let old = random.pick(older)
    guard whole.upperBound <= old.count else { return }
    let cut = whole.lowerBound + (1 + random.below(7)) * DamagedFile.sector
    let half = random.oneIn(2) ? whole.lowerBound..<cut : cut..<whole.upperBound
    bytes.replaceSubrange(half, with: Array(old[half]))
  }

  private mutating func truncate(to count: Int) {
    bytes.removeLast(bytes.count - count)
    length = count
  }

  /// The newest meta page, as if its write had been cut: in front of the cut the new bytes, behind
  /// it the old ones; or the other way round, as a disk may do it.
  private mutating func tearMeta(_ random: inout RandomNumbers) {
    let whole = range(pages.newestMeta)
    let cut = whole.lowerBound + random.below(DamagedFile.metaBytes)
    let torn = random.oneIn(2) ? whole.lowerBound..<cut : cut..<whole.upperBound
    bytes.replaceSubrange(torn, with: Array(older[0][torn]))
  }

  private mutating func restoreMeta() {
    let whole = range(pages.newestMeta)
    bytes.replaceSubrange(whole, with: Array(older[0][whole]))
  }

  private mutating func replace(_ random: inout RandomNumbers) {
    switch random.below(4) {
    case 0: bytes = []
    case 1:
      bytes = Array("SQLite format 3\0".utf8)
      bytes += (0..<random.below(100_000)).map { _ in UInt8(random.below(2)) }
    case 2:
      bytes = (0..<random.below(100_000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    default: rename("segments", to: "elements")
    }
    length = max(bytes.count, random.oneIn(2) ? length : 0)
  }

  /// Another program's databases.
  private mutating func rename(_ name: String, to other: String) {
    let (old, new) = (Array(name.utf8), Array(other.utf8))
    for place in 0..<(bytes.count - old.count) where bytes[place] == old[0] {
      if bytes[place..<(place + old.count)].elementsEqual(old) {
        bytes.replaceSubrange(place..<(place + new.count), with: new)
      }
    }
  }
}

extension LivePages {
  /// The list of free pages; any tree page where it is empty.
  var freeListOrTree: [Int] { freeList.isEmpty ? tree : freeList }
}
