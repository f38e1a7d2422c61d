import Glibc
package import SessionModel

/// The open sessions of a task in memory: a packed record for each key, found by the key's hash.
///
/// A key's record is in memory from its first touch on; before that, after a restart, only its hash,
/// its place in the state's log and its least `last` are. What changed since the last checkpoint
/// is listed, so that a checkpoint costs in proportion to the changes.
///
/// Invariants:
/// 1. A slot that is not free has a record in memory or a place in the log, or both; a slot whose
///    record was emptied while a version stands in the log stays, dirty, until the tombstone of the
///    next checkpoint.
/// 2. Sessions of a record are disjoint, more than a gap apart unless one is closed, and sorted.
/// 3. A slot with a session that is not closed is armed in a bucket not behind its least such `last`.
/// 4. `closing` holds every closed session whose row is not written yet, in the order of the rows.
package final class SessionTable {
  /// Brings a record from the log: calls its last argument with the packed bytes.
  package typealias Loader = (
    RecordPlace, KeyHash, (UnsafeRawBufferPointer) -> Void
  ) throws -> Void

  struct Slot {
    var hash: KeyHash
    /// Nil: on disk only, or emptied.
    var record: UnsafeMutableRawPointer?
    var length: UInt32
    var capacity: UInt32
    /// Where the record's last session begins: what the next event most likely extends.
    var tail: UInt32
    var place: RecordPlace
    /// The bucket in which the slot is armed; `notArmed` for none.
    var armed: Int64
    var isDirty: Bool
    var isUsed: Bool
  }

  /// A closed session that waits for its row. It is the first of its key's record that does.
  struct Closing {
    var position: RowPosition
    var slot: UInt32
  }

  static let notArmed = Int64.min
  /// Room for the first session of a record; only saves moves.
  private static let likelySessionBytes = 320

  package let gap: Microseconds
  /// The checkpoint that is being gathered; new sessions remember it.
  package var checkpoint: UInt64 = 1
  /// Sessions in the table that are neither closed nor merged away.
  package private(set) var openSessions: UInt64 = 0
  /// Keys that the next checkpoint has to write.
  package var dirtyKeys: Int { dirty.count }
  /// Bytes of the records that the next checkpoint has to write.
  package private(set) var dirtyBytes = 0
  /// Bytes of packed records in memory.
  package private(set) var recordBytes = 0

  private let load: Loader
  private var index: SlotIndex
  private var slots: UnsafeMutablePointer<Slot>
  private var slotCapacity: Int
  private var slotCount = 0
  private var freeSlots: [UInt32] = []
  private var dirty: [UInt32] = []
  private var buckets = ExpiryBuckets()
  /// The close line of the last sweep: sessions below it are in `closing`, or were.
  private var sweptTo = Microseconds.never
  private var closing: [Closing] = []
  private var closingHead = 0
  private var idHasher = SessionIDHasher()
  private var scratch: [UInt8] = []

  /// - Parameters:
  ///   - gap: µs.
  ///   - capacity: keys to make room for at once.
  ///   - load: called for records that are on disk only.
  package init(gap: Microseconds, capacity: Int = 0, load: @escaping Loader) {
    self.gap = gap
    self.load = load
    index = SlotIndex(capacity: capacity)
    slotCapacity = max(1_024, capacity + capacity / 8)
    slots = .allocate(capacity: slotCapacity)
  }

  deinit {
    for slot in 0..<slotCount { free(slots[slot].record) }
    slots.deallocate()
  }

  /// Closed sessions whose row is not written yet.
  package var closingSessions: UInt64 { UInt64(closing.count - closingHead) }

  // MARK: - Recovery

  /// Takes one entry of the header log, newest first: the first entry of a key decides.
  ///
  /// - Parameter place: `.none` for a tombstone.
  package func recover(hash: KeyHash, place: RecordPlace, leastLast: Microseconds) -> Bool {
    if find(hash) != nil { return false }
    let slot = addSlot(hash)
    slots[Int(slot)].place = place
    if !place.isNone { arm(slot, at: leastLast) }
    return true
  }

  /// Ends recovery: forgets the tombstones.
  ///
  /// - Parameter sessions: how many sessions the state holds, closed ones included. `sweep` finds
  ///   the closed ones again.
  package func finishRecovery(sessions: UInt64) {
    for slot in 0..<slotCount where slots[slot].isUsed && slots[slot].place.isNone {
      release(UInt32(slot))
    }
    openSessions = sessions
  }

  /// Where the newest version of a key stands in the log; nil if the key has no sessions.
  package func place(of hash: KeyHash) -> RecordPlace? {
    find(hash).map { slots[Int($0)].place }
  }

  /// Marks a key as changed, so that the next checkpoint writes it anew.
  package func touch(_ hash: KeyHash) throws {
    guard let slot = find(hash) else { return }
    // An emptied key is dirty already: its tombstone is due.
    if !slots[Int(slot)].isDirty {
      try bring(slot)
      markDirty(slot)
    }
  }

  // MARK: - Events

  /// Adds an event that is not late to its key's sessions.
  ///
  /// - Parameters:
  ///   - hash: the hash of the event's key.
  ///   - closeLine: `C`; sessions below it are not touched.
  /// - Throws: what the loader throws, or `SessionTableError`; then the table is not to be used on.
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
    if point.time > last.time + gap || last.time < closeLine {
      guard point > last else { return false }
      try append(event, at: point, behind: record, slot: slot)
      return true
    }
    let first = PackedRecord.point(of: session, at: PackedRecord.Field.firstTime)
    if point < first {
      guard PackedRecord.sessionCount(of: record) == 1, point.time + gap >= first.time else {
        return false
      }
      prepend(event, at: point, slot: slot)
      return true
    }
    session.storeBytes(
      of: PackedRecord.eventCount(of: session) + 1,
      toByteOffset: PackedRecord.Field.eventCount, as: UInt64.self)
    if point > last {
      PackedRecord.store(point, in: session, at: PackedRecord.Field.lastTime)
      let exit = tail + PackedRecord.textOffset(SessionRecord.textCount - 1, of: session)
      setTail(event.url, at: exit, of: slot)
    }
    return true
  }

  private func setTail(_ text: TextView?, at offset: Int, of slot: UInt32) {
    let length = offset + 2 + (text?.count ?? 0)
    reserve(length, slot: slot)
    let record = slots[Int(slot)].record!
    let mark = text.map { UInt16($0.count) } ?? SessionRecord.nullLength
    record.storeBytes(of: mark, toByteOffset: offset, as: UInt16.self)
    if let text, let bytes = text.baseAddress {
      (record + offset + 2).copyMemory(from: bytes, byteCount: text.count)
    }
    setLength(length, slot: slot)
  }

  private func start(
    _ event: Event, at point: EventPoint, slot: UInt32
  ) throws {
    let head = 8 + event.userID.count + event.ip.count
    reserve(head + SessionTable.likelySessionBytes, slot: slot)
    var writer = PackedWriter(slots[Int(slot)].record!)
    writer.put(UInt16(2))
    writer.put(event.userID)
    writer.put(event.ip)
    writer.put(UInt16(1))
    putSession(of: event, at: point, behind: head, slot: slot)
    if !slots[Int(slot)].isDirty { markDirty(slot) }
  }

  private func append(
    _ event: Event, at point: EventPoint, behind record: UnsafeMutableRawPointer, slot: UInt32
  ) throws {
    let count = PackedRecord.sessionCount(of: record)
    if count == SessionTable.sessionsPerKey { throw SessionTableError.tooManySessions }
    PackedRecord.setSessionCount(count + 1, of: record)
    putSession(of: event, at: point, behind: Int(slots[Int(slot)].length), slot: slot)
  }

  /// Writes a session of one event as the record's last.
  private func putSession(
    of event: Event, at point: EventPoint, behind offset: Int, slot: UInt32
  ) {
    putTail(of: event, exit: event.url, at: offset, slot: slot) { writer in
      writer.put(point)
      writer.put(point)
      writer.put(UInt64(1))
      writer.put(checkpoint)
    }
    openSessions += 1
    arm(slot, at: point.time)
  }

  /// Makes an event the first one of a record's only session.
  private func prepend(_ event: Event, at point: EventPoint, slot: UInt32) {
    let tail = Int(slots[Int(slot)].tail)
    let session = UnsafeRawPointer(slots[Int(slot)].record! + tail)
    let last = PackedRecord.point(of: session, at: PackedRecord.Field.lastTime)
    let count = PackedRecord.eventCount(of: session)
    let firstSeen = session.loadUnaligned(
      fromByteOffset: PackedRecord.Field.firstSeenCheckpoint, as: UInt64.self)
    // The exit URL is moved by what is written before it.
    let exit = PackedRecord.text(SessionRecord.textCount - 1, of: session)
    scratch.removeAll(keepingCapacity: true)
    if let exit { scratch.append(contentsOf: exit) }
    scratch.withUnsafeBytes { kept in
      putTail(of: event, exit: exit == nil ? nil : kept, at: tail, slot: slot) { writer in
        writer.put(point)
        writer.put(last)
        writer.put(count + 1)
        writer.put(firstSeen)
      }
    }
  }

  /// Writes the record's last session anew: its fixed part, the texts of its first event and the
  /// exit URL.
  private func putTail(
    of event: Event, exit: TextView?, at offset: Int, slot: UInt32,
    fixed: (inout PackedWriter) -> Void
  ) {
    let texts =
      [
        event.url, event.referrer, event.host, event.browserFamily, event.osFamily,
        event.deviceFamily, exit,
      ] as InlineArray<7, TextView?>
    var length = offset + SessionRecord.fixedSessionBytes
    for text in 0..<SessionRecord.textCount { length += 2 + (texts[text]?.count ?? 0) }
    reserve(length, slot: slot)
    var writer = PackedWriter(slots[Int(slot)].record! + offset)
    fixed(&writer)
    for text in 0..<SessionRecord.textCount { writer.put(texts[text]) }
    setLength(length, slot: slot)
    slots[Int(slot)].tail = UInt32(offset)
  }

  /// The general case. Closed sessions come first in a record and stay as they are; the rest is
  /// unpacked, folded and packed again.
  private func fold(
    _ event: Event, at point: EventPoint, into slot: UInt32, closeLine: Microseconds
  ) throws {
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
      SessionFold.single(event, at: point, checkpoint: checkpoint), to: &sessions, gap: gap,
      closeLine: closeLine)
    if closed + sessions.count > SessionTable.sessionsPerKey {
      throw SessionTableError.tooManySessions
    }
    pack(sessions, closed: closed, at: place, slot: slot)
    openSessions += 1
    openSessions -= UInt64(count - closed + 1 - sessions.count)
    arm(slot, at: sessions[0].last.time)
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

  private func checkKey(
    of record: UnsafeMutableRawPointer, against event: Event
  ) throws {
    let (userID, ip) = PackedRecord.key(of: record)
    guard userID.count == event.userID.count, ip.count == event.ip.count,
      memcmp(ip.baseAddress!, event.ip.baseAddress!, ip.count) == 0,
      userID.isEmpty || memcmp(userID.baseAddress!, event.userID.baseAddress!, userID.count) == 0
    else { throw SessionTableError.hashCollision }
  }

  // MARK: - Closing

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
    let (userID, ip) = PackedRecord.key(of: record)
    var place = PackedRecord.firstSession(of: record)
    for _ in 0..<PackedRecord.sessionCount(of: record) {
      let session = record + place
      let last = PackedRecord.lastTime(of: session)
      if last >= closeLine {
        rearming.append((slot, last))
        return
      }
      if last >= sweptTo {
        let id = idHasher.id(userID: userID, ip: ip, start: PackedRecord.firstTime(of: session))
        closed.append(
          Closing(position: RowPosition(sessionEnd: last, sessionID: id), slot: slot))
      }
      place += PackedRecord.sessionLength(session)
    }
  }

  /// Writes the rows of the first closed sessions, in order, and takes them out of the table.
  ///
  /// - Parameters:
  ///   - limit: rows at most.
  ///   - rows: gets them.
  package func takeRows(limit: Int, into rows: inout RowBatch) throws {
    let end = min(closing.count, closingHead + limit)
    while closingHead < end {
      let next = closing[closingHead]
      try bring(next.slot)
      guard let record = slots[Int(next.slot)].record else {
        preconditionFailure("a closed session stays in its record until its row is written")
      }
      writeRow(record, id: next.position.sessionID, into: &rows)
      removeFirstSession(of: next.slot)
      closingHead += 1
    }
    if closingHead == closing.count {
      closing.removeAll(keepingCapacity: true)
      closingHead = 0
    } else if closingHead > 65_536, closingHead * 2 > closing.count {
      closing.removeFirst(closingHead)
      closingHead = 0
    }
  }

  private func writeRow(
    _ record: UnsafeMutableRawPointer, id: SessionID, into rows: inout RowBatch
  ) {
    let session = UnsafeRawPointer(record + PackedRecord.firstSession(of: record))
    let (userID, ip) = PackedRecord.key(of: record)
    rows.append { bytes in
      SessionRow.append(
        id: id, start: PackedRecord.firstTime(of: session),
        end: PackedRecord.lastTime(of: session),
        eventCount: PackedRecord.eventCount(of: session),
        texts: { text in
          switch text {
          case .userID: userID.isEmpty ? nil : userID
          case .ip: ip
          case .landingURL: PackedRecord.text(0, of: session)
          case .referrer: PackedRecord.text(1, of: session)
          case .host: PackedRecord.text(2, of: session)
          case .browserFamily: PackedRecord.text(3, of: session)
          case .osFamily: PackedRecord.text(4, of: session)
          case .deviceFamily: PackedRecord.text(5, of: session)
          case .exitURL: PackedRecord.text(6, of: session)
          case .country, .state, .city: nil
          }
        }, to: &bytes)
    }
  }

  private func removeFirstSession(of slot: UInt32) {
    let record = slots[Int(slot)].record!
    let count = PackedRecord.sessionCount(of: record)
    if !slots[Int(slot)].isDirty { markDirty(slot) }
    if count == 1 {
      dropRecord(slot)
      return
    }
    let start = PackedRecord.firstSession(of: record)
    let length = PackedRecord.sessionLength(record + start)
    let rest = Int(slots[Int(slot)].length) - start - length
    memmove(record + start, record + start + length, rest)
    PackedRecord.setSessionCount(count - 1, of: record)
    setLength(start + rest, slot: slot)
    slots[Int(slot)].tail -= UInt32(length)
  }

  // MARK: - Checkpoint

  /// Hands every changed key to a checkpoint and counts it as unchanged from then on.
  ///
  /// - Parameter write: gets the hash, the packed record (nil: a tombstone is due), the least `last`
  ///   among its sessions and the place of its older version; returns the new place, `.none` for a
  ///   tombstone.
  package func takeChanges(
    _ write: (KeyHash, UnsafeRawBufferPointer?, Microseconds, RecordPlace) -> RecordPlace
  ) {
    for slot in dirty {
      let entry = slots[Int(slot)]
      slots[Int(slot)].isDirty = false
      guard entry.record != nil else {
        // A key that came and went between two checkpoints leaves no trace.
        if !entry.place.isNone { _ = write(entry.hash, nil, 0, entry.place) }
        release(slot)
        continue
      }
      let record = bytes(of: slot)
      slots[Int(slot)].place = write(entry.hash, record, leastLast(of: record), entry.place)
    }
    dirty.removeAll(keepingCapacity: true)
    dirtyBytes = 0
  }

  /// Sessions are disjoint and sorted, so the first one's `last` is the least.
  private func leastLast(of record: UnsafeRawBufferPointer) -> Microseconds {
    let base = record.baseAddress!
    return PackedRecord.lastTime(of: base + PackedRecord.firstSession(of: base))
  }

  // MARK: - Slots

  private func find(_ hash: KeyHash) -> UInt32? {
    index.find(hash) { slots[Int($0)].hash == hash }
  }

  private func addSlot(_ hash: KeyHash) -> UInt32 {
    let slot: UInt32
    if let free = freeSlots.popLast() {
      slot = free
    } else {
      if slotCount == slotCapacity { growSlots() }
      slot = UInt32(slotCount)
      slotCount += 1
    }
    (slots + Int(slot)).initialize(
      to: Slot(
        hash: hash, record: nil, length: 0, capacity: 0, tail: 0, place: .none,
        armed: SessionTable.notArmed, isDirty: false, isUsed: true))
    index.insert(hash, slot: slot) { slots[Int($0)].hash }
    return slot
  }

  private func growSlots() {
    let larger = UnsafeMutablePointer<Slot>.allocate(capacity: slotCapacity * 2)
    larger.moveInitialize(from: slots, count: slotCount)
    slots.deallocate()
    slots = larger
    slotCapacity *= 2
  }

  private func release(_ slot: UInt32) {
    dropRecord(slot)
    index.remove(slots[Int(slot)].hash, slot: slot) { slots[Int($0)].hash }
    slots[Int(slot)].isUsed = false
    slots[Int(slot)].armed = SessionTable.notArmed
    freeSlots.append(slot)
  }

  private func markDirty(_ slot: UInt32) {
    slots[Int(slot)].isDirty = true
    dirty.append(slot)
    dirtyBytes += Int(slots[Int(slot)].length)
  }

  /// Arms the slot so that it is looked at when a session with this `last` may close.
  private func arm(_ slot: UInt32, at last: Microseconds) {
    let bucket = ExpiryBuckets.bucket(of: last)
    let armed = slots[Int(slot)].armed
    if armed != SessionTable.notArmed, armed <= bucket { return }
    slots[Int(slot)].armed = bucket
    buckets.put(slot, in: bucket)
  }

  private func bytes(of slot: UInt32) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: slots[Int(slot)].record, count: Int(slots[Int(slot)].length))
  }

  /// Reads the record from the log if it is not in memory.
  private func bring(_ slot: UInt32) throws {
    let entry = slots[Int(slot)]
    if entry.record != nil || entry.place.isNone || entry.isDirty { return }
    var isWellFormed = false
    try load(entry.place, entry.hash) { packed in
      isWellFormed = PackedRecord.isWellFormed(packed)
      if isWellFormed { setRecord(slot, to: packed) }
    }
    if !isWellFormed { throw SessionTableError.malformedRecord(entry.place) }
  }

  private func setRecord(_ slot: UInt32, to packed: UnsafeRawBufferPointer) {
    reserve(packed.count, slot: slot)
    slots[Int(slot)].record!.copyMemory(from: packed.baseAddress!, byteCount: packed.count)
    setLength(packed.count, slot: slot)
    slots[Int(slot)].tail = UInt32(PackedRecord.lastSession(of: slots[Int(slot)].record!))
  }

  /// Makes room for a record of `length` bytes, keeping what is there.
  private func reserve(_ length: Int, slot: UInt32) {
    let capacity = Int(slots[Int(slot)].capacity)
    if length <= capacity { return }
    // Some slack, so that exit URLs of differing lengths do not move the record each time.
    let larger = (length + 64 + 63) & ~63
    guard let record = realloc(slots[Int(slot)].record, larger) else {
      fatalError("out of memory: \(recordBytes) bytes of open sessions are held; state is safe")
    }
    slots[Int(slot)].record = record
    slots[Int(slot)].capacity = UInt32(larger)
    recordBytes += larger - capacity
  }

  private func setLength(_ length: Int, slot: UInt32) {
    if slots[Int(slot)].isDirty { dirtyBytes += length - Int(slots[Int(slot)].length) }
    slots[Int(slot)].length = UInt32(length)
  }

  private func dropRecord(_ slot: UInt32) {
    free(slots[Int(slot)].record)
    recordBytes -= Int(slots[Int(slot)].capacity)
    slots[Int(slot)].record = nil
    setLength(0, slot: slot)
    slots[Int(slot)].capacity = 0
  }
}

/// What stops the table. The state is safe: nothing of the present checkpoint was written.
package enum SessionTableError: Error, Equatable, CustomStringConvertible {
  /// A record in the log is not what was packed into it (exit code 65).
  case malformedRecord(RecordPlace)
  /// Two keys with one 128-bit hash: in practice a damaged state (65).
  case hashCollision
  /// One key has more sessions than a record can hold (70).
  case tooManySessions

  package var description: String {
    switch self {
    case .malformedRecord(let place):
      "the session record at checkpoint \(place.checkpoint), chunk \(place.chunk & 0xFFFF), byte "
        + "\(place.offset) is malformed. Nothing was changed. Delete the state and run again: the "
        + "same rows are derived from the log, and the sink skips those that it has"
    case .hashCollision:
      "a session record belongs to another key than its hash says: the state is damaged. Nothing was "
        + "changed. Delete the state and run again: the same rows are derived from the log"
    case .tooManySessions:
      "one visitor has more than \(SessionTable.sessionsPerKey) sessions that wait for their rows. "
        + "The state is safe at its last checkpoint; see whether a sink is down"
    }
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
    if let bytes = text.baseAddress {
      next.copyMemory(from: bytes, byteCount: text.count)
      next += text.count
    }
  }
}
