import Drill
import SessionModel
import Sinks
import Testing

/// Rows in memory, each given by its second, its id and a page.
private final class MemoryRows: ArrivedRows {
  private var rows: ArraySlice<[UInt8]>

  init(_ rows: [String]) { self.rows = rows.map { Array($0.utf8) }[...] }

  func next() throws(SinkError) -> [UInt8]? { rows.popFirst() }
}

private func row(_ second: Int, _ id: String = "a", page: String = "/") -> String {
  // A text that looks like a member, as a visitor may send it.
  let text = #"\"session_end\":\"2099-01-01T00:00:00.000000Z\""#
  return #"{"session_id":"\#(id)","session_end":"2025-01-01T00:00:0\#(second).000000Z","#
    + #""landing_url":"\#(page)","exit_url":"\#(text)"}"#
}

private func compare(_ drilled: [String], _ uninterrupted: [String]) throws -> RowComparison {
  try RowComparison(drilled: MemoryRows(drilled), uninterrupted: MemoryRows(uninterrupted))
}

@Suite struct ComparisonTests {
  private let rows = [row(1), row(2), row(2, "b"), row(4)]

  @Test func `equal tables are equal, empty ones too`() throws {
    let same = try compare(rows, rows)
    #expect(same.isEqual)
    #expect(same.rows == 4)
    #expect(same.shown.isEmpty)
    #expect(try compare([], []).isEqual)
  }

  @Test(arguments: 0..<4)
  func `a lost row is named`(index: Int) throws {
    var drilled = rows
    let lost = drilled.remove(at: index)
    let found = try compare(drilled, rows)
    #expect(found.lost == 1 && found.added + found.changed + found.misplaced == 0)
    #expect(found.rows == 4)
    #expect(found.shown == [.init(drilled: nil, uninterrupted: lost)])
  }

  @Test(arguments: [0, 3, 5])
  func `an added row is named`(second: Int) throws {
    let extra = row(second)
    let drilled = (rows + [extra]).sorted { end(of: $0) < end(of: $1) }
    let found = try compare(drilled, rows)
    #expect(found.added == 1 && found.lost + found.changed + found.misplaced == 0)
    #expect(found.shown == [.init(drilled: extra, uninterrupted: nil)])
  }

  private func end(of row: String) -> Substring {
    row[row.firstRange(of: #""session_end":""#)!.upperBound...].prefix(27)
  }

  @Test func `a changed row is shown as it is on both sides`() throws {
    var drilled = rows
    drilled[2] = row(2, "b", page: "/other")
    let found = try compare(drilled, rows)
    #expect(found.changed == 1 && found.lost + found.added + found.misplaced == 0)
    #expect(found.shown == [.init(drilled: drilled[2], uninterrupted: rows[2])])
  }

  @Test func `a row that comes twice is misplaced, at once or later`() throws {
    let atOnce = try compare([rows[0], rows[0]] + rows[1...], rows)
    #expect(atOnce.misplaced == 1 && atOnce.lost + atOnce.added + atOnce.changed == 0)
    let later = try compare(rows + [rows[1]], rows)
    #expect(later.misplaced == 1 && later.lost + later.added + later.changed == 0)
    #expect(later.shown == [.init(drilled: rows[1], uninterrupted: nil)])
  }

  @Test func `two rows that changed places are a lost and a misplaced one`() throws {
    let found = try compare([rows[0], rows[2], rows[1], rows[3]], rows)
    #expect(found.misplaced == 1 && found.lost == 1 && found.added + found.changed == 0)
  }

  @Test func `an uninterrupted run out of order is nothing to compare with`() {
    #expect(throws: SinkError.self) { try compare(rows, rows.reversed()) }
  }

  @Test func `many differences are all counted, the first are shown`() throws {
    let many = (0..<10).map { row($0) }
    let found = try compare([], many)
    #expect(found.lost == 10)
    #expect(found.shown.count == 5)
  }
}
