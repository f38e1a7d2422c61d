import Glibc
import Platform
package import SessionModel

/// Files of one record a line as a source: one partition, 0, whose offset is the byte over all files
/// in the order given. Always bounded: it ends where the files ended at `open`.
///
/// A line ends at a newline or at its file's end; a carriage return before it stays. Lines that are
/// empty or white space are no records. A resumed run reads the beginning again and compares its
/// digest: the files may have grown at the end, nothing else.
package final class FileSource: EventSource {
  /// Read at a time; several times the longest record, so that copying rests of lines costs little.
  private static let bufferBytes = 4 * Limits.recordBytes
  private static let batchRecords = 2_000

  private let paths: [String]
  private var files: FileSequence?
  private var stop: Int64 = 0
  private var digest = PrefixDigest()
  private let buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: bufferBytes, alignment: 64)
  /// What of the buffer has not been delivered yet.
  private var rest = 0..<0
  /// The offset behind everything delivered.
  private var position: Int64 = 0
  private let records = UnsafeMutablePointer<SourceRecord>.allocate(capacity: batchRecords)
  private var count = 0
  private var isFinished = false
  private var wantsEnd = false
  private var isHeld = false
  private let wakeUp: WakeUp

  /// - Parameter paths: in the order in which they are read.
  /// - Throws: `SourceError.unavailable` where the process has no file descriptor left.
  package init(paths: [String]) throws(SourceError) {
    self.paths = paths
    do throws(SystemError) { wakeUp = try WakeUp() } catch {
      throw .unavailable("cannot prepare to read files: \(error)")
    }
  }

  deinit {
    buffer.deallocate()
    records.deallocate()
  }

  // MARK: Opening

  package func open(
    resume: [PartitionProgress], maxWait: Microseconds
  ) throws(SourceError) -> [PartitionStart]? {
    precondition(files == nil, "a source is opened once")
    if paths.isEmpty { throw .configuration("no input file is given") }
    let files = try FileSequence(paths)
    stop = files.total
    if let progress = resume.first(where: { $0.partition == 0 }) {
      try verify(files, progress)
      position = progress.nextOffset
    }
    self.files = files
    return [PartitionStart(partition: 0, nextOffset: position, stopOffset: stop)]
  }

  /// Reads what an earlier run had read, and compares.
  private func verify(
    _ files: FileSequence, _ progress: PartitionProgress
  ) throws(SourceError) {
    let next = progress.nextOffset
    let choice =
      "The state is unchanged. Give the same files in the same order (they may have grown at the "
      + "end), or begin anew with another --state directory."
    if next > stop {
      throw .inputLost(
        "the input files hold \(stop) bytes, but \(next) had been read of them. \(choice)")
    }
    var last: UInt8?
    while files.position < next {
      let left = Int(min(Int64(buffer.count), next - files.position))
      let read = try files.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<left]))
      digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
      last = buffer[read - 1]
    }
    if next > 0 && digest.proof != progress.proof {
      let names = files.files.filter { $0.start < next }.map(\.path).joined(separator: ", ")
      throw .inputLost(
        "the first \(next) bytes of the input are not those that had been read; they now lie in "
          + "\(names). \(choice)")
    }
    let grown = files.files.first { $0.start < next && next < $0.end }
    if let grown, last != UInt8(ascii: "\n") {
      throw .inputLost(
        "\(grown.path) had been read to its end, which had no newline, and that last line has grown "
          + "since: its record is incomplete. \(choice)")
    }
  }

  // MARK: Reading

  package func nextBatch(maxWait: Microseconds) throws(SourceError) -> RecordBatch? {
    if isFinished || isHeld || files == nil {
      // Nothing comes by itself any more: what is waited for is being woken.
      wakeUp.wait(timeout: maxWait)
      return nil
    }
    count = 0
    let start = position
    takeLines()
    if count == 0 {
      try fill()
      takeLines()
      if count == 0 && files!.position - position > Int64(Limits.recordBytes) {
        try takeLongLine()
      }
    }
    isFinished = position == stop
    if count == 0 && position == start && !isFinished { return nil }
    return RecordBatch(
      partition: 0, records: UnsafeBufferPointer(start: records, count: count),
      position: position, reachedStop: isFinished)
  }

  /// Brings in more of the present file, or of the next once this one is used up.
  private func fill() throws(SourceError) {
    buffer.baseAddress!.copyMemory(
      from: buffer.baseAddress! + rest.lowerBound, byteCount: rest.count)
    rest = 0..<rest.count
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[rest.upperBound...])
    rest = 0..<(rest.count + (try files!.read(into: room)))
  }

  /// Whether the buffer's last byte is the last of its file.
  private var endsFile: Bool {
    let place = files!.position
    return files!.files.contains { $0.end == place }
  }

  /// Delivers the whole lines in the buffer, and its last one if the file ends there.
  private func takeLines() {
    let begin = rest.lowerBound
    let isLast = !rest.isEmpty && endsFile
    while count < Self.batchRecords && !rest.isEmpty {
      let start = buffer.baseAddress! + rest.lowerBound
      var length = rest.count
      if let newline = memchr(start, Int32(UInt8(ascii: "\n")), length) {
        length = UnsafeMutableRawPointer(mutating: newline) - start
        add(UnsafeRawBufferPointer(start: start, count: length), length: length)
        length += 1
      } else if isLast {
        add(UnsafeRawBufferPointer(start: start, count: length), length: length)
      } else {
        break
      }
      rest = rest.lowerBound + length..<rest.upperBound
      position += Int64(length)
    }
    digest.update(UnsafeRawBufferPointer(rebasing: buffer[begin..<rest.lowerBound]))
  }

  private func add(_ line: UnsafeRawBufferPointer, length: Int) {
    if line.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) { return }
    (records + count).initialize(
      to: SourceRecord(offset: position, timestamp: .never, value: line, valueLength: length))
    count += 1
  }

  /// Delivers the beginning of a line that is longer than any record may be, and reads over its rest.
  private func takeLongLine() throws(SourceError) {
    let start = position
    let kept = Limits.keptPayloadBytes
    precondition(rest.lowerBound == 0 && rest.count > kept, "fill() moved the line to the front")
    let end = files!.end(ofFileAt: start)
    var isWhole = false
    var searched = 0..<rest.upperBound
    while !isWhole {
      let part = UnsafeRawBufferPointer(rebasing: buffer[searched])
      let newline = part.firstIndex(of: UInt8(ascii: "\n"))
      let used = newline.map { $0 + 1 } ?? part.count
      digest.update(UnsafeRawBufferPointer(rebasing: part[..<used]))
      position += Int64(used)
      rest = searched.lowerBound + used..<searched.upperBound
      isWhole = newline != nil || position == end
      if isWhole {
        let length = Int(position - start) - (newline == nil ? 0 : 1)
        (records + count).initialize(
          to: SourceRecord(
            offset: start, timestamp: .never,
            value: UnsafeRawBufferPointer(rebasing: buffer[..<kept]), valueLength: length))
        count += 1
      } else {
        // The beginning stays at the front of the buffer; the rest is read over what lies behind.
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[kept...])
        searched = kept..<(kept + (try files!.read(into: room)))
      }
    }
  }

  // MARK: Questions and answers

  package func setHeld(_ held: Bool, partition: Int32) { isHeld = held }

  package func progress(of partition: Int32) -> (nextOffset: Int64, proof: [UInt8]) {
    (position, digest.proof)
  }

  package func hasQueued(_ partition: Int32) -> Bool { !isFinished }

  package func isAtEnd(_ partition: Int32) -> Bool { isFinished }

  package func requestEnds(of partitions: [Int32]) { wantsEnd = true }

  package func takeEnds() -> [PartitionEnd] {
    defer { wantsEnd = false }
    return wantsEnd ? [PartitionEnd(partition: 0, sentAt: Clock.monotonic, end: stop)] : []
  }

  package func takeAddedPartitions() -> [PartitionStart] { [] }

  package func mirror(_ offsets: [(partition: Int32, nextOffset: Int64)]) {}

  package func takeNotices() -> [String] { [] }

  package func wake() { wakeUp.signal() }

  package func close() { files = nil }
}
