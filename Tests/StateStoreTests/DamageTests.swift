import Glibc
import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

/// Flipped bits and cut files: found and named, never read as data.
@Suite struct DamageTests {
  let directory = TemporaryDirectory()
  var file: String { directory.path + "/data.mdb" }

  /// A state with something in every database; returns the file's bytes.
  private func makeState() throws -> [UInt8] {
    let task = try TestTask(directory.path)
    for round in 1...3 {
      for number in 1...20 {
        task.set(
          Sample.record(number + round * 10, time: Microseconds(round)),
          for: Sample.hash(number + round * 10))
        Sample.appendRow(round * 100 + number, to: &task.draft.rows)
      }
      task.draft.late = [Sample.side(round)]
      task.draft.rejected = [Sample.side(round + 10)]
      // Of other lengths than the rows in the outbox, so that their bytes are not there.
      Sample.appendRow(round, textBytes: 31 + round, to: &task.draft.bots)
      task.state.partitions = [PartitionProgress(partition: 1, nextOffset: Int64(round))]
      try task.checkpoint()
    }
    task.close()
    return try written()
  }

  /// The file up to its last byte that is not zero: behind it is only room.
  private func written() throws -> [UInt8] {
    let bytes = try Files.read(file)
    return Array(bytes[...(bytes.lastIndex { $0 != 0 } ?? 0)])
  }

  /// Flips bits of one byte, for as long as `body` runs.
  private func flipping(
    _ place: Int, _ bits: UInt8, _ body: () throws -> Void
  ) throws {
    let descriptor = try FileDescriptor.open(file, O_RDWR)
    var byte: UInt8 = 0
    #expect(pread(descriptor.number, &byte, 1, place) == 1)
    byte ^= bits
    #expect(pwrite(descriptor.number, &byte, 1, place) == 1)
    defer {
      byte ^= bits
      pwrite(descriptor.number, &byte, 1, place)
    }
    try body()
  }

  /// Where values of each kind stand in the file, found by bytes that only they hold.
  private func places(of needle: [UInt8], in bytes: [UInt8]) -> [Int] {
    guard bytes.count >= needle.count else { return [] }
    return bytes.withUnsafeBytes { all in
      (0...(all.count - needle.count)).filter { start in
        all[start] == needle[0] && memcmp(all.baseAddress! + start, needle, needle.count) == 0
      }
    }
  }

  /// Whether the state is refused as damaged; else it must tell exactly what it should.
  private func isRefused(or expected: StateContent) throws -> Bool {
    do {
      #expect(try StateContent(TestTask(directory.path)) == expected)
      return false
    } catch let error as StateError {
      #expect(error.exitCode == .corruptState)
      #expect(error.description.contains(directory.path))
      return true
    }
  }

  @Test(arguments: [
    ("a record's text", Array("user-25".utf8), 0), ("a row's text", Array("tttttttt".utf8), 0),
    ("the job's name", Array("visits".utf8), 0), ("a counter", Array("sessions_closed".utf8), 15),
    ("a counter's name", Array("records_read".utf8), 3),
    ("a late record", [UInt8](repeating: 2, count: 100), 50),
    ("a rejected record", [UInt8](repeating: 13, count: 100), 99),
    ("a bot's row", [34, 0] + [UInt8](repeating: UInt8(ascii: "t"), count: 34), 20),
  ])
  func `a flipped bit in a value is found and never read as data`(
    what: String, needle: [UInt8], shift: Int
  ) throws {
    let sound = try makeState()
    let expected = try StateContent(TestTask(directory.path))
    let found = places(of: needle, in: sound)
    try #require(!found.isEmpty, "\(what) is in the file")
    var refused = 0
    var random = RandomNumbers(seed: 1)
    for place in found.shuffled(using: &random).prefix(40) {
      for bit in [0, 5] {
        try flipping(place + shift, 1 << bit) {
          // Old versions of pages are in the file, too: a flip there changes nothing.
          if try isRefused(or: expected) { refused += 1 }
        }
      }
    }
    #expect(refused >= 2, "\(what) in use was hit")
  }

