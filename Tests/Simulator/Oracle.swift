import SessionModel
import StateStore
import TestSupport

/// What a checkpoint must hold: the naive rules over the same history.
struct Oracle {
  let book: RuleBook
  /// The rows of all closed sessions that sinks get, in order.
  let closed: [[UInt8]]
  /// The rows of those that are dropped as bots'.
  private let bots: [[UInt8]]
  /// Both, in order.
  private let all: [[UInt8]]
  /// What the open sessions would give.
  let open: [[UInt8]]
  private let mark: History.Mark?
  private let start: History.Start?

  init(
    _ history: History, _ log: SimulatedLog, _ spans: SimulatedLog.Spans, dropsBots: Bool
  ) {
    var book = RuleBook(gap: spans.gap, outOfOrderness: spans.outOfOrderness)
    for operation in history.committedOperations { book.apply(operation, log) }
    self.book = book
    (all, open) = book.rows()
    closed = all.filter { !dropsBots || !SessionRow.isBot(encoded: $0) }
    bots = all.filter { dropsBots && SessionRow.isBot(encoded: $0) }
    mark = history.mark
    start = history.start
  }

  /// Compares an opened state, all of it.
  ///
  /// - Parameter tables: no row may have left the outbox that one of them lacks.
  /// - Returns: the first difference, nil for none.
  func difference(from store: StateStore, tables: [SimulatedTable]) -> String? {
    var differences = Differences()
    let state = store.recovered
    compareWindow(state, &differences)
    compareCounters(state.counters, &differences)
    compareRows(state, tables, &differences)
    compareSinks(state, tables, &differences)
    differences.requireUniqueIDs(all + open)
    do throws(StateError) {
      let reader = try store.makeReader()
      try compareContents(reader, state, &differences)
      differences.require(try reader.verify(), [], "verification")
    } catch {
      return "the state cannot be read: \(error)"
    }
    return differences.first
  }

  private func compareWindow(_ state: CheckpointState, _ differences: inout Differences) {
    differences.require(state.watermark, book.watermark, "watermark")
    differences.require(state.closeLine, book.closeLine, "close line")
    differences.require(
      state.partitions.map(\.maxEventTime), book.partitions.map { $0.greatest ?? .never },
      "greatest event times")
    differences.require(
      state.partitions.map(\.nextOffset), mark?.positions ?? [], "next offsets")
    differences.require(
      state.partitions.map(\.lastRecordTime), book.partitions.map(\.lastTime),
      "last records' times")
    differences.require(state.openSessions, UInt64(open.count), "open sessions")
    differences.require(
      state.counters.sessionsClosed + state.counters.botSessions + state.closingSessions,
      UInt64(all.count), "closed sessions")
  }

  private func compareCounters(_ counters: Counters, _ differences: inout Differences) {
    var expected = book.counters
    // How many rows have entered the outbox, and left it, is compared with the rows.
    expected.sessionsClosed = counters.sessionsClosed
    expected.delivered = counters.delivered
    expected.botSessions = counters.botSessions
    expected.botEvents = counters.botEvents
    func text(_ counters: Counters) -> [String] { counters.named.map { "\($0.name) \($0.value)" } }
    differences.require(text(counters), text(expected), "counters")
    differences.require(
      counters.recordsRead, counters.eventsInSessions + counters.late + counters.rejected,
      "sum of the counters")
  }

  private func compareRows(
    _ state: CheckpointState, _ tables: [SimulatedTable], _ differences: inout Differences
  ) {
    let entered = Int(state.counters.sessionsClosed)
    let left = Int(state.counters.delivered)
    compareBots(state.counters, &differences)
    guard entered <= closed.count, left <= entered else {
      return differences.require(entered, closed.count, "rows that entered the outbox")
    }
    differences.require(state.newestRow, position(of: entered), "newest row")
    differences.require(state.removedUpTo, position(of: left), "newest row that left the outbox")
    for (index, table) in tables.enumerated() {
      let known = state.sinks.first { $0.name == SimulatedTable.name(index) }?.acknowledged
      for (position, what) in [(state.removedUpTo, "removed"), (known, "acknowledged")] {
        guard let position else { continue }
        differences.require(
          table.position.map { position <= $0 }, true, "\(what) rows are in table \(index)")
      }
    }
  }

  /// Rows are made in one order, whether they are dropped or not.
  private func compareBots(_ counters: Counters, _ differences: inout Differences) {
    let made = all.prefix(Int(counters.sessionsClosed + counters.botSessions))
    let dropped = bots.prefix(Int(counters.botSessions))
    differences.require(
      made.count { !closed.contains($0) }, Int(counters.botSessions), "sessions dropped as bots'")
    differences.require(
      counters.botEvents, dropped.reduce(0) { $0 + SessionRow.eventCount(ofEncoded: $1) },
      "events of sessions dropped as bots'")
  }

  /// Of the rows that a sink held when the process claimed it, those that the state did not know of
  /// are skipped, and counted once.
  private func compareSinks(
    _ state: CheckpointState, _ tables: [SimulatedTable], _ differences: inout Differences
  ) {
    for (index, table) in tables.enumerated() {
      let name = SimulatedTable.name(index)
      guard let sink = state.sinks.first(where: { $0.name == name }) else { continue }
      let before = start?.sinks.first { $0.name == name }
      let found = table.claims.first { $0.process == start?.process }?.found
      let derivedAgain = closed.filter { row in
        let position = SessionRow.position(ofEncoded: row)
        guard let found, let acknowledged = sink.acknowledged else { return false }
        let isNew = (before?.acknowledged).map { position > $0 } ?? true
        return isNew && position <= min(found, acknowledged)
      }
      differences.require(
        sink.skipped, (before?.skipped ?? 0) + UInt64(derivedAgain.count),
        "rows skipped for table \(index)")
    }
  }

