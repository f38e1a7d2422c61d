import Glibc
package import SessionModel

/// The way of an event into its key's sessions: in place wherever the record's tail decides.
extension SessionTable {
  /// Adds an event that is not late to its key's sessions.
  ///
  /// - Parameters:
  ///   - hash: the hash of the event's key.
  ///   - closeLine: `C`; sessions below it are not touched.
  /// - Throws: what the loader throws, or `SessionTableError`; but for `.tooManySessions`, the table
  ///   is not to be used on then.
  package func add(
    _ event: Event, at point: EventPoint, hash: KeyHash, closeLine: Microseconds
  ) throws {
    guard let slot = find(hash) else {
      return try start(event, at: point, slot: addSlot(hash))
    }
    try bring(slot)
    guard let record = slots[Int(slot)].record else {
      return try start(event, at: point, slot: slot)
    }
    try checkKey(of: record, against: event)
    if !slots[Int(slot)].isDirty { markDirty(slot) }
    if try !extend(slot, record, by: event, at: point, closeLine: closeLine) {
      try fold(event, at: point, into: slot, closeLine: closeLine)
    }
  }

  /// The common cases, in place: an event behind or inside the key's last session, or one that
  /// opens a session behind all others. It cannot touch another session: those are closed, or end
  /// more than a gap before the last begins.
  ///
  /// - Returns: false, with nothing changed, where it is another case.
  private func extend(
    _ slot: UInt32, _ record: UnsafeMutableRawPointer, by event: Event,
    at point: EventPoint, closeLine: Microseconds
  ) throws -> Bool {
    let tail = Int(slots[Int(slot)].tail)
    let session = record + tail
    let last = PackedRecord.point(of: session, at: PackedRecord.Field.lastTime)
    #if PLANTED_BUGS
      let gap = planted(.gapExclusive) ? gap - 1 : gap
      let closeLine = planted(.closedSessionTouched) ? Microseconds.never : closeLine
    #endif
    if point.time > last.time + gap || last.time < closeLine
      || point > last && !SessionFold.share(point.time, last.time, split: split)
    {
      guard point > last else { return false }
      try append(event, at: point, behind: record, slot: slot)
      return true
    }
    let first = PackedRecord.point(of: session, at: PackedRecord.Field.firstTime)
    if point < first {
      guard PackedRecord.sessionCount(of: record) == 1, point.time + gap >= first.time,
        SessionFold.share(point.time, first.time, split: split)
      else {
        return false
      }
      prepend(event, at: point, slot: slot)
      return true
    }
    session.storeBytes(
      of: PackedRecord.eventCount(of: session) + 1,
      toByteOffset: PackedRecord.Field.eventCount, as: UInt64.self)
    let view = PageView(of: event)
    let pages = tail + PackedRecord.pagesOffset(of: session)
    countView(view, pages: pages, slot: slot)
    #if PLANTED_BUGS
      if planted(.tieIgnored), point.time == last.time { return true }
    #endif
    if point > last {
      // Taking in a page may have moved the record.
      let record = slots[Int(slot)].record!
      PackedRecord.store(point, in: record + tail, at: PackedRecord.Field.lastTime)
      setTail(event, at: pages + PackedRecord.pagesLength(record + pages), of: slot)
    }
    return true
  }

  /// Counts an event of the record's last session as what it is of pages.
  ///
  /// - Parameter pages: where the pages of that session stand in the record.
  private func countView(_ view: PageView, pages: Int, slot: UInt32) {
    guard view.isView else { return }
    let session = slots[Int(slot)].record! + Int(slots[Int(slot)].tail)
    let views = session.loadUnaligned(
      fromByteOffset: PackedRecord.Field.pageViews, as: UInt64.self)
    session.storeBytes(
      of: views + 1, toByteOffset: PackedRecord.Field.pageViews, as: UInt64.self)
    if let page = view.page { insert(page, at: pages, slot: slot) }
  }

  /// Puts a page into the pages at `offset`, as `PageSet` does; what stands behind them moves.
  private func insert(_ page: UInt64, at offset: Int, slot: UInt32) {
    let pages = slots[Int(slot)].record! + offset
    let count = pages.loadUnaligned(as: UInt16.self)
    if count == PageSet.more { return }
    var place = 2
    while place < 2 + 8 * Int(count) {
      let hash = pages.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      if hash == page { return }
      if hash > page { break }
      place += 8
    }
    let length = Int(slots[Int(slot)].length)
    if Int(count) == PageSet.limit {
      let end = offset + 2 + 8 * PageSet.limit
      memmove(pages + 2, pages + (end - offset), length - end)
      pages.storeBytes(of: PageSet.more, as: UInt16.self)
      return setLength(length - 8 * PageSet.limit, slot: slot)
    }
    reserve(length + 8, slot: slot)
    let moved = slots[Int(slot)].record! + offset
    memmove(moved + place + 8, moved + place, length - offset - place)
    moved.storeBytes(of: page, toByteOffset: place, as: UInt64.self)
    moved.storeBytes(of: count + 1, as: UInt16.self)
    setLength(length + 8, slot: slot)
  }

