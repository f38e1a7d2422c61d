/// Walks every page that LMDB can follow from a meta page, before LMDB does.
///
/// LMDB has no checksums over its own pages: a flipped bit there ends in an assertion, a fault of
/// the mapping, or a live page in the list of free ones, which a later commit overwrites. What it
/// reads, and why it can be trusted after the walk:
///
/// - *meta pages*: magic, version, page size, transaction, last page: `MetaPages`. The address and
///   size of the map are not used: we give a size, and never ask for a fixed address.
/// - *records of trees*: flags are those of the database; root, depth, entries and the numbers of
///   pages of each kind are what the walk finds. The padding is the key size of a kind of page
///   that we do not use.
/// - *branch and leaf pages*: own number, kind, bounds, pointers, sizes, order of keys and their
///   place between the parent's: `TreePage`. The padding as above.
/// - *nodes*: kind of value, sizes inside the page, child or first page in the file.
/// - *runs of pages that hold a value*: own number, kind and length, long enough for the value.
/// - *list of free pages*: transactions above 0, the last one the meta page's own, since every
///   transaction frees the root that it replaces; so the meta page is of one piece. Page numbers in
///   the order that LMDB needs: `FreePages`.
/// - *every page has one owner at most*: a tree, a value, or the list of free pages. One without
///   an owner is wasted, and nothing worse: LMDB never comes across it.
///
/// Keys and values themselves are covered by the checksums of the values, separators of branch
/// pages by their order.
struct PageWalk: ~Copyable {
  private let file: PageFile
  private let meta: MetaPage
  private var owners: PageOwners
  private var starts: NodeStarts
  /// A page for each level of a tree.
  private let levels: UnsafeMutableRawBufferPointer
  /// What has been found of the tree under way.
  private var found = TreeRecord.empty
  /// The last transaction in the list of free pages.
  private var newestFreed: UInt64 = 0
  /// The named databases.
  private var directory: [(name: [UInt8], record: TreeRecord)] = []

  /// How the file's pages are used.
  struct Use {
    /// All of them.
    var pages: UInt64
    /// In the list of free pages.
    var free: UInt64 = 0
    /// In no tree and not free either.
    var unowned: UInt64 = 0
  }

  /// What a tree may hold.
  private enum Contents {
    case freePages, directory, values
  }

  private struct Tree {
    var name: String
    var record: TreeRecord
    var contents: Contents
    var order: KeyOrder
  }

  /// - Parameters:
  ///   - descriptor: of the file; it must not change under a snapshot that the caller holds.
  ///   - meta: the page that LMDB goes by.
  ///   - flags: of the named databases that must have these; others may have any that we know.
  /// - Complexity: reads all branch and leaf pages, the list of free pages, and the first page of
  ///   each value that has pages of its own.
  static func check(
    descriptor: Int32, meta: MetaPage, flags: [String: UInt16]
  ) throws(PageFault) -> Use {
    var walk = PageWalk(descriptor: descriptor, meta: meta)
    return try walk.run(flags)
  }

  private init(descriptor: Int32, meta: MetaPage) {
    file = PageFile(descriptor: descriptor, pageSize: meta.pageSize)
    self.meta = meta
    owners = PageOwners(count: meta.lastPage + 1)
    starts = NodeStarts(pageSize: meta.pageSize)
    levels = UnsafeMutableRawBufferPointer.allocate(
      byteCount: meta.pageSize * PageFormat.deepest, alignment: 16)
  }

  deinit { levels.deallocate() }

  private mutating func run(_ flags: [String: UInt16]) throws(PageFault) -> Use {
    var use = Use(pages: meta.lastPage + 1)
    let used = owners.unowned
    try walk(
      Tree(
        name: "the list of free pages", record: meta.freePages, contents: .freePages,
        order: .integers),
      flags: meta.freePages.flags & PageFormat.singleFile | PageFormat.integerKeys)
    // A compact copy is of transaction 1 and has no free pages.
    if newestFreed != meta.transaction, meta.transaction > 1 {
      throw .damaged(
        "the list of free pages is of transaction \(newestFreed), the meta page of "
          + "\(meta.transaction)")
    }
    let ownPages = found.branchPages + found.leafPages + found.overflowPages
    use.free = used - owners.unowned - ownPages
    try walk(
      Tree(
        name: "the directory", record: meta.directory, contents: .directory, order: .bytes),
      flags: 0)
    for (name, record) in directory {
      let name = String(decoding: name, as: UTF8.self)
      let order: KeyOrder = record.flags == PageFormat.integerKeys ? .integers : .bytes
      try walk(
        Tree(name: "'\(name)'", record: record, contents: .values, order: order),
        flags: flags[name] ?? record.flags & PageFormat.integerKeys)
    }
    use.unowned = owners.unowned
    return use
  }

