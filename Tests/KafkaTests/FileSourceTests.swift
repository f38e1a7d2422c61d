import EventSources
import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

@Suite struct FileSourceTests {
  private let directory = TemporaryDirectory()

  private func write(_ name: String, _ text: String) throws -> String {
    let path = directory.path + "/" + name
    try Files.replace(path, with: Array(text.utf8))
    return path
  }

  private func write(_ files: [String]) throws -> [String] {
    try files.enumerated().map { try write("\($0)", $1) }
  }

  private func readAll(
    _ paths: [String], resume: [PartitionProgress] = []
  ) throws -> (harvest: Harvest, progress: [PartitionProgress]) {
    let source = try FileSource(paths: paths)
    _ = try source.open(resume: resume)
    let harvest = try source.readToStop(partitions: 1)
    return (harvest, source.progress(partitions: 1))
  }

  struct Table: Sendable {
    var files: [String]
    var texts: [String]
    var offsets: [Int64]
  }

  @Test(arguments: [
    Table(files: [""], texts: [], offsets: []),
    Table(files: ["a\nbb\n"], texts: ["a", "bb"], offsets: [0, 2]),
    Table(files: ["a\nbb"], texts: ["a", "bb"], offsets: [0, 2]),
    Table(files: ["a\r\nb\r\n"], texts: ["a\r", "b\r"], offsets: [0, 3]),
    Table(files: ["\n\n a\n \t\r\n\nb\n\n"], texts: [" a", "b"], offsets: [2, 10]),
    Table(files: ["a", "b"], texts: ["a", "b"], offsets: [0, 1]),
    Table(files: ["a\n", "", "b\n"], texts: ["a", "b"], offsets: [0, 2]),
    Table(files: ["", "", "a"], texts: ["a"], offsets: [0]),
    Table(files: ["\n\n"], texts: [], offsets: []),
    Table(files: ["x\n   "], texts: ["x"], offsets: [0]),
  ])
  func `each line is a record at the byte where it begins`(table: Table) throws {
    let (harvest, progress) = try readAll(try write(table.files))
    #expect(harvest.texts(of: 0) == table.texts)
    #expect(harvest.offsets(of: 0) == table.offsets)
    let total = table.files.reduce(0) { $0 + $1.utf8.count }
    #expect(progress.map(\.nextOffset) == [Int64(total)])
    #expect(harvest.positions[0] == Int64(total))
    #expect(harvest.stops[0] == 1)
  }

  @Test func `more lines than a batch or the buffer holds come whole`() throws {
    let lines = (0..<60_000).map { "\($0)-" + String(repeating: "x", count: 150) }
    let (harvest, _) = try readAll([try write("big", lines.joined(separator: "\n"))])
    #expect(harvest.texts(of: 0) == lines)
  }

  @Test(arguments: [1 << 20, (1 << 20) + 1, 4 << 20, (4 << 20) + 1, 9 << 20], [true, false])
  func `a line of any length is one record`(length: Int, endsInNewline: Bool) throws {
    let long = String(repeating: "y", count: length)
    let path = try write("long", "a\n\(long)" + (endsInNewline ? "\nb\n" : ""))
    let source = try FileSource(paths: [path])
    _ = try source.open(resume: [])
    var lengths: [Int] = []
    var kept: [Int] = []
    var isFinished = false
    while !isFinished, let batch = try source.nextBatch(maxWait: 0) {
      lengths += batch.records.map(\.valueLength)
      kept += batch.records.map { $0.value?.count ?? 0 }
      #expect(batch.records.allSatisfy { $0.valueLength == 1 || $0.value?.first == 0x79 })
      isFinished = batch.reachedStop
    }
    #expect(lengths == [1, length] + (endsInNewline ? [1] : []))
    if length <= Limits.recordBytes {
      #expect(kept == lengths)
    } else {
      #expect(kept[1] >= Limits.keptPayloadBytes)
    }
    // The digest covers what was passed over.
    let progress = source.progress(partitions: 1)
    #expect(try readAll([path], resume: progress).harvest.records.isEmpty)
  }

  @Test func `a run resumes behind each batch with the rest, whatever the batch`() throws {
    let lines = (0..<5_000).map { "line \($0)" }
    let paths = try write([
      lines[..<2_500].joined(separator: "\n"), lines[2_500...].joined(separator: "\n"),
    ])
    let source = try FileSource(paths: paths)
    _ = try source.open(resume: [])
    var seen = 0
    var isFinished = false
    while !isFinished, let batch = try source.nextBatch(maxWait: 0) {
      seen += batch.records.count
      isFinished = batch.reachedStop
      let rest = try readAll(paths, resume: source.progress(partitions: 1)).harvest
      #expect(rest.texts(of: 0) == Array(lines[seen...]))
    }
    #expect(seen == 5_000)
  }

  @Test func `files may grow at the end and more may follow`() throws {
    let first = try write("first", "a\nb\n")
    let (_, progress) = try readAll([first])
    _ = try write("first", "a\nb\nc\n")
    let second = try write("second", "d")
    let (harvest, _) = try readAll([first, second], resume: progress)
    #expect(harvest.texts(of: 0) == ["c", "d"])
    #expect(harvest.offsets(of: 0) == [4, 6])
  }

  @Test(arguments: ["a\nX\n", "a\n", "", "b\na\n", "a\nb", "X\nb\nc\n"])
  func `a beginning that changed is noticed`(changed: String) throws {
    let path = try write("file", "a\nb\n")
    let (_, progress) = try readAll([path])
    _ = try write("file", changed)
    guard case .inputLost(let message)? = caught({ _ = try readAll([path], resume: progress) })
    else {
      Issue.record("not noticed")
      return
    }
    #expect(message.contains("--state"))
  }

  @Test func `a last line that was read unfinished and has grown is noticed`() throws {
    let path = try write("file", "a\nb")
    let (_, progress) = try readAll([path])
    _ = try write("file", "a\nbcd\n")
    guard case .inputLost(let message)? = caught({ _ = try readAll([path], resume: progress) })
    else {
      Issue.record("not noticed")
      return
    }
    #expect(message.contains("newline"))
  }

  @Test func `the order of the files is part of the beginning`() throws {
    let paths = try write(["a\n", "b\n"])
    let (_, progress) = try readAll(paths)
    guard case .inputLost? = caught({ _ = try readAll(paths.reversed(), resume: progress) }) else {
      Issue.record("not noticed")
      return
    }
  }

  @Test func `a missing file or a directory is an error of input and output`() throws {
    let good = try write("good", "a\n")
    for bad in [directory.path + "/none", directory.path] {
      guard case .inputOutput(let message)? = caught({ _ = try readAll([good, bad]) }) else {
        Issue.record("\(bad) was accepted")
        continue
      }
      #expect(message.contains(bad))
    }
  }

  @Test func `a file that shrinks while it is read is an error`() throws {
    let path = try write("file", String(repeating: "abc\n", count: 2_000_000))
    let source = try FileSource(paths: [path])
    _ = try source.open(resume: [])
    _ = try source.nextBatch(maxWait: 0)
    let cut = try FileDescriptor.open(path, O_WRONLY | O_TRUNC)
    withExtendedLifetime(cut.number) {}
    let error = caught {
      var harvest = Harvest()
      try source.read(&harvest) { _ in false }
    }
    guard case .inputOutput(let message)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(message.contains("shorter"))
  }
}
