/// Ways in which a file comes to hold something else than what was written.
enum Damage: String, CaseIterable {
  case bitAnywhere = "a bit anywhere"
  case bitInTree = "a bit in a tree page"
  case bitInHead = "a bit in a page's head"
  case bitInFreeList = "a bit in the free list"
  case bitInMeta = "a bit in a meta page"
  case bitsInTrees = "bits in several tree pages"
  case number = "a number in a tree page"
  case freeNumber = "a number in the free list"
  case zeroedPage = "a zeroed page"
  case zeroedSector = "a zeroed sector"
  case noisePage = "a page of noise"
  case swappedPages = "two pages swapped"
  case misplacedPage = "a page in another's place"
  case disguisedPage = "the same, renumbered"
  case stalePage = "a stale page"
  case stalePages = "several stale pages"
  case halfStalePage = "a page stale by half"
  case truncated = "a file cut off"
  case tornMeta = "a torn meta page"
  case staleMeta = "a stale meta page"
  case lostMeta = "a meta page zeroed or noise"
  case swappedMetas = "the meta pages swapped"
  case olderFile = "the file of a checkpoint before"
  case foreignFile = "another program's file"
  case lockFiles = "noise in the lock files"

  /// Whether nobody should notice.
  var isHarmless: Bool { self == .lockFiles }
}
