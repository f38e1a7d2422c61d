import Glibc
package import SessionModel

/// Closing sessions and turning them into rows, in the order of the rows.
extension SessionTable {
  /// Closes the sessions with `last < closeLine` and queues them for their rows.
  ///
  /// - Returns: how many it closed.
  @discardableResult
  package func sweep(to closeLine: Microseconds) throws -> Int {
    var closed: [Closing] = []
    // All due buckets are emptied before any slot is armed again, so that none is met twice.
    var due: [(bucket: Int64, slots: [UInt32])] = []
    while let next = buckets.takeBucket(below: closeLine) { due.append(next) }
    var rearmed: [(slot: UInt32, time: Microseconds)] = []
    for (bucket, members) in due {
      for slot in members where slots[Int(slot)].armed == bucket {
        slots[Int(slot)].armed = SessionTable.notArmed
        try close(slot, below: closeLine, into: &closed, rearming: &rearmed)
      }
    }
    for (slot, time) in rearmed { arm(slot, at: time) }
    closed.sort { $0.position < $1.position }
    closing.append(contentsOf: closed)
    sweptTo = max(sweptTo, closeLine)
    openSessions -= UInt64(closed.count)
    return closed.count
  }

  private func close(
    _ slot: UInt32, below closeLine: Microseconds, into closed: inout [Closing],
    rearming: inout [(slot: UInt32, time: Microseconds)]
  ) throws {
    try bring(slot)
    guard let record = slots[Int(slot)].record else { return }
    let key = PackedRecord.key(of: record)
    var place = PackedRecord.firstSession(of: record)
    for _ in 0..<PackedRecord.sessionCount(of: record) {
      let session = record + place
      let last = PackedRecord.lastTime(of: session)
      if last >= closeLine {
        rearming.append((slot, last))
        return
      }
      if last >= sweptTo {
        let id = idHasher.id(key: key, start: PackedRecord.firstTime(of: session))
        closed.append(
          Closing(
            position: RowPosition(sessionEnd: last, sessionID: id), slot: slot, closedAt: now))
        if let expectGeography, let ip = ip(of: session, in: record) { expectGeography(ip, true) }
      }
      place += PackedRecord.sessionLength(session)
    }
  }

  /// Where a row's geography comes from.
  ///
  /// - Parameter closedAt: `now` when the session was closed, or found closed at the start.
  /// - Returns: nil as long as it is not known: the row waits for it, and so do all behind it.
  package typealias GeographyOfRow = (TextView, _ closedAt: Int64) -> Geography?

  /// Writes the rows of the first closed sessions, in order, and takes them out of the table.
  ///
  /// - Parameters:
  ///   - limit: rows at most, those of bots too.
  ///   - rows: gets them.
  ///   - bots: gets those of bots, where they are kept apart.
  ///   - geography: asked for each row until it is known.
  /// - Returns: false if a row waits for its geography.
  @discardableResult
  package func takeRows(
    limit: Int, into rows: inout RowBatch, bots: inout RowBatch,
    geography: GeographyOfRow = { _, _ in Geography() }
  ) throws -> Bool {
    let end = min(closing.count, closingHead + limit)
    var touched: [UInt32] = []
    var isKnown = true
    while closingHead < end {
      let next = closing[closingHead]
      let record = try record(of: next)
      let head = slots[Int(next.slot)].head
      let place = head == 0 ? PackedRecord.firstSession(of: record) : Int(head)
      let session = record + place
      guard let known = self.geography(of: session, in: record, next.closedAt, geography) else {
        isKnown = false
        break
      }
      if head == 0 { touched.append(next.slot) }
      let id = next.position.sessionID
      #if PLANTED_BUGS
        let dropsBots = dropsBots && !planted(.botsNotDropped)
      #endif
      if dropsBots, SessionTable.isBot(session) {
        writeRow(session, of: record, id: id, geography: known, into: &bots)
      } else {
        writeRow(session, of: record, id: id, geography: known, into: &rows)
      }
      slots[Int(next.slot)].head = UInt32(place + PackedRecord.sessionLength(session))
      closingHead += 1
    }
    // Once for each key, not for each row: a visitor may have thousands of closed sessions.
    for slot in touched { removeTaken(from: slot) }
    if closingHead == closing.count {
      closing.removeAll(keepingCapacity: true)
      closingHead = 0
    } else if closingHead > 65_536, closingHead * 2 > closing.count {
      closing.removeFirst(closingHead)
      closingHead = 0
    }
    return isKnown
  }

  /// Whether the first closed session's row can be written now; false if there is none.
  package func canTakeRow(geography: GeographyOfRow) throws -> Bool {
    guard closingHead < closing.count else { return false }
    let next = closing[closingHead]
    let record = try record(of: next)
    let session = record + PackedRecord.firstSession(of: record)
    return self.geography(of: session, in: record, next.closedAt, geography) != nil
  }

