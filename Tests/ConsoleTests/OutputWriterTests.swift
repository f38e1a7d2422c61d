import Console
import Glibc
import Platform
import Testing

/// The two ends of a pipe, closed at the end.
private struct Pipe: ~Copyable {
  let reading: Int32
  private(set) var writing: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    (reading, writing) = (ends[0], ends[1])
  }

  /// The reader then comes to an end.
  mutating func closeWriting() {
    if writing >= 0 { close(writing) }
    writing = -1
  }

  deinit {
    close(reading)
    if writing >= 0 { close(writing) }
  }
}

@Test func `everything written arrives, in order`() throws {
  let pipe = try Pipe()
  var writer = OutputWriter(descriptor: pipe.writing)
  try writer.write("one ")
  try writer.write(Array("two".utf8))
  try writer.flush()
  var bytes = [UInt8](repeating: 0, count: 100)
  let count = read(pipe.reading, &bytes, bytes.count)
  #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "one two")
}

@Test func `more than a pipe holds is written while a reader takes it`() throws {
  var pipe = try Pipe()
  try #require(fcntl(pipe.writing, F_SETFL, O_NONBLOCK) == 0)
  let total = 300_000
  let reading = pipe.reading
  let received = Monitor(0)
  let reader = try WorkerThread("reader") {
    var bytes = [UInt8](repeating: 0, count: 10_000)
    var all = 0
    while true {
      let count = read(reading, &bytes, bytes.count)
      if count <= 0 { break }
      all += count
    }
    let count = all
    received.change { $0 = count }
  }
  var writer = OutputWriter(descriptor: pipe.writing)
  for _ in 0..<300 { try writer.write([UInt8](repeating: 7, count: 1_000)) }
  try writer.flush()
  pipe.closeWriting()
  reader.join()
  #expect(received.read { $0 } == total)
}

@Test func `a reader that went away is told apart from an error`() throws {
  Standard.ignoreBrokenPipes()
  var ends: [Int32] = [0, 0]
  try #require(pipe(&ends) == 0)
  close(ends[0])
  defer { close(ends[1]) }
  #expect(throws: OutputError.closed) { try write("x", to: ends[1]) }
}

@Test func `a full disk is an error with its reason`() throws {
  let full = try FileDescriptor.open("/dev/full", O_WRONLY)
  let number = full.number
  #expect(throws: OutputError.failed(SystemError("write", "standard output", code: ENOSPC))) {
    try write("x", to: number)
  }
}

private func write(_ text: String, to descriptor: Int32) throws(OutputError) {
  var writer = OutputWriter(descriptor: descriptor)
  try writer.write(text)
  try writer.flush()
}