  private func position(of row: Int) -> RowPosition? {
    row == 0 ? nil : SessionRow.position(ofEncoded: closed[row - 1])
  }

  private func compareContents(
    _ reader: StateReader, _ state: CheckpointState, _ differences: inout Differences
  ) throws(StateError) {
    var outbox: [[UInt8]] = []
    try reader.forEachOutboxRow { row in
      outbox.append(Array(row.bytes))
      return true
    }
    let entered = Int(state.counters.sessionsClosed)
    let left = Int(state.counters.delivered)
    let made = entered + Int(state.counters.botSessions)
    guard left <= entered, entered <= closed.count, made <= all.count else { return }
    differences.require(outbox, Array(closed[left..<entered]), "rows in the outbox")
    var sessions: [[UInt8]] = []
    var ids = SessionIDHasher()
    try reader.forEachRecord { record in
      sessions += record.sessions.map { $0.row(of: record, &ids) }
      return true
    }
    differences.requireSame(sessions, all[made...] + open, "sessions in the state")
    differences.require(try reader.botRows(), Array(bots.prefix(made - entered)), "rows of bots")
    try compareSides(reader, &differences)
  }

  private func compareSides(
    _ reader: StateReader, _ differences: inout Differences
  ) throws(StateError) {
    var late: [String] = []
    try reader.forEachRecord(of: .late) { record in
      late.append(
        "\(record.partition) \(record.offset) \(record.reason) \(record.eventTime) "
          + "\(record.watermark) \(record.payload)")
      return true
    }
    let expectedLate = book.late.map {
      "\($0.partition) \($0.record.offset) \($0.reason.rawValue) \($0.time) \($0.watermark) "
        + "\($0.record.value ?? [])"
    }
    differences.require(late.sorted(), expectedLate.sorted(), "late records")
    var rejected: [String] = []
    try reader.forEachRecord(of: .rejected) { record in
      rejected.append(
        "\(record.partition) \(record.offset) \(record.reason) \(record.field) \(record.valueLength)"
      )
      return true
    }
    let expectedRejected = zip(book.rejected, book.rejectedPartitions).map { record, partition in
      guard case .rejected(let reason, let field) = record.content else { return "an event" }
      return "\(partition) \(record.offset) \(reason.rawValue) \(field?.rawValue ?? 0) "
        + "\(record.value?.count ?? -1)"
    }
    differences.require(rejected.sorted(), expectedRejected.sorted(), "rejected records")
  }
}

/// Collects the first difference.
struct Differences {
  private(set) var first: String?

  mutating func require<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) {
    if first == nil, found != expected { first = "\(what): \(found), not \(expected)" }
  }

  /// Compares rows in the same order; the message shows the first that differs.
  mutating func require(_ found: [[UInt8]], _ expected: [[UInt8]], _ what: String) {
    guard first == nil, found != expected else { return }
    let common = zip(found, expected).prefix { $0 == $1 }.count
    first =
      "\(what): \(found.count), not \(expected.count); number \(common + 1) is "
      + "\(Differences.text(found, common)), not \(Differences.text(expected, common))"
  }

  mutating func requireSame(_ found: [[UInt8]], _ expected: [[UInt8]], _ what: String) {
    func sorted(_ rows: [[UInt8]]) -> [[UInt8]] {
      rows.sorted { $0.lexicographicallyPrecedes($1) }
    }
    if found.count != expected.count || found != expected {
      require(sorted(found), sorted(expected), what)
    }
  }

  /// An id stands for one session, whatever clocks decided.
  mutating func requireUniqueIDs(_ rows: [[UInt8]]) {
    let ids = rows.map { SessionRow.position(ofEncoded: $0).sessionID }
    require(Set(ids).count, ids.count, "ids of sessions")
  }

  private static func text(_ rows: [[UInt8]], _ index: Int) -> String {
    guard index < rows.count else { return "none" }
    return rows[index].withUnsafeBytes { bytes in
      guard let row = SessionRow(bytes: bytes) else { return "no row" }
      return "(\(row.position), "
        + "\(row.eventCount) events)"
    }
  }
}

extension Session {
  /// The row that the session gives.
  fileprivate func row(of record: SessionRecord, _ ids: inout SessionIDHasher) -> [UInt8] {
    func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
    let id = record.key.withUnsafeBytes { ids.id(key: $0, start: first.time) }
    let texts: [RowText: String?] = [
      .userID: record.userID.isEmpty ? nil : text(record.userID), .ip: text(record.ip),
      .landingURL: text(landingURL), .exitURL: text(exitURL), .referrer: text(referrer),
      .deviceFamily: text(deviceFamily), .channel: referrer == nil ? "direct" : "referral",
    ]
    var bytes: [UInt8] = []
    withViews(of: texts) { views in
      SessionRow.append(
        id: id, start: first.time, end: last.time, eventCount: eventCount,
        pages: PageCounts(views: pageViews, distinct: UInt64(pages.count)),
        texts: { views[$0] }, to: &bytes)
    }
    return bytes
  }
}

extension SessionRow {
  static func isBot(encoded: [UInt8]) -> Bool {
    encoded.withUnsafeBytes { SessionRow(bytes: $0)!.isBot }
  }

  fileprivate static func eventCount(ofEncoded bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBytes { SessionRow(bytes: $0)!.eventCount }
  }
}
