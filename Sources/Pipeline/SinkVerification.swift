import SessionModel
import Sinks
package import StateStore

/// Compares the rows of a sink with what the state knows of them: pure, without I/O.
///
/// Of the rows up to the one that the state knows as acknowledged, those of each session date must
/// be as many as the state has counted, and their digests must have the same sum. Rows behind it
/// were delivered since the last checkpoint: each must be in the outbox. Geography is left out: the
/// log does not decide it.
package struct SinkVerification: ~Copyable {
  /// What was found.
  package struct Report: Equatable, Sendable {
    /// Rows that were compared.
    package var rows: UInt64 = 0
    /// Dates on which they differ, in order.
    package var differences: [Difference] = []
    /// Rows that stand a second time, or behind a row that comes later in the order of rows; looked
    /// for where rows come in that order.
    package var misplaced = Finding()
    /// Rows that this job cannot have written, or that were changed since.
    package var foreign = Finding()
    /// Rows behind the acknowledged one: delivered since the last checkpoint.
    package var ahead: UInt64 = 0
    /// Rows behind the newest one that the state knows: it is older than the sink.
    package var unknown: UInt64 = 0
    /// Rows of dates that were not compared.
    package var passedOver: UInt64 = 0
    /// The first date that was compared, in days since 1970.
    package var since: UInt32 = 0

    package var isEqual: Bool {
      differences.isEmpty && misplaced.rows == 0 && foreign.rows == 0
    }
  }

  /// A date on which sink and state do not agree.
  package struct Difference: Equatable, Sendable {
    /// In days since 1970.
    package var date: UInt32
    /// Rows that the state has delivered, and rows that the sink holds. Where they are as many,
    /// some have other values.
    package var expected: UInt64
    package var found: UInt64
  }

  /// Rows of one kind of fault.
  package struct Finding: Equatable, Sendable {
    package var rows: UInt64 = 0
    /// The first of them, as they stand in the sink.
    package var shown: [String] = []

    fileprivate mutating func add(_ line: [UInt8]) {
      rows += 1
      if shown.count < 10 { shown.append(String(decoding: line, as: UTF8.self)) }
    }
  }

  private let isOrdered: Bool
  private let key: KeyLayout
  /// Rows of the outbox that have not come yet.
  private var outbox: [RowPosition: RowLedger.Row]
  private let newest: RowPosition?
  private let acknowledged: RowPosition?
  private let expected: [UInt32: RowTotals]
  private var found: [UInt32: RowTotals] = [:]
  private var report = Report()
  private var last: RowPosition?
  private var reader: SessionRowReader
  private var joinedKey: [UInt8] = []
  private var hasher = SessionIDHasher()

  /// - Parameters:
  ///   - sink: as `ledger.state` knows it. One that began late is compared from the day behind its
  ///     beginning on.
  ///   - since: dates before this one, in days since 1970, are not compared.
  ///   - isOrdered: as `ArrivedRows` says it.
  package init(
    of sink: SinkProgress, against ledger: RowLedger, since: UInt32, isOrdered: Bool
  ) {
    self.isOrdered = isOrdered
    key = ledger.key
    outbox = ledger.outbox
    newest = ledger.state.newestRow
    reader = SessionRowReader(SessionSchema(key: ledger.key))
    acknowledged = sink.acknowledged
    let began = sink.startedAt.map { UInt32(clamping: $0.sessionEnd / .perDay) + 1 } ?? 0
    report.since = max(since, began)
    var expected = ledger.dates
    for (position, row) in ledger.outbox where sink.acknowledged.map({ position > $0 }) ?? true {
      expected[row.date]?.remove(row.digest)
    }
    self.expected = expected
  }

  /// Takes the sink's next row, in the order of arrival or of positions.
  ///
  /// - Parameter line: as `ArrivedRows` gives it.
  package mutating func add(_ line: [UInt8]) {
    guard let encoded = reader.encodedRow(line) else { return report.foreign.add(line) }
    encoded.withUnsafeBytes { bytes in
      guard let row = SessionRow(bytes: bytes) else { preconditionFailure("just encoded") }
      add(row, line)
    }
  }

  private mutating func add(_ row: SessionRow, _ line: [UInt8]) {
    guard row.sessionDay >= report.since else {
      report.passedOver += 1
      return
    }
    joinedKey.removeAll(keepingCapacity: true)
    key.appendKey(of: row, to: &joinedKey)
    let id = joinedKey.withUnsafeBytes { hasher.id(key: $0, start: row.sessionStart) }
    guard id == row.sessionID else { return report.foreign.add(line) }
    let position = row.position
    if isOrdered, let last, position <= last {
      report.misplaced.add(line)
    } else {
      last = position
    }
    if let acknowledged, position <= acknowledged {
      report.rows += 1
      found[row.sessionDay, default: RowTotals()].add(RowDigest(row))
    } else if outbox.removeValue(forKey: position)?.digest == RowDigest(row) {
      report.ahead += 1
    } else if let newest, position <= newest {
      report.foreign.add(line)
    } else {
      report.unknown += 1
    }
  }

  /// What was found, once every row has been taken.
  package consuming func finish() -> Report {
    let dates = Set(expected.keys).union(found.keys).filter { $0 >= report.since }
    for date in dates.sorted() {
      let (wanted, there) = (expected[date] ?? RowTotals(), found[date] ?? RowTotals())
      if wanted != there {
        report.differences.append(
          Difference(date: date, expected: wanted.rows, found: there.rows))
      }
    }
    return report
  }
}
