import Platform
package import SessionModel
package import StateStore

/// A stand-in for the task that owns a state: it changes keys, gathers checkpoints as the task does
/// and knows by plain dictionaries what the state must hold.
package final class TestTask {
  package static let identity = JobIdentity(
    job: "visits", fingerprint: Fingerprint(topic: "visits", gap: 300 * Microseconds.perSecond))

  package let directory: String
  private var opened: StateStore?
  package var store: StateStore { opened! }
  package private(set) var ledger = SegmentLedger()
  /// What the state must hold.
  package var records: [KeyHash: SessionRecord] = [:]
  private var places: [KeyHash: RecordPlace] = [:]
  private var changed: Set<KeyHash> = []
  package private(set) var draft = CheckpointDraft(checkpoint: 1)
  package var state = CheckpointState()

  private let options: StateOptions

  package init(_ directory: String, options: StateOptions = StateOptions()) throws {
    self.directory = directory
    self.options = options
    try open()
  }

  /// Closes the store and opens it again; everything known comes from the state then.
  package func reopen() throws {
    close()
    try open()
  }

  package func close() { opened = nil }

  private func open() throws {
    opened = try StateStore.open(
      directory: directory, identity: TestTask.identity, options: options)
    state = store.recovered
    draft = CheckpointDraft(checkpoint: state.checkpoint + 1)
    (places, ledger) = try TestTask.recover(store)
    changed = []
    records = [:]
    for (hash, place) in places {
      records[hash] = try store.withRecord(place, hash: hash) { SessionRecord(packed: $0) }
    }
  }

  /// Reads the log as the task does: newest first, the first entry of a key decides.
  package static func recover(_ store: StateStore) throws -> ([KeyHash: RecordPlace], SegmentLedger)
  {
    var newest: [KeyHash: RecordPlace] = [:]
    try store.forEachHeader { entry in
      if newest[entry.hash] == nil { newest[entry.hash] = entry.place }
    }
    let live = newest.filter { !$0.value.isNone }
    var ledger = store.recoveredLedger
    for place in live.values { ledger.add(place) }
    return (live, ledger)
  }

  package func set(_ record: SessionRecord, for hash: KeyHash) {
    records[hash] = record
    changed.insert(hash)
  }

  package func remove(_ hash: KeyHash) {
    records[hash] = nil
    changed.insert(hash)
  }

  package func place(of hash: KeyHash) -> RecordPlace? { places[hash] }

  /// Appends what changed, finishes the draft and commits it.
  @discardableResult
  package func checkpoint() throws -> CheckpointState {
    for hash in inOrder(changed) { append(hash) }
    changed = []
    cleanIfDue()
    ledger.finish(draft)
    draft.state = state
    draft.state.counters.sessionsClosed += UInt64(draft.rows.count)
    draft.state.counters.botSessions += UInt64(draft.bots.count)
    state = try store.commit(draft)
    draft = CheckpointDraft(checkpoint: state.checkpoint + 1)
    return state
  }

  private func append(_ hash: KeyHash) {
    let old = places.removeValue(forKey: hash) ?? .none
    if let record = records[hash] {
      var packed: [UInt8] = []
      record.append(to: &packed)
      let least = record.sessions.map(\.last.time).min()!
      let place = packed.withUnsafeBytes {
        draft.append(hash: hash, payload: $0, leastLast: least)
      }
      ledger.add(place)
      places[hash] = place
    } else if !old.isNone {
      draft.appendTombstone(hash: hash)
    }
    ledger.retire(old)
  }

  private func cleanIfDue() {
    guard let segment = ledger.segmentToClean else { return }
    let due = places.filter { $0.value.checkpoint == segment && segment < draft.checkpoint }
    for hash in inOrder(due.keys) { append(hash) }
  }

  /// The same order in every process, so that states made alike are alike.
  private func inOrder(_ hashes: some Sequence<KeyHash>) -> [KeyHash] {
    hashes.sorted { ($0.high, $0.low) < ($1.high, $1.low) }
  }
}

/// Sessions, rows and records made up from small numbers.
package enum Sample {
  package static func hash(_ number: Int) -> KeyHash {
    // Spread over all groups, as a hash is.
    KeyHash(
      high: UInt64(number) &* 0x9E37_79B9_7F4A_7C15, low: UInt64(number) &* 0xD1B5_4A32_D192_ED03)
  }

  package static func record(
    _ number: Int, time: Microseconds, sessions: Int = 1, urlBytes: Int = 40
  ) -> SessionRecord {
    let list = (0..<sessions).map { index in
      let start = time + Microseconds(index) * 1_000 * Microseconds.perSecond
      var session = Session(
        first: EventPoint(time: start, partition: 1, offset: Int64(number)),
        last: EventPoint(time: start + 7, partition: 2, offset: Int64(number) + 1),
        eventCount: UInt64(number), firstSeenCheckpoint: 1)
      session.landingURL = [UInt8](
        repeating: UInt8(ascii: "a") + UInt8(index % 26), count: urlBytes)
      session.exitURL = Array("/exit".utf8)
      session.pageViews = UInt64(number)
      session.pages = PageSet((0..<(number * 7 % 70)).map { UInt64($0) })
      return session
    }
    return SessionRecord(
      userID: Array("user-\(number)".utf8), ip: Array("10.0.0.1".utf8), sessions: list)
  }

  package static func position(_ number: Int) -> RowPosition {
    let word = UInt64(number)
    return RowPosition(
      sessionEnd: Microseconds(number) * 10, sessionID: SessionID(words: (word, 1, 2, word)))
  }

  package static func appendRow(_ number: Int, textBytes: Int = 30, to batch: inout RowBatch) {
    let text = [UInt8](repeating: UInt8(ascii: "t"), count: textBytes)
    let position = position(number)
    batch.append { bytes in
      text.withUnsafeBytes { text in
        SessionRow.append(
          id: position.sessionID, start: position.sessionEnd - 5, end: position.sessionEnd,
          eventCount: UInt64(number), texts: { $0 == .city ? nil : text }, to: &bytes)
      }
    }
  }

  package static func side(_ number: Int, payloadBytes: Int = 100) -> SideRecord {
    SideRecord(
      partition: Int32(number % 4), offset: Int64(number), reason: 3, field: 2,
      recordTime: 77, eventTime: 5, watermark: 9, valueLength: Int64(payloadBytes),
      payload: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: payloadBytes))
  }
}

extension StateStore {
  /// The numbers (`Sample.position`) of all rows in the outbox.
  package func outboxNumbers() throws -> [Int] {
    let batch = try readOutbox(after: nil, maxRows: .max, maxBytes: .max)
    var numbers: [Int] = []
    batch.forEachEncoded { numbers.append(Int(SessionRow(bytes: $0)!.sessionEnd / 10)) }
    return numbers
  }

  package func verify() throws -> [String] { try makeReader().verify() }
}
