import Glibc

/// Reads whole pages, or the beginning of one, with `pread(2)`: where the disk fails or the file
/// ends, that is an error here and would be a signal in a mapping.
struct PageFile {
  /// Belongs to the environment, which outlives this value.
  let descriptor: Int32
  let pageSize: Int

  func read(
    _ page: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(PageFault) {
    var done = 0
    while done < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress! + done, buffer.count - done, Int(page) * pageSize + done)
      if count == 0 { throw .damaged("the file ends before page \(page) does") }
      if count < 0 && errno != EINTR { throw .unreadable(code: errno) }
      done += max(0, count)
    }
  }

  /// The head of a run of pages that holds a value.
  func readHead(_ page: UInt64) throws(PageFault) -> (number: UInt64, flags: Int, pages: UInt64) {
    var words: (UInt64, UInt64) = (0, 0)
    let bytes = withUnsafeMutableBytes(of: &words) { $0 }
    try read(page, into: bytes)
    return (
      bytes.load(as: UInt64.self),
      Int(bytes.load(fromByteOffset: 10, as: UInt16.self)),
      UInt64(bytes.load(fromByteOffset: 12, as: UInt32.self))
    )
  }
}
