import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

/// Topics that were deleted and made anew between two runs.
@Suite struct LostLogTests {
  private func topic(_ seconds: some Sequence<Int>) throws -> Topic {
    let topic = try Topic(partitions: 2)
    for second in seconds {
      try topic.send(
        event(user: second % 5, at: second * 100), partition: Int32(second % 2))
    }
    try topic.flush()
    return topic
  }

  @Test func `a log that has shrunk stops the run, and is read from its beginning if accepted`()
    throws
  {
    let bench = Workbench()
    let more = bench.sinks + ["--stop-at-end", "--close-all"]
    let old = try topic(0..<40)
    #expect(try bench.run(old.flags + more).ended(.success))
    let before = try bench.dump()
    let rows = TableExport.lines(try TableExport.sqlite(bench.database))

    let new = try topic(100..<106)
    let refused = try bench.run(new.flags + more)
    #expect(refused.ended(.inputLost), "\(refused.messages)")
    for part in [
      "ends at offset 3", "read up to 20", "state is unchanged", "--on-data-loss continue",
    ] {
      #expect(refused.messages.contains(part), "\(refused.messages)")
    }
    #expect(try bench.dump() == before)

    let accepted = try bench.run(new.flags + more + ["--on-data-loss", "continue"])
    #expect(accepted.ended(.success), "\(accepted.messages)")
    #expect(accepted.messages.contains("ends at offset 3"))
    let summary = try bench.look()
    #expect(JSONLine.number("records_read", in: summary) == 46 && isConserved(summary))
    #expect(JSONLine.number("late", in: summary) == 0)
    let after = TableExport.lines(try TableExport.sqlite(bench.database))
    #expect(after.starts(with: rows) && after.count == rows.count + 6)
    #expect(TableExport.lines(try TableExport.jsonl(bench.lines)) == after)
    // From here on it is the log that is read.
    let next = try bench.run(new.flags + more)
    #expect(next.ended(.success), "\(next.messages)")
    #expect(try bench.count("records_read") == 46)
  }
}
