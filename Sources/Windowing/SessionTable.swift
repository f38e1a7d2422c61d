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
    /// While rows are taken: where the first session begins that is not taken yet; else 0.
    var head: UInt32
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
    /// As `now` was.
    var closedAt: Int64
  }

  static let notArmed = Int64.min
  /// Room for the first session of a record; only saves moves.
  static let likelySessionBytes = 320

  package let gap: Microseconds
  /// Sessions do not cross a multiple of this; 0 for none, µs.
  let split: Microseconds
  package let key: KeyLayout
  /// Rows of bots are kept apart.
  let dropsBots: Bool
  /// The checkpoint that is being gathered; new sessions remember it.
  package var checkpoint: UInt64 = 1
  /// Monotonic time, µs; sessions that are closed remember it.
  package var now: Int64 = 0
  /// Sessions in the table that are neither closed nor merged away.
  package internal(set) var openSessions: UInt64 = 0
  /// Keys that the next checkpoint has to write.
  package var dirtyKeys: Int { dirty.count }
  /// Bytes of the records that the next checkpoint has to write.
  package private(set) var dirtyBytes = 0
  /// Bytes of packed records in memory.
  package private(set) var recordBytes = 0

  /// Whether sessions hold the field: it is not in their key.
  let keepsIP: Bool
  let keepsUserID: Bool
  /// The families of a raw user agent; asked for what becomes the first event of a session.
  package var userAgents: (TextView) -> UserAgentFamilies = { _ in UserAgentFamilies() }

  /// Told the address of what may be a new session, and of each that is closed; nil if nobody asks.
  package var expectGeography: ((TextView, _ isClosed: Bool) -> Void)?

  private let load: Loader
  var index: SlotIndex
  var slots: UnsafeMutablePointer<Slot>
  private var slotCapacity: Int
  private var slotCount = 0
  private var freeSlots: [UInt32] = []
  private var dirty: [UInt32] = []
  var buckets = ExpiryBuckets()
  /// The close line of the last sweep: sessions below it are in `closing`, or were.
  var sweptTo = Microseconds.never
  var closing: [Closing] = []
  var closingHead = 0
  var idHasher = SessionIDHasher()
  var scratch: [UInt8] = []

  /// - Parameters:
  ///   - gap: µs.
  ///   - split: the grid at which sessions are cut, µs since 1970; 0 for none.
  ///   - key: what the keys are made of.
  ///   - dropsBots: rows of bots are kept apart.
  ///   - capacity: keys to make room for at once.
  ///   - load: called for records that are on disk only.
  package init(
    gap: Microseconds, split: Microseconds = 0, key: KeyLayout = .standard,
    dropsBots: Bool = false, capacity: Int = 0, load: @escaping Loader
  ) {
    self.gap = gap
    self.split = split
    self.key = key
    self.dropsBots = dropsBots
    keepsIP = key.ip == nil
    keepsUserID = key.userID == nil
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

  /// The memory that the table takes, in bytes: what each key costs, and the records.
  package var memoryBytes: Int {
    slotCapacity * MemoryLayout<Slot>.stride + index.memoryBytes + recordBytes
      + closing.capacity * MemoryLayout<Closing>.stride
  }

  /// How many places of the index are looked at, at most, to find a key that is there.
  ///
  /// - Complexity: the number of keys.
  package var mostProbes: Int { index.mostProbes { slots[Int($0)].hash } }

  // MARK: - Recovery

  /// Takes one entry of the header log, newest first: the first entry of a key decides.
  ///
  /// - Parameter place: `.none` for a tombstone.
  package func recover(hash: KeyHash, place: RecordPlace, leastLast: Microseconds) -> Bool {
    #if PLANTED_BUGS
      if planted(.oldestHeaderDecides), let slot = find(hash), !place.isNone {
        slots[Int(slot)].place = place
        return true
      }
    #endif
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

  func find(_ hash: KeyHash) -> UInt32? {
    index.find(hash) { slots[Int($0)].hash == hash }
  }

  func addSlot(_ hash: KeyHash) -> UInt32 {
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
        hash: hash, record: nil, length: 0, capacity: 0, tail: 0, head: 0, place: .none,
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

  func markDirty(_ slot: UInt32) {
    slots[Int(slot)].isDirty = true
    dirty.append(slot)
    dirtyBytes += Int(slots[Int(slot)].length)
  }

  /// Arms the slot so that it is looked at when a session with this `last` may close.
  func arm(_ slot: UInt32, at last: Microseconds) {
    let bucket = ExpiryBuckets.bucket(of: last)
    let armed = slots[Int(slot)].armed
    if armed != SessionTable.notArmed, armed <= bucket { return }
    slots[Int(slot)].armed = bucket
    buckets.put(slot, in: bucket)
  }

  func bytes(of slot: UInt32) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: slots[Int(slot)].record, count: Int(slots[Int(slot)].length))
  }

  /// Reads the record from the log if it is not in memory.
  func bring(_ slot: UInt32) throws {
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
  func reserve(_ length: Int, slot: UInt32) {
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

  func setLength(_ length: Int, slot: UInt32) {
    if slots[Int(slot)].isDirty { dirtyBytes += length - Int(slots[Int(slot)].length) }
    slots[Int(slot)].length = UInt32(length)
  }

  func dropRecord(_ slot: UInt32) {
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
  /// One key has more sessions than a record can hold; the table is as it was.
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
      "one visitor has more than \(SessionTable.sessionsPerKey) sessions, or more than "
        + "\(SessionTable.recordBytesPerKey) bytes of them"
    }
  }
}
