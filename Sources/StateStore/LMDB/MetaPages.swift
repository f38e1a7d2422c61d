import Glibc
import Platform

/// The two pages at the beginning of an LMDB file, read with `pread(2)` before anything is mapped.
///
/// LMDB has no checksums and dies with SIGBUS where its file is too short, so these are checked:
///
/// - both pages have LMDB's magic number, version and one page size;
/// - their transaction numbers follow each other, and each stands where its parity says;
/// - the file holds every page up to the newest page's last one, and the roots lie below it.
///
/// Layout after LMDB 0.9's `mdb.c`: `MDB_page` header (16 bytes), then `MDB_meta`.
struct MetaPages {
  let pageSize: Int
  let lastPage: UInt64

  private static let magic: UInt32 = 0xBEEF_C0DE
  private static let version: UInt32 = 1
  private static let noPage = UInt64.max

  private struct Meta {
    var pageSize: Int
    var roots: [UInt64]
    var lastPage: UInt64
    var transaction: UInt64

    init?(_ page: UnsafeRawBufferPointer) {
      func word(_ offset: Int) -> UInt64 {
        page.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      }
      guard page.loadUnaligned(fromByteOffset: 16, as: UInt32.self) == MetaPages.magic,
        page.loadUnaligned(fromByteOffset: 20, as: UInt32.self) == MetaPages.version
      else { return nil }
      pageSize = Int(page.loadUnaligned(fromByteOffset: 40, as: UInt32.self))
      roots = [word(80), word(128)]
      lastPage = word(136)
      transaction = word(144)
    }
  }

  /// - Parameter beside: another process may be writing: what looks wrong is read again.
  /// - Throws: `.corrupt` names what is wrong; nothing was mapped or changed.
  static func check(
    _ path: String, directory: String, beside: Bool
  ) throws(StateError) -> MetaPages {
    var attempts = beside ? 5 : 1
    while true {
      switch try read(path, directory: directory) {
      case .success(let pages): return pages
      case .failure(let problem):
        attempts -= 1
        if attempts == 0 { throw StateError.damaged(directory, problem.text) }
      }
    }
  }

  private struct Problem: Error { var text: String }

  private static func read(
    _ path: String, directory: String
  ) throws(StateError) -> Result<MetaPages, Problem> {
    do throws(SystemError) {
      let file = try FileDescriptor.open(path, O_RDONLY)
      var bytes = [UInt8](repeating: 0, count: 2 * 65_536)
      let count = pread(file.number, &bytes, bytes.count, 0)
      if count < 0 { throw SystemError("pread", path) }
      let size = UInt64(try file.size())
      return bytes.withUnsafeBytes {
        judge(UnsafeRawBufferPointer(rebasing: $0[..<count]), fileSize: size)
      }
    } catch {
      throw StateError.system(error, directory: directory)
    }
  }

  private static func judge(
    _ bytes: UnsafeRawBufferPointer, fileSize: UInt64
  ) -> Result<MetaPages, Problem> {
    func wrong(_ text: String) -> Result<MetaPages, Problem> { .failure(Problem(text: text)) }
    guard bytes.count >= 160, let first = Meta(bytes) else {
      return wrong("data.mdb does not begin as an LMDB file does")
    }
    let size = first.pageSize
    guard size >= 4_096, size <= 65_536, size & (size - 1) == 0 else {
      return wrong("data.mdb names a page size of \(size)")
    }
    guard bytes.count >= size + 160,
      let second = Meta(UnsafeRawBufferPointer(rebasing: bytes[size...])), second.pageSize == size
    else { return wrong("the second meta page of data.mdb is broken") }

    let (older, newer) =
      first.transaction < second.transaction ? (first, second) : (second, first)
    let follows = newer.transaction &- older.transaction == 1
    let parity = first.transaction & 1 == 0 && second.transaction & 1 == 1
    guard (follows && parity) || newer.transaction == 0 else {
      return wrong(
        "the meta pages of data.mdb are of transactions \(first.transaction) and "
          + "\(second.transaction), which cannot be")
    }
    for root in newer.roots where root != noPage && root > newer.lastPage {
      return wrong("a root of data.mdb lies at page \(root), behind the last, \(newer.lastPage)")
    }
    guard newer.lastPage < UInt64(1) << 40, fileSize >= (newer.lastPage + 1) * UInt64(size) else {
      return wrong(
        "data.mdb has \(fileSize) bytes, but its last page is number \(newer.lastPage): "
          + "the file was cut off")
    }
    return .success(MetaPages(pageSize: size, lastPage: newer.lastPage))
  }
}
