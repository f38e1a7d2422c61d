/// `MDB_db`: where a tree begins and how large it is. In the meta pages for the list of free pages
/// and for the directory of the named databases; in the directory for all others.
struct TreeRecord: Equatable, CustomStringConvertible {
  static let byteCount = 48

  var flags: UInt16
  var depth: Int
  var branchPages: UInt64
  var leafPages: UInt64
  var overflowPages: UInt64
  var entries: UInt64
  /// `PageFormat.noPage` for an empty tree.
  var root: UInt64

  /// A tree without a page.
  static let empty = TreeRecord()

  private init() {
    (flags, depth, root) = (0, 0, PageFormat.noPage)
    (branchPages, leafPages, overflowPages, entries) = (0, 0, 0, 0)
  }

  /// - Parameter bytes: at least `byteCount`.
  init(_ bytes: UnsafeRawBufferPointer) {
    func word(_ offset: Int) -> UInt64 {
      bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
    flags = bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
    depth = Int(bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
    branchPages = word(8)
    leafPages = word(16)
    overflowPages = word(24)
    entries = word(32)
    root = word(40)
  }

  var description: String {
    "\(entries) entries in \(branchPages) + \(leafPages) + \(overflowPages) pages, depth \(depth)"
  }
}
