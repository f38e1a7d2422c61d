import SessionModel

/// The row `state` of `state`, rewritten by each checkpoint: `CheckpointState` but for its
/// partitions and settings, and what ties the other databases to it.
struct StateRow {
  static let version: UInt8 = 1
  static let key = "state"

  var state = CheckpointState()
  /// Segments are `oldestSegment ... state.checkpoint`, without a hole; empty if it is greater.
  var oldestSegment: UInt64 = 1
  var partitionCount: UInt32 = 0
  /// The wrapping sum of the checksums of the rows of `partitions`.
  var partitionSum: UInt64 = 0

  private static var seed: UInt64 { Array(key.utf8).withBytes { Checksum.seed(.state, $0) } }

  var encoded: [UInt8] {
    var bytes = [StateRow.version]
    for number in [
      state.checkpoint, oldestSegment, state.openSessions, state.closingSessions,
      state.outboxRows, state.kept.late.rows, state.kept.late.bytes, state.kept.rejected.rows,
      state.kept.rejected.bytes, state.kept.bots.rows, state.kept.bots.bytes, partitionSum,
    ] {
      PackedText.append(number, to: &bytes)
    }
    PackedText.append(partitionCount, to: &bytes)
    for time in [state.watermark, state.closeLine, state.frozenAt] {
      PackedText.append(time, to: &bytes)
    }
    PackedText.append(position: state.newestRow, to: &bytes)
    PackedText.append(position: state.removedUpTo, to: &bytes)
    let counters = state.counters.named
    PackedText.append(UInt16(counters.count), to: &bytes)
    for counter in counters {
      PackedText.append(string: counter.name, to: &bytes)
      PackedText.append(counter.value, to: &bytes)
    }
    PackedText.append(UInt16(state.sinks.count), to: &bytes)
    for sink in state.sinks {
      PackedText.append(string: sink.name, to: &bytes)
      PackedText.append(string: sink.url, to: &bytes)
      PackedText.append(position: sink.acknowledged, to: &bytes)
      PackedText.append(sink.skipped, to: &bytes)
      PackedText.append(position: sink.startedAt, to: &bytes)
    }
    SealedValue.seal(&bytes, seed: StateRow.seed)
    return bytes
  }

  /// Reads the row, the rows of `partitions` that belong to it, and the settings.
  static func read(_ transaction: borrowing Transaction) throws(StateError) -> StateRow {
    var row = try readAlone(transaction)
    try row.readPartitions(transaction)
    row.state.settings = try SettingsRow.read(transaction)
    return row
  }

  /// Reads the row alone, without partitions and settings.
  static func readAlone(_ transaction: borrowing Transaction) throws(StateError) -> StateRow {
    let directory = transaction.environment.directory
    guard let value = try transaction.get(.state, key) else {
      throw StateError.damaged(directory, "the row of the checkpoint is missing")
    }
    guard let body = SealedValue.open(value, version: version, seed: seed) else {
      throw StateError.damaged(directory, "the row of the checkpoint has a wrong checksum")
    }
    guard let row = StateRow(body: body) else {
      throw StateError.damaged(directory, "the row of the checkpoint cannot be read")
    }
    return row
  }

  init() {}

  /// - Parameter value: the whole value, of this version. Partitions have rows of their own.
  init?(value: UnsafeRawBufferPointer) {
    guard let body = SealedValue.open(value, version: StateRow.version, seed: StateRow.seed) else {
      return nil
    }
    self.init(body: body)
  }

  private init?(body: UnsafeRawBufferPointer) {
    self.init()
    guard readFields(body) == true else { return nil }
  }

  private mutating func readFields(_ body: UnsafeRawBufferPointer) -> Bool? {
    var reader = PackedReader(body)
    var numbers: [UInt64] = []
    for _ in 0..<12 {
      guard let number = reader.integer(UInt64.self) else { return nil }
      numbers.append(number)
    }
    state.checkpoint = numbers[0]
    oldestSegment = numbers[1]
    state.openSessions = numbers[2]
    state.closingSessions = numbers[3]
    state.outboxRows = numbers[4]
    state.kept.late = SideTotals(rows: numbers[5], bytes: numbers[6])
    state.kept.rejected = SideTotals(rows: numbers[7], bytes: numbers[8])
    state.kept.bots = SideTotals(rows: numbers[9], bytes: numbers[10])
    partitionSum = numbers[11]
    guard let partitions = reader.integer(UInt32.self),
      let watermark = reader.integer(Int64.self), let closeLine = reader.integer(Int64.self),
      let frozenAt = reader.integer(Int64.self),
      let newestRow = reader.position(), let removedUpTo = reader.position(),
      let counters = reader.integer(UInt16.self)
    else { return nil }
    partitionCount = partitions
    state.watermark = watermark
    state.closeLine = closeLine
    state.frozenAt = frozenAt
    state.newestRow = newestRow
    state.removedUpTo = removedUpTo
    var named: [(name: String, value: UInt64)] = []
    for _ in 0..<counters {
      guard let name = reader.string(), let value = reader.integer(UInt64.self),
        state.counters.set(name, to: value)
      else { return nil }
      named.append((name, value))
    }
    guard named.elementsEqual(state.counters.named, by: ==) else { return nil }
    guard let sinks = reader.integer(UInt16.self) else { return nil }
    for _ in 0..<sinks {
      guard let name = reader.string(), let url = reader.string(),
        let acknowledged = reader.position(), let skipped = reader.integer(UInt64.self),
        let startedAt = reader.position()
      else { return nil }
      state.sinks.append(
        SinkProgress(
          name: name, url: url, acknowledged: acknowledged, skipped: skipped, startedAt: startedAt))
    }
    return reader.isAtEnd && isPossible
  }