  @Test func `a flipped bit anywhere in the log of sessions is found`() throws {
    let sound = try makeState()
    let task = try TestTask(directory.path)
    let expected = try StateContent(task)
    let hash = Sample.hash(25)
    var packed: [UInt8] = []
    expected.records[hash]!.append(to: &packed)
    task.close()
    // The envelope's 28 bytes and the record: any bit of it.
    // LMDB leaves old bytes in the unused parts of pages: the record is where its envelope is.
    let hashBytes = withUnsafeBytes(of: hash.high.littleEndian) { Array($0) }
    let start = try #require(
      places(of: packed, in: sound).map { $0 - 28 }
        .first { sound[($0 + 12)..<($0 + 20)].elementsEqual(hashBytes) })
    var random = RandomNumbers(seed: 7)
    for _ in 0..<60 {
      try flipping(start + random.below(28 + packed.count), 1 << UInt8(random.below(8))) {
        let refused = try isRefused(or: expected)
        #expect(refused)
      }
    }
    // Entries of the headers: hash, time, place.
    let entries = places(of: hashBytes, in: sound).filter { place in
      sound[(place + 34 - 10)..<(place + 34 - 6)].contains { $0 != 0 }
    }
    try #require(!entries.isEmpty)
    var refused = 0
    for entry in entries {
      for byte in 0..<34 {
        try flipping(entry + byte, 0x10) { if try isRefused(or: expected) { refused += 1 } }
      }
    }
    #expect(refused >= 34)
  }

  @Test func `a row that a damaged tree page hides is missed`() throws {
    let sound = try makeState()
    let expected = try StateContent(TestTask(directory.path))
    func short(_ place: Int) -> Int { Int(sound[place]) | Int(sound[place + 1]) << 8 }
    var refused = 0
    for page in stride(from: 2 * 4_096, to: sound.count - 4_096, by: 4_096) {
      // LMDB's page: u16 flags at 10, 2 for a leaf; u16 at 12, where the list of u16 offsets of
      // its entries ends that begins at 16; in an entry, u16 at 6 is the length of its key.
      let (flags, end) = (short(page + 10), short(page + 12))
      guard flags == 2, end > 18, short(page + short(page + 16) + 6) == 40 else { continue }
      try flipping(page + 12, UInt8((end ^ (end - 2)) & 0xFF)) {
        if try isRefused(or: expected) { refused += 1 }
      }
    }
    #expect(refused >= 8)
  }

  @Test func `pages of an older checkpoint in a newer state are found`() throws {
    let task = try TestTask(directory.path)
    for offset: Int64 in [0x5A11, 0x5A22] {
      task.state.partitions = [PartitionProgress(partition: 1, nextOffset: offset)]
      try task.checkpoint()
    }
    task.close()
    // The partition's row of checkpoint 1 is sound by itself, but not that of checkpoint 2.
    let bytes = try Files.read(file)
    func row(_ byte: UInt8) -> [Int] { places(of: [1, byte, 0x5A, 0, 0, 0, 0, 0, 0], in: bytes) }
    let length = 1 + 8 + 8 + 1 + 8 + 2 + 8
    let old = try #require(row(0x11).first)
    var broken = bytes
    for place in row(0x22) {
      broken.replaceSubrange(place..<(place + length), with: bytes[old..<(old + length)])
    }
    try Files.replace(file, with: broken)
    let error = #expect(throws: StateError.self) { try TestTask(directory.path) }
    #expect(error?.exitCode == .corruptState)
    #expect(error?.description.contains("partitions") == true)
  }

  @Test func `a file cut off anywhere is refused, not mapped`() throws {
    let last = try makeState().count
    var lengths = Array(stride(from: 0, to: last - 2 * 4_096, by: 1_999))
    lengths += [1, 4_095, 4_096, 8_191, 8_192]
    for length in lengths.sorted(by: >) {
      #expect(truncate(file, length) == 0)
      for attempt in [
        { _ = try TestTask(directory.path) },
        { _ = try StateReader.open(directory: directory.path) },
      ] {
        let error = #expect(throws: StateError.self) { try attempt() }
        #expect(error?.exitCode == .corruptState)
      }
    }
  }

  @Test(arguments: [16, 20, 40, 41, 80, 128, 137, 140, 144, 145])
  func `a damaged meta page is found before anything is mapped`(offset: Int) throws {
    _ = try makeState()
    let expected = try StateContent(TestTask(directory.path))
    var refused = 0
    for page in 0..<2 {
      for flip: UInt8 in [0x80, 0x40] {
        // The older meta page is not in use.
        try flipping(page * 4_096 + offset, flip) { refused += try isRefused(or: expected) ? 1 : 0 }
      }
    }
    #expect(refused >= 1)
  }
}
