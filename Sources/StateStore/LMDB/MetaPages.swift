import Glibc
import Platform

/// One of the two pages at the beginning of an LMDB file: `MDB_meta` behind the page's head.
struct MetaPage {
  let pageSize: Int
  let freePages: TreeRecord
  let directory: TreeRecord
  let lastPage: UInt64
  let transaction: UInt64

  fileprivate static let byteCount = 152
  private static let magic: UInt32 = 0xBEEF_C0DE
  private static let version: UInt32 = 1

  /// - Parameter page: at least `byteCount` bytes.
  /// - Returns: nil for what is no meta page of LMDB 0.9.
  fileprivate init?(_ page: UnsafeRawBufferPointer) {
    func short(_ offset: Int) -> UInt16 {
      page.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
    }
    func word(_ offset: Int) -> UInt64 {
      page.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
    guard Int(short(10)) & PageFormat.meta != 0,
      page.loadUnaligned(fromByteOffset: 16, as: UInt32.self) == MetaPage.magic,
      page.loadUnaligned(fromByteOffset: 20, as: UInt32.self) == MetaPage.version
    else { return nil }
    pageSize = Int(page.loadUnaligned(fromByteOffset: 40, as: UInt32.self))
    freePages = TreeRecord(UnsafeRawBufferPointer(rebasing: page[40..<88]))
    directory = TreeRecord(UnsafeRawBufferPointer(rebasing: page[88..<136]))
    lastPage = word(136)
    transaction = word(144)
  }
}

/// The two meta pages, read with `pread(2)` before anything is mapped.
///
/// LMDB dies with SIGBUS where its file is too short, and goes by the page with the greater
/// transaction number, so these are checked:
///
/// - both pages have LMDB's magic number, version and one page size;
/// - their transaction numbers follow each other, and each stands where its parity says;
/// - the file holds every page up to the newest page's last one.
///
/// LMDB writes the transaction number last. A commit that was cut off leaves the old number, so
/// the page that was about to be replaced may hold anything else; the other one counts then.
struct MetaPages {
  /// By parity of the transaction.
  private let pages: (even: MetaPage, odd: MetaPage)

  var newest: MetaPage { pages.even.transaction > pages.odd.transaction ? pages.even : pages.odd }

  /// The page of a transaction; nil if it holds another one by now.
  func page(of transaction: UInt64) -> MetaPage? {
    let page = transaction & 1 == 0 ? pages.even : pages.odd
    return page.transaction == transaction ? page : nil
  }

  /// - Parameter beside: another process may be writing: what looks wrong is read again.
  /// - Throws: `.corrupt` names what is wrong; nothing was mapped or changed.
  static func check(_ path: String, directory: String, beside: Bool) throws(StateError) {
    let file: FileDescriptor
    do throws(SystemError) { file = try FileDescriptor.open(path, O_RDONLY) } catch {
      throw StateError.system(error, directory: directory)
    }
    var attempts = beside ? 5 : 1
    while true {
      do throws(PageFault) {
        _ = try MetaPages(descriptor: file.number)
        return
      } catch {
        attempts -= 1
        if attempts == 0 { throw StateError.pages(error, directory: directory) }
      }
    }
  }

  /// Reads and checks both.
  init(descriptor: Int32) throws(PageFault) {
    let limit = 65_536
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * limit, alignment: 16)
    defer { buffer.deallocate() }
    let count = pread(descriptor, buffer.baseAddress!, buffer.count, 0)
    var status = stat()
    guard count >= 0, fstat(descriptor, &status) == 0 else { throw .unreadable(code: errno) }
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])

    guard bytes.count >= MetaPage.byteCount, let first = MetaPage(bytes) else {
      throw .damaged("data.mdb does not begin as an LMDB file does")
    }
    let size = first.pageSize
    guard size >= 4_096, size <= limit, size & (size - 1) == 0 else {
      throw .damaged("data.mdb names a page size of \(size)")
    }
    guard bytes.count >= size + MetaPage.byteCount,
      let second = MetaPage(UnsafeRawBufferPointer(rebasing: bytes[size...])),
      second.pageSize == size
    else { throw .damaged("the second meta page of data.mdb is broken") }
    pages = (first, second)
    try requireOrder(fileSize: UInt64(status.st_size))
  }

  private func requireOrder(fileSize: UInt64) throws(PageFault) {
    let (even, odd) = (pages.even.transaction, pages.odd.transaction)
    let follows = even &- odd == 1 || odd &- even == 1
    let parity = even & 1 == 0 && odd & 1 == 1
    guard (follows && parity) || (even == 0 && odd == 0) else {
      throw .damaged(
        "the meta pages of data.mdb are of transactions \(even) and \(odd), which cannot be")
    }
    let last = newest.lastPage
    guard last >= PageFormat.metaPages - 1, last < EnvironmentLimits.mostPages,
      fileSize >= (last + 1) * UInt64(newest.pageSize)
    else {
      throw .damaged(
        "data.mdb has \(fileSize) bytes, but its last page is number \(last): the file was cut off")
    }
  }
}