  /// Walks one tree and compares what it finds with the tree's record.
  private mutating func walk(_ tree: Tree, flags: UInt16) throws(PageFault) {
    let record = tree.record
    found = .empty
    found.flags = record.flags
    found.depth = record.depth
    found.root = record.root
    if record.flags != flags {
      throw .damaged("\(tree.name) has the flags \(record.flags), not \(flags)")
    }
    if record.root == PageFormat.noPage {
      found.depth = 0
    } else {
      guard (1...PageFormat.deepest).contains(record.depth) else {
        throw .damaged("\(tree.name) has a depth of \(record.depth)")
      }
      try visit(record.root, of: tree, level: 1, low: nil, high: nil)
    }
    if found != record {
      throw .damaged("\(tree.name) is not what its record says: \(found), not \(record)")
    }
  }

  private mutating func visit(
    _ number: UInt64, of tree: Tree, level: Int, low: UnsafeRawBufferPointer?,
    high: UnsafeRawBufferPointer?
  ) throws(PageFault) {
    try claim(number, for: tree)
    let size = file.pageSize
    let buffer = UnsafeMutableRawBufferPointer(
      rebasing: levels[((level - 1) * size)..<(level * size)])
    try file.read(number, into: buffer)
    let page = TreePage(bytes: UnsafeRawBufferPointer(buffer))
    let isLeaf = level == tree.record.depth
    // LMDB tolerates a branch page with one child in its list of free pages only.
    let leastCount = isLeaf || tree.contents == .freePages ? 1 : 2
    let place = TreePage.Place(
      number: number, isLeaf: isLeaf, leastCount: leastCount, order: tree.order,
      isDirectory: tree.contents == .directory, low: low, high: high)
    if let problem = page.problem(at: place, &starts) {
      throw .damaged("page \(number) of \(tree.name) is broken: \(problem)")
    }
    if isLeaf { return try visit(leaf: page, number, of: tree) }
    found.branchPages += 1
    for index in 0..<page.count {
      try visit(
        page.child(index), of: tree, level: level + 1, low: index == 0 ? low : page.key(index),
        high: index + 1 < page.count ? page.key(index + 1) : high)
    }
  }

  private mutating func visit(
    leaf page: TreePage, _ number: UInt64, of tree: Tree
  ) throws(PageFault) {
    found.leafPages += 1
    found.entries += UInt64(page.count)
    switch tree.contents {
    case .values:
      for index in 0..<page.count {
        if let first = page.valuePage(index) {
          try claimValue(first, bytes: page.valueBytes(index), of: tree)
        }
      }
    case .directory:
      for index in 0..<page.count {
        let record = page.content(index)
        if record.count != TreeRecord.byteCount {
          throw .damaged("page \(number) of \(tree.name) holds a record of \(record.count) bytes")
        }
        directory.append((Array(page.key(index)), TreeRecord(record)))
      }
    case .freePages:
      for index in 0..<page.count { try visitFreePages(page, index, of: tree) }
    }
  }

  private mutating func visitFreePages(
    _ page: TreePage, _ index: Int, of tree: Tree
  ) throws(PageFault) {
    let transaction = page.key(index).loadUnaligned(as: UInt64.self)
    if transaction == 0 { throw .damaged("\(tree.name) names transaction 0") }
    newestFreed = transaction
    var problem: String?
    if let first = page.valuePage(index) {
      let bytes = page.valueBytes(index)
      try claimValue(first, bytes: bytes, of: tree)
      let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: PageFormat.headBytes + bytes, alignment: 16)
      defer { buffer.deallocate() }
      try file.read(first, into: buffer)
      problem = FreePages.claim(
        UnsafeRawBufferPointer(rebasing: buffer[PageFormat.headBytes...]), &owners)
    } else {
      problem = FreePages.claim(page.content(index), &owners)
    }
    if let problem { throw .damaged("\(tree.name) is broken: \(problem)") }
  }

  /// A value with pages of its own.
  private mutating func claimValue(
    _ first: UInt64, bytes: Int, of tree: Tree
  ) throws(PageFault) {
    let needed = UInt64(PageFormat.pages(forValue: bytes, pageSize: file.pageSize))
    guard first <= meta.lastPage, needed <= meta.lastPage - first + 1 else {
      throw .damaged("a value of \(tree.name) at page \(first) reaches over the end of the file")
    }
    let head = try file.readHead(first)
    // A value that was replaced by a shorter one may keep its run.
    guard head.number == first, head.flags == PageFormat.overflow, head.pages >= needed else {
      throw .damaged("page \(first), where a value of \(tree.name) begins, is broken")
    }
    try claim(first, pages: head.pages, for: tree)
    found.overflowPages += head.pages
  }

  private mutating func claim(
    _ first: UInt64, pages: UInt64 = 1, for tree: Tree
  ) throws(PageFault) {
    if let problem = owners.claim(first, pages: pages) {
      throw .damaged("\(problem), found in \(tree.name)")
    }
  }
}
