package import SessionModel

/// How many live records each segment of the log still has; kept by the thread that gathers.
///
/// A segment is what one checkpoint wrote. Segments have consecutive numbers, and only the oldest
/// may be dropped, so that a tombstone outlives every older version of its key.
package struct SegmentLedger: Sendable {
  /// Below this size the log is never cleaned, unless `StateOptions` say otherwise.
  package static let floorBytes = 16 << 20
  /// The log may be this many times as long as the live records in it.
  package static let greatestRatio = 3

  private struct Segment {
    var liveRecords = 0
    var liveBytes = 0
    var logBytes = 0
  }

  private let floor: Int
  private var oldest: UInt64
  private var segments: [Segment] = []
  package private(set) var liveRecords = 0
  package private(set) var liveBytes = 0
  package private(set) var logBytes = 0

  /// An empty ledger.
  ///
  /// - Parameter oldest: the number of the first segment to come.
  package init(oldest: UInt64 = 1) {
    self.oldest = oldest
    floor = SegmentLedger.floorBytes
  }

  /// A ledger of segments whose live records are still to be added.
  init(oldest: UInt64, logBytes: [Int], floor: Int) {
    self.oldest = oldest
    self.floor = floor
    segments = logBytes.map { Segment(logBytes: $0) }
    self.logBytes = logBytes.reduce(0, +)
  }

  package var segmentCount: Int { segments.count }

  /// A record stands at `place`: found at recovery as its key's newest, or appended to the draft.
  package mutating func add(_ place: RecordPlace) {
    let index = index(place.checkpoint)
    while segments.count <= index { segments.append(Segment()) }
    segments[index].liveRecords += 1
    segments[index].liveBytes += Int(place.length)
    liveRecords += 1
    liveBytes += Int(place.length)
  }

  /// The record at `place` is superseded, or its key is gone. `.none` is ignored.
  package mutating func retire(_ place: RecordPlace) {
    if place.isNone { return }
    let index = index(place.checkpoint)
    segments[index].liveRecords -= 1
    segments[index].liveBytes -= Int(place.length)
    liveRecords -= 1
    liveBytes -= Int(place.length)
    precondition(segments[index].liveRecords >= 0, "a record is retired once")
  }

  /// The longest run of oldest segments without a live record; never the newest segment.
  package var droppable: [UInt64] {
    let run = segments.dropLast().prefix { $0.liveRecords == 0 }.count
    return (0..<UInt64(run)).map { oldest + $0 }
  }

  /// The oldest segment that holds live records, where the log has outgrown them: append these
  /// again to the present draft. Nil where there is nothing to clean.
  ///
  /// - Complexity: the number of segments without a live record.
  package var segmentToClean: UInt64? {
    guard let first = segments.firstIndex(where: { $0.liveRecords > 0 }),
      first < segments.count - 1
    else { return nil }
    let dropped = segments[..<first].reduce(0) { $0 + $1.logBytes }
    let limit = max(floor, SegmentLedger.greatestRatio * liveBytes)
    return logBytes - dropped > limit ? oldest + UInt64(first) : nil
  }

  /// Enters the draft's own segment, and has the draft drop those that hold nothing live any more.
  /// To be called last, when all records are in.
  package mutating func finish(_ draft: CheckpointDraft) {
    let index = index(draft.checkpoint)
    while segments.count <= index { segments.append(Segment()) }
    segments[index].logBytes = draft.logBytes
    logBytes += draft.logBytes
    draft.dropSegments = droppable
    for segment in segments.prefix(draft.dropSegments.count) { logBytes -= segment.logBytes }
    segments.removeFirst(draft.dropSegments.count)
    oldest += UInt64(draft.dropSegments.count)
    draft.liveKeys = UInt64(liveRecords)
    draft.liveBytes = UInt64(liveBytes)
  }

  private func index(_ checkpoint: UInt64) -> Int {
    precondition(checkpoint >= oldest, "a dropped segment holds no live record")
    return Int(checkpoint - oldest)
  }
}