  private func record(of closed: Closing) throws -> UnsafeRawPointer {
    try bring(closed.slot)
    guard let record = slots[Int(closed.slot)].record else {
      preconditionFailure("a closed session stays in its record until its row is written")
    }
    return UnsafeRawPointer(record)
  }

  private func geography(
    of session: UnsafeRawPointer, in record: UnsafeRawPointer, _ closedAt: Int64,
    _ geography: GeographyOfRow
  ) -> Geography? {
    guard let ip = ip(of: session, in: record) else { return Geography() }
    return geography(ip, closedAt)
  }

  private func ip(of session: UnsafeRawPointer, in record: UnsafeRawPointer) -> TextView? {
    guard let place = key.ip else { return PackedRecord.text(6, of: session) }
    return SessionTable.filled(KeyLayout.field(place, of: PackedRecord.key(of: record)))
  }

  /// The same of a table that does not keep bots apart.
  package func takeRows(limit: Int, into rows: inout RowBatch) throws {
    precondition(!dropsBots, "rows of bots need a place of their own")
    var none = RowBatch()
    try takeRows(limit: limit, into: &rows, bots: &none)
  }

  /// The same as in the row: by the families of the first event.
  private static func isBot(_ session: UnsafeRawPointer) -> Bool {
    BotRules.isBot(
      browser: PackedRecord.text(3, of: session), device: PackedRecord.text(5, of: session))
  }

  private func writeRow(
    _ session: UnsafeRawPointer, of record: UnsafeRawPointer, id: SessionID,
    geography place: Geography, into rows: inout RowBatch
  ) {
    let joined = PackedRecord.key(of: record)
    let userID =
      key.userID.map { SessionTable.filled(KeyLayout.field($0, of: joined)) }
      ?? PackedRecord.text(8, of: session)
    let ip = ip(of: session, in: record)
    scratch.removeAll(keepingCapacity: true)
    key.appendOwnFields(of: joined, to: &scratch)
    let own = 0..<scratch.count
    let attribution = Attribution(
      landingURL: PackedRecord.text(0, of: session), referrer: PackedRecord.text(1, of: session),
      host: PackedRecord.text(2, of: session), appendingTo: &scratch)
    scratch.withUnsafeBytes { derived in
      func part(_ range: Range<Int>?) -> TextView? {
        range.map { TextView(rebasing: derived[$0]) }
      }
      rows.append { bytes in
        SessionRow.append(
          id: id, start: PackedRecord.firstTime(of: session),
          end: PackedRecord.lastTime(of: session),
          eventCount: PackedRecord.eventCount(of: session),
          pages: PackedRecord.pages(of: session),
          texts: { text in
            switch text {
            case .ownKey: own.isEmpty ? nil : part(own)
            case .userID: userID
            case .ip: ip
            case .landingURL: PackedRecord.text(0, of: session)
            case .referrer: PackedRecord.text(1, of: session)
            case .host: PackedRecord.text(2, of: session)
            case .browserFamily: PackedRecord.text(3, of: session)
            case .osFamily: PackedRecord.text(4, of: session)
            case .deviceFamily: PackedRecord.text(5, of: session)
            case .exitURL: PackedRecord.text(7, of: session)
            case .utmSource: part(attribution.utmSource)
            case .utmMedium: part(attribution.utmMedium)
            case .utmCampaign: part(attribution.utmCampaign)
            case .clickID: part(attribution.clickID)
            case .clickIDType: part(attribution.clickIDType)
            case .channel: part(attribution.channel)
            case .country: place.country
            case .state: place.state
            case .city: place.city
            }
          }, to: &bytes)
      }
    }
  }

  /// Nil for an empty text.
  private static func filled(_ text: TextView) -> TextView? { text.isEmpty ? nil : text }

  /// Takes the sessions in front of the slot's `head` out of its record.
  private func removeTaken(from slot: UInt32) {
    let record = slots[Int(slot)].record!
    let head = Int(slots[Int(slot)].head)
    slots[Int(slot)].head = 0
    if !slots[Int(slot)].isDirty { markDirty(slot) }
    let rest = Int(slots[Int(slot)].length) - head
    if rest == 0 { return dropRecord(slot) }
    let start = PackedRecord.firstSession(of: record)
    var taken = 0
    var place = start
    while place < head {
      place += PackedRecord.sessionLength(record + place)
      taken += 1
    }
    let count = PackedRecord.sessionCount(of: record)
    memmove(record + start, record + head, rest)
    PackedRecord.setSessionCount(count - taken, of: record)
    setLength(start + rest, slot: slot)
    slots[Int(slot)].tail -= UInt32(head - start)
  }
}
