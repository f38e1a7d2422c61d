/// An entry of the list of free pages: the number of pages, then the pages, highest first; behind
/// them may be room that LMDB did not need.
enum FreePages {
  /// Takes the pages of an entry as owned.
  ///
  /// - Returns: what is wrong with it, in words.
  static func claim(_ value: UnsafeRawBufferPointer, _ owners: inout PageOwners) -> String? {
    guard value.count >= 8, value.count % 8 == 0 else {
      return "an entry has \(value.count) bytes"
    }
    let count = value.loadUnaligned(as: UInt64.self)
    guard count < value.count / 8 else {
      return "an entry of \(value.count) bytes has \(count) pages"
    }
    var last = UInt64.max
    for index in 0..<Int(count) {
      let page = value.loadUnaligned(fromByteOffset: 8 + 8 * index, as: UInt64.self)
      if page >= last { return "page \(page) follows page \(last)" }
      if let problem = owners.claim(page) { return problem }
      last = page
    }
    return nil
  }
}