  /// Writes the last event's texts, which end the record.
  private func setTail(_ event: Event, at offset: Int, of slot: UInt32) {
    let userID = keptUserID(of: event)
    let length = offset + 4 + (event.url?.count ?? 0) + (userID?.count ?? 0)
    reserve(length, slot: slot)
    var writer = PackedWriter(slots[Int(slot)].record! + offset)
    writer.put(event.url)
    writer.put(userID)
    setLength(length, slot: slot)
  }

  private func keptUserID(of event: Event) -> TextView? {
    keepsUserID && !event.userID.isEmpty ? event.userID : nil
  }

  private func keptIP(of event: Event) -> TextView? {
    keepsIP && !event.ip.isEmpty ? event.ip : nil
  }

  private func start(
    _ event: Event, at point: EventPoint, slot: UInt32
  ) throws {
    let head = 4 + event.key.count
    reserve(head + SessionTable.likelySessionBytes, slot: slot)
    var writer = PackedWriter(slots[Int(slot)].record!)
    writer.put(event.key)
    writer.put(UInt16(1))
    putSession(of: event, at: point, behind: head, slot: slot)
    if !slots[Int(slot)].isDirty { markDirty(slot) }
  }

  private func append(
    _ event: Event, at point: EventPoint, behind record: UnsafeMutableRawPointer, slot: UInt32
  ) throws {
    let count = PackedRecord.sessionCount(of: record)
    let isFull = Int(slots[Int(slot)].length) >= SessionTable.recordBytesPerKey
    if count == SessionTable.sessionsPerKey || isFull { throw SessionTableError.tooManySessions }
    PackedRecord.setSessionCount(count + 1, of: record)
    putSession(of: event, at: point, behind: Int(slots[Int(slot)].length), slot: slot)
  }

  /// Writes a session of one event as the record's last.
  private func putSession(
    of event: Event, at point: EventPoint, behind offset: Int, slot: UInt32
  ) {
    let event = withFamilies(event)
    let userID = keptUserID(of: event)
    let view = PageView(of: event)
    let tail = 6 + (view.page == nil ? 0 : 8) + (event.url?.count ?? 0) + (userID?.count ?? 0)
    putLast(of: event, tail: tail, at: offset, slot: slot) { writer in
      writer.put(point)
      writer.put(point)
      writer.put(UInt64(1))
      writer.put(checkpoint)
      writer.put(UInt64(view.isView ? 1 : 0))
    } tail: { writer in
      writer.put(UInt16(view.page == nil ? 0 : 1))
      if let page = view.page { writer.put(page) }
      writer.put(event.url)
      writer.put(userID)
    }
    openSessions += 1
    arm(slot, at: point.time)
    expectGeography(of: event)
  }

  private func expectGeography(of event: Event) {
    if let expectGeography, !event.ip.isEmpty { expectGeography(event.ip, false) }
  }

