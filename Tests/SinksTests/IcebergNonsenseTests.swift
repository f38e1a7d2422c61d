import Glibc
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// A helper process that answers what no request asks for.
@Suite(
  .enabled(if: !IcebergWarehouse.isMissing, Comment(rawValue: IcebergWarehouse.skipMessage)))
struct IcebergNonsenseTests {
  private let home = IcebergHome()
  private let python = DisobedientPython()
  private let first = SampleRows.batch(0..<10)
  private let second = SampleRows.batch(10..<30)

  private func open(_ sink: any Sink, _ claim: SinkClaim) throws(SinkError) -> RowPosition? {
    try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: claim, adopt: false)
  }

  @Test(arguments: [
    "channel.sendall(struct.pack('<I', 2**32 - 1))",
    "channel.sendall(struct.pack('<II', 1, 2**32 - 1))",
    "channel.sendall(struct.pack('<III', 2, 2**30, 1) + bytes(2**20)); os._exit(1)",
    "honest(channel, [])", "honest(channel, [b'', b''])", "honest(channel, [b'done'])",
    "honest(channel, [b'what', b'\\xff' * 1000])", "honest(channel, message[:1])",
    "honest(channel, [b'committed', b''])", "honest(channel, message * 2)",
    "channel.shutdown(socket.SHUT_WR)",
  ])
  func `nonsense for an answer to a commit is an error, and the table says what became of it`(
    _ answer: String
  ) throws {
    let helper = python.makeHelper()
    let sink = home.makeSink(helper)
    #expect(try open(sink, .first) == nil)
    try sink.write(after: nil, rows: first)
    let victim = try #require(helper.processIdentifier)
    try python.answerOnce(answer)
    let error = failure { () throws(SinkError) in
      try sink.write(after: first.lastPosition, rows: second)
    }
    #expect(error?.kind == "unavailable", "\(String(describing: error))")
    if !answer.contains("_exit") {
      #expect(error?.description.contains("stay in the state") == true, "\(error!)")
    }
    #expect(kill(victim, 0) != 0, "the helper that lost its way is gone")
    // It had done what it was asked for.
    let held = try open(sink, .again)
    #expect(held == second.lastPosition)
    try sink.write(after: held, rows: SampleRows.batch(30..<31))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<31)))
  }

  @Test(arguments: [
    "[b'table']", "message[:-1]", "message + [b'']", "[b'missing', b'?']", "[b'no such thing']",
  ])
  func `nonsense for a table is an error that passes`(_ answer: String) throws {
    let sink = home.makeSink(python.makeHelper())
    _ = try open(sink, .first)
    try sink.write(after: nil, rows: first)
    try python.answerOnce("honest(channel, \(answer))")
    let error = failure { () throws(SinkError) in _ = try open(sink, .again) }
    #expect(error?.kind == "unavailable", "\(String(describing: error))")
    #expect(try open(sink, .again) == first.lastPosition)
  }

  @Test(arguments: [
    "message[:-1]", "[b'rows', b'x'] + message[2:]", "[b'rows', b'11'] + message[2:]",
    "[b'rows', b'-1'] + message[2:]", "[b'rows', b'9' * 18] + message[2:]",
    // The first column's offsets, then its texts.
    "message[:3] + [message[3][::-1]] + message[4:]", "message[:4] + [b''] + message[5:]",
    "[b'end', b'?']",
  ])
  func `nonsense for rows is an error, not a shorter table`(_ answer: String) throws {
    let helper = python.makeHelper()
    let sink = home.makeSink(helper)
    _ = try open(sink, .first)
    try sink.write(after: nil, rows: first)
    #expect(try home.arrived(helper).count == 10)
    try python.answerOnce("honest(channel, \(answer))")
    #expect(throws: SinkError.self) { try home.arrived(helper) }
    #expect(try home.arrived(helper) == SampleRows.lines(first))
  }

  @Test func `nonsense for a greeting is a wrong environment`() throws {
    try python.answerOnce("channel.sendall(struct.pack('<I', 2**32 - 1))")
    let error = failure { () throws(SinkError) in
      _ = try open(home.makeSink(python.makeHelper()), .first)
    }
    #expect(error?.kind == "unsuitable", "\(String(describing: error))")
    #expect(error?.description.contains("`sojourn iceberg-setup`") == true)
  }
}
