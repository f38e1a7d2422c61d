import SessionModel
import StateStore
import TestSupport
import Testing

/// What the state keeps of rows that have left it.
@Suite struct RowTotalsTests {
  let directory = TemporaryDirectory()

  /// Rows of several dates, at random over the checkpoints.
  private func append(
    _ number: Int, host: String? = "h", city: String? = nil, to batch: inout RowBatch
  ) {
    let end = Microseconds(number) * 3_600 * .perSecond + 1
    let texts: [RowText: [UInt8]] = [
      .host: host.map { Array($0.utf8) }, .city: city.map { Array($0.utf8) },
    ].compactMapValues { $0 }
    let bytes = Array((texts[.host] ?? []) + (texts[.city] ?? []))
    let hostBytes = texts[.host]?.count ?? 0
    bytes.withUnsafeBytes { bytes in
      batch.append {
        SessionRow.append(
          id: SessionID(words: (UInt64(number), 1, 2, 3)), start: end - 1, end: end, eventCount: 1,
          texts: {
            switch $0 {
            case .host where host != nil: TextView(rebasing: bytes[..<hostBytes])
            case .city where city != nil: TextView(rebasing: bytes[hostBytes...])
            default: nil
            }
          }, to: &$0)
      }
    }
  }

  private func digest(host: String?, city: String? = nil) -> RowDigest {
    var batch = RowBatch()
    append(1, host: host, city: city, to: &batch)
    var digest: RowDigest?
    batch.forEachRow { digest = RowDigest($0) }
    return digest!
  }

  @Test func `every row that ever entered the outbox counts on its date`() throws {
    let task = try TestTask(directory.path)
    for first in stride(from: 1, to: 100, by: 9) {
      for number in first..<(first + 9) { append(number, to: &task.draft.rows) }
      if first > 50 { task.draft.removeOutboxUpTo = task.state.newestRow }
      try task.checkpoint()
    }
    try task.reopen()
    let ledger = try task.store.makeReader().rowLedger()
    #expect(
      ledger.dates.map { "\($0.key): \($0.value.rows)" }.sorted() == [
        "0: 23", "1: 24", "2: 24", "3: 24", "4: 4",
      ])
    #expect(ledger.outbox.count == 9)
    #expect(try task.store.verify() == [])
  }

  @Test func `totals do not depend on the order of rows or on checkpoints`() throws {
    var totals: [[UInt32: RowTotals]] = []
    for size in [1, 7, 60] {
      let place = TemporaryDirectory()
      let task = try TestTask(place.path)
      for number in 1...60 {
        append(number, to: &task.draft.rows)
        if number % size == 0 { try task.checkpoint() }
      }
      try task.checkpoint()
      totals.append(try task.store.makeReader().rowLedger().dates)
    }
    #expect(totals[0] == totals[1] && totals[1] == totals[2])
    var ascending = RowTotals()
    var descending = RowTotals()
    let digests = ["a", "b", "c"].map { digest(host: $0) }
    for digest in digests { ascending.add(digest) }
    for digest in digests.reversed() { descending.add(digest) }
    #expect(ascending == descending)
  }

  @Test func `a digest tells rows apart by what is fixed at close, and by nothing else`() {
    #expect(digest(host: "a") != digest(host: "b"))
    #expect(digest(host: nil) != digest(host: ""))
    #expect(digest(host: "a", city: "Bern") == digest(host: "a", city: nil))
    // What a table stores for a character that it cannot hold.
    #expect(digest(host: "a\u{0}b") == digest(host: "a\u{FFFD}b"))
    #expect(digest(host: "a\u{0}b") != digest(host: "ab"))
  }
}