  /// Makes an event the first one of a record's only session.
  private func prepend(_ event: Event, at point: EventPoint, slot: UInt32) {
    let event = withFamilies(event)
    let tail = Int(slots[Int(slot)].tail)
    let session = UnsafeRawPointer(slots[Int(slot)].record! + tail)
    let last = PackedRecord.point(of: session, at: PackedRecord.Field.lastTime)
    let count = PackedRecord.eventCount(of: session)
    let firstSeen = session.loadUnaligned(
      fromByteOffset: PackedRecord.Field.firstSeenCheckpoint, as: UInt64.self)
    let views = session.loadUnaligned(
      fromByteOffset: PackedRecord.Field.pageViews, as: UInt64.self)
    // The pages and the last event's texts are moved by what is written before them.
    let rest = PackedRecord.pagesOffset(of: session)
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: bytes(of: slot)[(tail + rest)...])
    scratch.withUnsafeBytes { kept in
      putLast(of: event, tail: kept.count, at: tail, slot: slot) { writer in
        writer.put(point)
        writer.put(last)
        writer.put(count + 1)
        writer.put(firstSeen)
        writer.put(views)
      } tail: { writer in
        writer.put(bytes: kept)
      }
    }
    let pages = PackedRecord.pagesOffset(of: slots[Int(slot)].record! + tail)
    countView(PageView(of: event), pages: tail + pages, slot: slot)
  }

  /// Writes the record's last session anew: its fixed part, the texts of its first event, and the
  /// pages with the texts of its last event.
  ///
  /// - Parameter length: of what `tail` writes.
  private func putLast(
    of event: Event, tail length: Int, at offset: Int, slot: UInt32,
    fixed: (inout PackedWriter) -> Void, tail: (inout PackedWriter) -> Void
  ) {
    let texts =
      [
        event.url, event.referrer, event.host, event.browserFamily, event.osFamily,
        event.deviceFamily, keptIP(of: event),
      ] as InlineArray<7, TextView?>
    var length = offset + SessionRecord.fixedSessionBytes + length
    for text in 0..<SessionRecord.firstOfLast { length += 2 + (texts[text]?.count ?? 0) }
    reserve(length, slot: slot)
    var writer = PackedWriter(slots[Int(slot)].record! + offset)
    fixed(&writer)
    for text in 0..<SessionRecord.firstOfLast { writer.put(texts[text]) }
    tail(&writer)
    setLength(length, slot: slot)
    slots[Int(slot)].tail = UInt32(offset)
  }

  /// The general case. Closed sessions come first in a record and stay as they are; the rest is
  /// unpacked, folded and packed again.
  private func fold(
    _ event: Event, at point: EventPoint, into slot: UInt32, closeLine: Microseconds
  ) throws {
    let event = withFamilies(event)
    let record = slots[Int(slot)].record!
    let count = PackedRecord.sessionCount(of: record)
    var place = PackedRecord.firstSession(of: record)
    var closed = 0
    while closed < count, PackedRecord.lastTime(of: record + place) < closeLine {
      place += PackedRecord.sessionLength(record + place)
      closed += 1
    }
    var sessions = try unpack(slot, from: place, count: count - closed)
    SessionFold.add(
      SessionFold.single(event, at: point, checkpoint: checkpoint, key: key), to: &sessions,
      gap: gap, closeLine: closeLine, split: split)
    let grows = sessions.count > count - closed
    let isFull = Int(slots[Int(slot)].length) >= SessionTable.recordBytesPerKey
    if closed + sessions.count > SessionTable.sessionsPerKey || grows && isFull {
      throw SessionTableError.tooManySessions
    }
    pack(sessions, closed: closed, at: place, slot: slot)
    openSessions += 1
    openSessions -= UInt64(count - closed + 1 - sessions.count)
    arm(slot, at: sessions[0].last.time)
    expectGeography(of: event)
  }

  /// An event as the first one of a session is kept: with the families of its raw user agent. It is
  /// a function of the event alone, so that the fold stays commutative and associative.
  private func withFamilies(_ event: Event) -> Event {
    guard let raw = event.rawUserAgent else { return event }
    var event = event
    event.take(userAgents(raw))
    return event
  }

  private func unpack(_ slot: UInt32, from place: Int, count: Int) throws -> [Session] {
    var reader = PackedReader(UnsafeRawBufferPointer(rebasing: bytes(of: slot)[place...]))
    var sessions: [Session] = []
    for _ in 0..<count {
      guard let session = Session(from: &reader) else {
        throw SessionTableError.malformedRecord(slots[Int(slot)].place)
      }
      sessions.append(session)
    }
    return sessions
  }

  /// Writes sessions behind the closed ones.
  private func pack(_ sessions: [Session], closed: Int, at place: Int, slot: UInt32) {
    var packed: [UInt8] = []
    var tail = 0
    for session in sessions {
      tail = packed.count
      session.append(to: &packed)
    }
    reserve(place + packed.count, slot: slot)
    let record = slots[Int(slot)].record!
    packed.withUnsafeBytes {
      (record + place).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    PackedRecord.setSessionCount(closed + sessions.count, of: record)
    setLength(place + packed.count, slot: slot)
    slots[Int(slot)].tail = UInt32(place + tail)
  }

  /// How many sessions one key can have at once: what the record's count can hold.
  package static let sessionsPerKey = Int(UInt16.max)
  /// How many bytes of sessions one key can have before it gets no further one: more than closed
  /// sessions can gather between two checkpoints.
  package static let recordBytesPerKey = 128 << 20

  private func checkKey(
    of record: UnsafeMutableRawPointer, against event: Event
  ) throws {
    let key = PackedRecord.key(of: record)
    guard key.count == event.key.count, let mine = key.baseAddress,
      let other = event.key.baseAddress, memcmp(mine, other, key.count) == 0
    else { throw SessionTableError.hashCollision }
  }
}

/// Writes packed fields one behind the other into memory that was reserved for them.
private struct PackedWriter {
  private var next: UnsafeMutableRawPointer

  init(_ start: UnsafeMutableRawPointer) { next = start }

  mutating func put<Number: FixedWidthInteger>(_ number: Number) {
    next.storeBytes(of: number.littleEndian, as: Number.self)
    next += MemoryLayout<Number>.size
  }

  mutating func put(_ point: EventPoint) {
    put(point.time)
    put(point.partition)
    put(point.offset)
  }

  /// A length of two bytes and the text.
  mutating func put(_ text: TextView?) {
    guard let text else { return put(SessionRecord.nullLength) }
    put(UInt16(text.count))
    put(bytes: text)
  }

  mutating func put(bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    next.copyMemory(from: start, byteCount: bytes.count)
    next += bytes.count
  }
}
