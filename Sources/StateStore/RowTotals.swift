import CXXHash
package import SessionModel

/// XXH3-128 over what of a row is fixed when its session closes: equal for equal rows, wherever
/// they are read.
///
/// U+0000 counts as U+FFFD, since not every table can hold it.
package struct RowDigest: Equatable, Sendable {
  fileprivate(set) package var low: UInt64
  fileprivate(set) package var high: UInt64

  fileprivate init(low: UInt64 = 0, high: UInt64 = 0) {
    self.low = low
    self.high = high
  }

  package init(_ row: SessionRow) {
    if RowText.fixedAtClose.contains(where: { row[$0]?.contains(0) ?? false }) {
      self = RowDigest.withoutNull(row).withBytes { RowDigest(bytes: $0) }
    } else {
      self.init(bytes: row.fixedAtClose)
    }
  }

  private init(bytes: UnsafeRawBufferPointer) {
    let hash = XXH3_128bits(bytes.baseAddress, bytes.count)
    self.init(low: hash.low64, high: hash.high64)
  }

  private static func withoutNull(_ row: SessionRow) -> [UInt8] {
    var bytes = Array(row.numbers)
    for text in RowText.fixedAtClose {
      let replaced = row[text]?.flatMap { $0 == 0 ? Array("\u{FFFD}".utf8) : [$0] }
      PackedText.append(text: replaced, to: &bytes)
    }
    return bytes
  }
}

/// How many rows there are, and which: whatever their order, equal totals mean equal rows.
package struct RowTotals: Equatable, Sendable {
  package private(set) var rows: UInt64
  /// The sum of the rows' digests, each half modulo 2⁶⁴.
  package private(set) var digest: RowDigest

  package init() { self.init(rows: 0, low: 0, high: 0) }

  init(rows: UInt64, low: UInt64, high: UInt64) {
    self.rows = rows
    digest = RowDigest(low: low, high: high)
  }

  package mutating func add(_ row: RowDigest) {
    rows += 1
    digest.low &+= row.low
    digest.high &+= row.high
  }

  mutating func add(_ other: RowTotals) {
    rows += other.rows
    digest.low &+= other.digest.low
    digest.high &+= other.digest.high
  }

  /// - Parameter row: one of the rows.
  package mutating func remove(_ row: RowDigest) {
    rows -= 1
    digest.low &-= row.low
    digest.high &-= row.high
  }
}
