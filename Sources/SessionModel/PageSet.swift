/// The distinct pages of a session: exact up to `limit`, then only that there are more.
///
/// Sets of hashes, joined as sets are, so that any order and any tree of joins gives the same; once
/// there are more than `limit`, what they are no longer matters and is forgotten.
///
/// Packed: a u16, 0xFFFF for more than `limit`, else the number of hashes, then each as u64, rising.
package struct PageSet: Equatable, Sendable {
  package static let limit = 64
  package static let more = UInt16.max

  /// Rising; nil for more than `limit`.
  package private(set) var hashes: [UInt64]?

  package init(_ hashes: [UInt64] = []) {
    self.hashes = []
    for hash in hashes { insert(hash) }
  }

  /// What a row shows: at most one above `limit`.
  package var count: Int { hashes?.count ?? PageSet.limit + 1 }

  package mutating func insert(_ hash: UInt64) {
    guard let hashes else { return }
    let place = hashes.firstIndex { $0 >= hash } ?? hashes.count
    if place < hashes.count, hashes[place] == hash { return }
    if hashes.count == PageSet.limit {
      self.hashes = nil
    } else {
      self.hashes?.insert(hash, at: place)
    }
  }

  package mutating func formUnion(_ other: PageSet) {
    if let added = other.hashes {
      for hash in added { insert(hash) }
    } else {
      hashes = nil
    }
  }

  package func append(to bytes: inout [UInt8]) {
    guard let hashes else { return PackedText.append(PageSet.more, to: &bytes) }
    PackedText.append(UInt16(hashes.count), to: &bytes)
    for hash in hashes { PackedText.append(hash, to: &bytes) }
  }

  /// - Returns: nil where the bytes end too early, or are no packed set.
  package init?(from reader: inout PackedReader) {
    guard let count = reader.integer(UInt16.self) else { return nil }
    if count == PageSet.more { return }
    guard count <= PageSet.limit else { return nil }
    var hashes: [UInt64] = []
    for _ in 0..<count {
      guard let hash = reader.integer(UInt64.self), hashes.last.map({ $0 < hash }) ?? true else {
        return nil
      }
      hashes.append(hash)
    }
    self.hashes = hashes
  }
}

/// Page views of a session as its row has them.
package struct PageCounts: Equatable, Sendable {
  package var views: UInt64
  /// As `PageSet.count` has it.
  package var distinct: UInt64

  package init(views: UInt64 = 0, distinct: UInt64 = 0) {
    self.views = views
    self.distinct = distinct
  }

  /// Whether there may be more distinct pages than `distinct` says.
  package var isMinimum: Bool { distinct > PageSet.limit }
}
