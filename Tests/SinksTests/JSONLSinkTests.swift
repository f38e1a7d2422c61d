import Glibc
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// What only the JSONL sink can meet.
@Suite struct JSONLSinkTests {
  let home = JSONLHome()

  private func path(_ name: String) -> String { home.path + "/" + name }

  private func openFailure(
    _ sink: any Sink, claim: SinkClaim = .first, adopt: Bool = false
  ) -> SinkError? {
    failure { () throws(SinkError) in
      _ = try sink.open(
        identity: SampleRows.identity, owner: SampleRows.owner(1), claim: claim, adopt: adopt)
    }
  }

  private func asideName(_ name: String) -> String {
    ".tmp-\(SampleRows.owner(1).text)-\(name)"
  }

  /// Writes batches of five rows behind what the sink holds.
  private func write(_ count: Int, to sink: any Sink) throws {
    var held: RowPosition?
    for start in stride(from: 0, to: count * 5, by: 5) {
      let rows = SampleRows.batch(start..<start + 5)
      try sink.write(after: held, rows: rows)
      held = rows.lastPosition
    }
  }

  @Test func `a file's name says its first and last row and sorts as they do`() throws {
    let (sink, _) = try home.open()
    // Ends of 1 to 17 digits, which would not sort as text without zeros in front.
    var held: RowPosition?
    var names: [String] = []
    for digits in 1...17 {
      var rows = RowBatch()
      let end = Microseconds("9" + String(repeating: "0", count: digits - 1))!
      for number in 0..<2 {
        rows.append {
          SampleRows.append(number: digits * 2 + number, start: 0, end: end, texts: [:], to: &$0)
        }
      }
      try sink.write(after: held, rows: rows)
      held = rows.lastPosition
      func part(_ position: RowPosition) -> String {
        let end = "\(position.sessionEnd)"
        return String(repeating: "0", count: 20 - end.count) + end + "-" + position.sessionID.hex
      }
      names.append("sessions-\(part(rows.firstPosition!))--\(part(rows.lastPosition!)).jsonl")
    }
    #expect(try home.fileNames() == names)
    #expect(names.allSatisfy { $0.utf8.count <= 255 })
    #expect(try home.open(2).1 == held)
  }

  @Test func `a crash between a file's rename and _position loses and doubles nothing`() throws {
    let (sink, _) = try home.open()
    try write(1, to: sink)
    let before = try Files.read(path("_position"))
    let rows = SampleRows.batch(5..<10)
    try sink.write(after: SampleRows.batch(0..<5).lastPosition, rows: rows)
    let after = try Files.read(path("_position"))
    for old in [before, nil] {
      if let old {
        try Files.replace(path("_position"), with: old)
      } else {
        try Files.remove(path("_position"))
      }
      #expect(try home.open(2).1 == rows.lastPosition)
      #expect(try Files.read(path("_position")) == after)
    }
  }

