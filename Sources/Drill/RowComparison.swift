import SessionModel
package import Sinks

/// Two tables compared row by row, both in the order in which their rows arrived.
package struct RowComparison: Equatable {
  /// A row that is not the same on both sides; nil where a side has none.
  package struct Difference: Equatable {
    package var drilled: String?
    package var uninterrupted: String?

    package init(drilled: String?, uninterrupted: String?) {
      self.drilled = drilled
      self.uninterrupted = uninterrupted
    }
  }

  /// Rows of the uninterrupted side.
  package private(set) var rows: UInt64 = 0
  /// Rows that the drilled side lacks, has besides, or has with other values.
  package private(set) var lost: UInt64 = 0
  package private(set) var added: UInt64 = 0
  package private(set) var changed: UInt64 = 0
  /// Rows of the drilled side that do not stand behind the row before them: doubled, or out of order.
  package private(set) var misplaced: UInt64 = 0
  /// The first of them.
  package private(set) var shown: [Difference] = []

  package var isEqual: Bool { lost + added + changed + misplaced == 0 }

  /// - Throws: `SinkError` where a side cannot be read, or the uninterrupted one is out of order.
  package init(
    drilled: any ArrivedRows, uninterrupted: any ArrivedRows
  ) throws(SinkError) {
    var mine = try OrderedRows(drilled)
    var theirs = try OrderedRows(uninterrupted)
    while true {
      while mine.isMisplaced {
        misplaced += 1
        show(mine.row, nil)
        try mine.dropRow()
      }
      if theirs.isMisplaced {
        throw .unsuitable(
          "the uninterrupted run's rows are out of order at: \(theirs.row.map(text) ?? "")")
      }
      if mine.row == nil && theirs.row == nil { return }
      try compare(&mine, &theirs)
    }
  }

  private mutating func compare(
    _ mine: inout OrderedRows, _ theirs: inout OrderedRows
  ) throws(SinkError) {
    if theirs.row == nil || (mine.row != nil && mine.position < theirs.position) {
      added += 1
      show(mine.row, nil)
      return try mine.advance()
    }
    rows += 1
    if mine.row == nil || theirs.position < mine.position {
      lost += 1
      show(nil, theirs.row)
      return try theirs.advance()
    }
    if mine.row != theirs.row {
      changed += 1
      show(mine.row, theirs.row)
    }
    try mine.advance()
    try theirs.advance()
  }

  private mutating func show(_ drilled: [UInt8]?, _ uninterrupted: [UInt8]?) {
    guard shown.count < DrillLimits.shownDifferences else { return }
    shown.append(
      Difference(drilled: drilled.map(text), uninterrupted: uninterrupted.map(text)))
  }
}

private func text(_ row: [UInt8]) -> String { String(decoding: row, as: UTF8.self) }

/// A table's rows with their positions; each must stand behind the one before.
private struct OrderedRows {
  private let rows: any ArrivedRows
  /// Nil at the end.
  private(set) var row: [UInt8]?
  /// Session end and id of the row, as they are written: these texts sort as positions do.
  private(set) var position = Position()
  private var previous: Position?

  struct Position: Equatable, Comparable {
    var end = ""
    var id = ""

    static func < (left: Position, right: Position) -> Bool {
      (left.end, left.id) < (right.end, right.id)
    }
  }

  init(_ rows: any ArrivedRows) throws(SinkError) {
    self.rows = rows
    try read()
  }

  var isMisplaced: Bool {
    guard row != nil, let previous else { return false }
    return position <= previous
  }

  mutating func advance() throws(SinkError) {
    previous = position
    try read()
  }

  /// Goes on without the present row.
  mutating func dropRow() throws(SinkError) { try read() }

  private mutating func read() throws(SinkError) {
    row = try rows.next()
    position = Position()
    guard let row else { return }
    position.end = OrderedRows.value(of: SessionColumn.sessionEnd, in: row)
    position.id = OrderedRows.value(of: SessionColumn.sessionID, in: row)
  }

  /// The text of a member whose value needs no escapes; quotes within texts are escaped, so that no
  /// text can look like a member.
  private static func value(of column: SessionColumn, in row: [UInt8]) -> String {
    let key = Array("\"\(column.name)\":\"".utf8)
    var start = 0
    while start + key.count <= row.count {
      if row[start] == key[0], row[start..<(start + key.count)].elementsEqual(key) {
        let rest = row[(start + key.count)...]
        return String(decoding: rest.prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
      }
      start += 1
    }
    return ""
  }
}
