import SessionModel
import TestSupport
import Windowing

/// A task as the pipeline runs it, with memory in place of the disk: watermarks and session table,
/// checkpoints to a log of records, restarts from any of them, and a sink that remembers its place.
struct SimulatedTask {
  /// The state's log as LMDB would hold it.
  final class Log {
    var records: [RecordPlace: [UInt8]] = [:]
    /// By checkpoint: what each wrote.
    var headers: [[(hash: KeyHash, place: RecordPlace, leastLast: Microseconds)]] = []
  }

  struct Checkpoint {
    var headers: Int
    var watermark: Microseconds
    var closeLine: Microseconds
    var offsets: [Int]
    var maxEventTimes: [Microseconds]
    var sessions: UInt64
    var late: [EventPoint]
  }

  static let outOfOrderness: Microseconds = 2
  static let gap: Microseconds = 6

  let logs: [[LoggedEvent]]
  let key: KeyLayout
  let split: Microseconds
  let disk = Log()
  var checkpoints: [Checkpoint] = []
  var marks = Watermarks(gap: gap, outOfOrderness: outOfOrderness)
  var table: SessionTable
  var offsets: [Int]
  var late: [EventPoint] = []
  /// What the sink holds: encoded rows in the order in which they came.
  var sink: [[UInt8]] = []
  var sinkPosition: RowPosition?
  private let hasher = KeyHasher(seed: (1, 2))

  init(logs: [[LoggedEvent]], key: KeyLayout = .standard, split: Microseconds = 0) {
    self.logs = logs
    self.key = key
    self.split = split
    offsets = logs.map { _ in 0 }
    table = SimulatedTask.table(on: disk, key, split)
    for partition in logs.indices { marks.add(partition: Int32(partition)) }
    checkpoint(rowLimit: 0)
  }

  private static func table(
    on disk: Log, _ key: KeyLayout, _ split: Microseconds
  ) -> SessionTable {
    SessionTable(gap: gap, split: split, key: key) { place, _, body in
      disk.records[place]!.withUnsafeBytes { body($0) }
    }
  }

  var unread: [Int] { logs.indices.filter { offsets[$0] < logs[$0].count } }

  mutating func read(_ partition: Int) throws {
    let logged = logs[partition][offsets[partition]]
    offsets[partition] += 1
    if marks.admit(logged.point.time, partition: Int32(partition)) != nil {
      late.append(logged.point)
      return
    }
    let (marks, table, hasher, key) = (marks, table, hasher, key)
    var failure: (any Error)?
    withText(logged.userID) { user in
      withText(logged.ip) { ip in
        withText(logged.url) { url in
          withText(logged.referrer ?? "") { referrer in
            do {
              try withText(logged.key(key)) { key in
                Result {
                  var event = Event()
                  (event.key, event.userID, event.ip) = (key, user, ip)
                  event.time = logged.point.time
                  event.url = url
                  event.referrer = logged.referrer == nil ? nil : referrer
                  try table.add(
                    event, at: logged.point, hash: hasher.hash(event.key),
                    closeLine: marks.closeLine)
                }
              }.get()
            } catch { failure = error }
          }
        }
      }
    }
    if let failure { throw failure }
  }

  /// Sweeps, writes rows, and keeps everything as one checkpoint.
  mutating func checkpoint(rowLimit: Int) {
    do {
      marks.sweep()
      try table.sweep(to: marks.closeLine)
      var rows = RowBatch()
      try table.takeRows(limit: rowLimit, into: &rows)
      deliver(rows)
    } catch { preconditionFailure("\(error)") }
    let number = UInt64(checkpoints.count + 1)
    var headers: [(hash: KeyHash, place: RecordPlace, leastLast: Microseconds)] = []
    table.takeChanges { hash, record, leastLast, _ in
      guard let record else {
        headers.append((hash, .none, 0))
        return .none
      }
      let place = RecordPlace(
        chunk: number << 16, offset: UInt32(headers.count), length: UInt32(record.count))
      disk.records[place] = Array(record)
      headers.append((hash, place, leastLast))
      return place
    }
    disk.headers.append(headers)
    table.checkpoint = number + 1
    checkpoints.append(
      Checkpoint(
        headers: disk.headers.count, watermark: marks.watermark, closeLine: marks.closeLine,
        offsets: offsets, maxEventTimes: logs.indices.map { marks.maxEventTime(of: Int32($0)) },
        sessions: table.openSessions + table.closingSessions, late: late))
  }

  private mutating func deliver(_ rows: RowBatch) {
    rows.forEachRow { row in
      if let held = sinkPosition, row.position <= held { return }
      sink.append(Array(row.bytes))
      sinkPosition = row.position
    }
  }

  /// Goes on from a checkpoint as after a kill or on a restored backup; later ones are lost.
  mutating func restart(from index: Int) {
    let saved = checkpoints[index]
    checkpoints.removeSubrange((index + 1)...)
    disk.headers.removeSubrange(saved.headers...)
    marks = Watermarks(
      gap: SimulatedTask.gap, outOfOrderness: SimulatedTask.outOfOrderness,
      watermark: saved.watermark, closeLine: saved.closeLine)
    for (partition, greatest) in saved.maxEventTimes.enumerated() {
      marks.add(partition: Int32(partition), maxEventTime: greatest)
    }
    table = SimulatedTask.table(on: disk, key, split)
    for headers in disk.headers.reversed() {
      for entry in headers {
        _ = table.recover(hash: entry.hash, place: entry.place, leastLast: entry.leastLast)
      }
    }
    table.finishRecovery(sessions: saved.sessions)
    table.checkpoint = UInt64(checkpoints.count + 1)
    offsets = saved.offsets
    late = saved.late
  }
}