  @Test func `readers may take away every file up to _position`() throws {
    let (sink, _) = try home.open()
    try write(3, to: sink)
    for name in try home.fileNames() { try Files.remove(path(name)) }
    let held = SampleRows.batch(0..<15).lastPosition
    try sink.write(after: held, rows: SampleRows.batch(15..<16))
    for name in try home.fileNames() { try Files.remove(path(name)) }
    let (next, position) = try home.open(2)
    #expect(position == SampleRows.batch(0..<16).lastPosition)
    try next.write(after: position, rows: SampleRows.batch(16..<17))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(16..<17)))
  }

  @Test func `what a killed process left aside is removed, and nothing else`() throws {
    let (sink, _) = try home.open()
    try write(2, to: sink)
    let names = try home.fileNames()
    let aside = asideName(names[1])
    let strangers = [".tmp-notes", "README.md", "sessions-2015.jsonl", "sessions-x.jsonl.gz"]
    for name in [aside] + strangers {
      try Files.replace(path(name), with: Array("half a li".utf8))
    }
    #expect(try home.open(2).1 == SampleRows.batch(0..<10).lastPosition)
    let left = Set(try Files.names(in: home.path))
    #expect(left == Set(names + strangers + ["_owner", "_position"]))
  }

  @Test func `a file that cannot be written aside leaves things as they were`() throws {
    let (sink, _) = try home.open()
    try write(2, to: sink)
    let newest = try home.fileNames()[1]
    // The next batch's name is known from a directory with the same rows.
    let twin = JSONLHome()
    try write(3, to: try twin.open().0)
    let next = try twin.fileNames()[2]
    try Files.makeDirectory(path(asideName(next)))
    let held = SampleRows.batch(0..<10).lastPosition
    let error = failure { () throws(SinkError) in
      try sink.write(after: held, rows: SampleRows.batch(10..<15))
    }
    #expect(error?.kind == "unavailable")
    #expect(try home.fileNames().last == newest)
    TemporaryDirectory.remove(path(asideName(next)))
    let position = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
    #expect(position == held)
    try sink.write(after: held, rows: SampleRows.batch(10..<15))
    #expect(try home.export() == twin.export())
  }

  @Test func `a failure after the rename is an unknown outcome that the next opening tells`() throws
  {
    let (sink, _) = try home.open()
    try write(1, to: sink)
    try Files.makeDirectory(path("_position.new"))
    let rows = SampleRows.batch(5..<10)
    let error = failure { () throws(SinkError) in
      try sink.write(after: SampleRows.batch(0..<5).lastPosition, rows: rows)
    }
    #expect(error?.kind == "unavailable")
    #expect(openFailure(sink, claim: .again)?.kind == "unavailable")
    TemporaryDirectory.remove(path("_position.new"))
    let position = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
    #expect(position == rows.lastPosition)
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<10)))
  }

  @Test func `files with the same rows are refused by both names`() throws {
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: SampleRows.batch(0..<10))
    let other = JSONLHome()
    let (otherSink, _) = try other.open()
    try otherSink.write(after: nil, rows: SampleRows.batch(5..<20))
    let copied = try other.fileNames()[0]
    try Files.replace(path(copied), with: try Files.read(other.path + "/" + copied))
    let error = openFailure(home.makeSink(), adopt: true)
    #expect(error?.kind == "unsuitable")
    for name in try home.fileNames() { #expect(error?.description.contains(name) == true) }
  }

  @Test func `the lock of a stopped process is waited for within a bound`() throws {
    let sink = JSONLSink(directory: home.path, lockTimeoutMilliseconds: 30)
    #expect(openFailure(sink) == nil)
    do {
      let owner = try FileDescriptor.open(path("_owner"), O_RDWR)
      #expect(try owner.lock(wait: false))
      let error = failure { () throws(SinkError) in
        try sink.write(after: nil, rows: SampleRows.batch(0..<5))
      }
      #expect(error?.kind == "unavailable")
      owner.unlock()
    }
    // Neither the file nor what was written aside is there.
    #expect(try Files.names(in: home.path) == ["_owner"])
    #expect(openFailure(sink, claim: .again) == nil)
    try sink.write(after: nil, rows: SampleRows.batch(0..<5))
  }

  @Test(arguments: ["", "_", "_owner", "sojourn_jsonl=2\njob=web\nfingerprint=x\n"])
  func `an owner that this program did not write is refused unless it is empty`(
    _ content: String
  ) throws {
    try Files.makeDirectory(home.path)
    try Files.replace(path("_owner"), with: Array(content.utf8))
    #expect(openFailure(home.makeSink())?.kind == (content.isEmpty ? nil : "unsuitable"))
  }

  @Test func `a job's name may hold any character`() throws {
    let identity = JobIdentity(
      job: "100%\n=a\r\nowner=%0A é", fingerprint: SampleRows.identity.fingerprint)
    let sink = home.makeSink()
    for number in UInt8(1)...2 {
      _ = try sink.open(
        identity: identity, owner: SampleRows.owner(number), claim: .first, adopt: false)
    }
    #expect(openFailure(sink)?.kind == "foreign")
  }

  @Test func `the directory is made, the one above it is not`() throws {
    #expect(try home.open().1 == nil)
    let deep = home.directory.path + "/not/there"
    #expect(openFailure(JSONLSink(directory: deep))?.kind == "unavailable")
    #expect(!Files.exists(home.directory.path + "/not"))
    let file = home.directory.path + "/file"
    try Files.replace(file, with: [])
    #expect(openFailure(JSONLSink(directory: file))?.kind == "unsuitable")
  }
}