  /// Whether the numbers are such as a checkpoint can have, so that sums of them cannot overflow.
  private var isPossible: Bool {
    let counts =
      [
        state.openSessions, state.closingSessions, state.outboxRows,
        state.kept.late.rows, state.kept.late.bytes, state.kept.rejected.rows,
        state.kept.rejected.bytes, state.kept.bots.rows, state.kept.bots.bytes,
      ] + state.counters.named.map(\.value) + state.sinks.map(\.skipped)
    let times = Microseconds.never...(.latest + 1)
    return counts.allSatisfy { $0 <= ValueLimits.count }
      && state.checkpoint <= ValueLimits.checkpoint
      && (1...(state.checkpoint + 1)).contains(oldestSegment)
      && times.contains(state.watermark) && times.contains(state.closeLine)
  }

  private mutating func readPartitions(_ transaction: borrowing Transaction) throws(StateError) {
    let directory = transaction.environment.directory
    var sum: UInt64 = 0
    var cursor = try transaction.cursor(.partitions)
    while try cursor.next() {
      guard let progress = PartitionRow.decode(key: cursor.key, value: cursor.value) else {
        throw StateError.damaged(
          directory, "the row of partition \(PartitionRow.number(cursor.key) ?? -1) is broken")
      }
      sum &+= SealedValue.checksum(cursor.value) ?? 0
      state.partitions.append(progress)
    }
    guard state.partitions.count == Int(partitionCount), sum == partitionSum else {
      throw StateError.damaged(
        directory, "the rows of the partitions are not those of checkpoint \(state.checkpoint)")
    }
  }
}

/// A row of `partitions`, keyed by the partition's number, big-endian.
enum PartitionRow {
  static let version: UInt8 = 1

  static func key(_ partition: Int32) -> [UInt8] {
    withUnsafeBytes(of: UInt32(bitPattern: partition).bigEndian) { Array($0) }
  }

  static func number(_ key: UnsafeRawBufferPointer) -> Int32? {
    guard key.count == 4 else { return nil }
    return Int32(bitPattern: UInt32(bigEndian: key.loadUnaligned(as: UInt32.self)))
  }

  static func encode(_ progress: PartitionProgress) -> (value: [UInt8], checksum: UInt64) {
    var bytes = [version]
    PackedText.append(progress.nextOffset, to: &bytes)
    PackedText.append(progress.maxEventTime, to: &bytes)
    bytes.append(progress.lastRecordTime == nil ? 0 : 1)
    PackedText.append(progress.lastRecordTime ?? 0, to: &bytes)
    PackedText.append(text: progress.proof, to: &bytes)
    let seed = key(progress.partition).withBytes { Checksum.seed(.partition, $0) }
    let checksum = SealedValue.seal(&bytes, seed: seed)
    return (bytes, checksum)
  }

  static func decode(
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) -> PartitionProgress? {
    guard let partition = number(key),
      let body = SealedValue.open(value, version: version, seed: Checksum.seed(.partition, key))
    else { return nil }
    var reader = PackedReader(body)
    guard let nextOffset = reader.integer(Int64.self), let maximum = reader.integer(Int64.self),
      let hasTime = reader.integer(UInt8.self), let time = reader.integer(Int64.self),
      let proof = reader.text(), let proof, reader.isAtEnd, nextOffset >= 0,
      maximum == .never || (0...Microseconds.latest).contains(maximum),
      hasTime == 1 || hasTime == 0 && time == 0
    else { return nil }
    return PartitionProgress(
      partition: partition, nextOffset: nextOffset, maxEventTime: maximum,
      lastRecordTime: hasTime == 0 ? nil : time, proof: proof)
  }
}
