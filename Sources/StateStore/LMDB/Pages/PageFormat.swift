import Glibc

/// Sizes and flags of LMDB 0.9's file format, after `mdb.c` (64 bits, little-endian).
enum PageFormat {
  /// Page number (8), padding (2), flags (2), and lower and upper bound (2 each) or the length of
  /// a run of pages (4).
  static let headBytes = 16
  /// Data size or child (4), flags or the child's upper bits (2), key size (2).
  static let nodeHeadBytes = 8

  static let branch = 0x01
  static let leaf = 0x02
  static let overflow = 0x04
  static let meta = 0x08

  /// A node's value lies in a run of pages of its own; the node holds the first one's number.
  static let valueElsewhere = 0x01
  /// A node's value is the record of a named database.
  static let isDatabase = 0x02

  static let integerKeys: UInt16 = 0x08
  /// `MDB_NOSUBDIR` as the environment's own flag, which LMDB keeps beside those of the free list.
  static let singleFile: UInt16 = 0x4000

  static let noPage = UInt64.max
  static let metaPages: UInt64 = 2
  static let longestKey = 511
  /// LMDB's cursors hold so many pages.
  static let deepest = 32

  /// The largest node that holds its value itself: two fit into a page.
  static func largestNode(pageSize: Int) -> Int { (((pageSize - headBytes) / 2) & ~1) - 2 }

  /// The length of the run of pages that a value needs.
  static func pages(forValue bytes: Int, pageSize: Int) -> Int {
    (headBytes - 1 + bytes) / pageSize + 1
  }
}

/// Why a file's pages cannot be trusted.
enum PageFault: Error {
  /// What is wrong, with its place.
  case damaged(String)
  case unreadable(code: Int32)
}

/// How LMDB compares the keys of a tree.
enum KeyOrder {
  case bytes, integers

  @inline(__always)
  func isRising(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Bool {
    switch self {
    case .integers:
      return first.loadUnaligned(as: UInt64.self) < second.loadUnaligned(as: UInt64.self)
    case .bytes:
      let common = min(first.count, second.count)
      let difference = memcmp(first.baseAddress!, second.baseAddress!, common)
      return difference != 0 ? difference < 0 : first.count < second.count
    }
  }

  /// Whether LMDB can compare a key of that many bytes.
  @inline(__always)
  func allows(keyBytes: Int) -> Bool {
    self == .integers ? keyBytes == 8 : keyBytes > 0 && keyBytes <= PageFormat.longestKey
  }
}
