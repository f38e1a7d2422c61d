package import SessionModel

/// Reads and changes a packed session record in place, without unpacking it; the layout is
/// `SessionRecord`'s.
///
/// The bytes are trusted: they were packed here, or checked by `isWellFormed` when they were read.
package enum PackedRecord {
  private static let countBytes = 2

  /// Where a session's parts stand, from its beginning.
  package enum Field {
    package static let firstTime = 0
    package static let firstPartition = 8
    package static let firstOffset = 12
    package static let lastTime = 20
    package static let lastPartition = 28
    package static let lastOffset = 32
    package static let eventCount = 40
    package static let firstSeenCheckpoint = 48
    package static let pageViews = 56
    package static let texts = SessionRecord.fixedSessionBytes
  }

  /// The key's fields, joined.
  package static func key(of record: UnsafeRawPointer) -> TextView {
    TextView(
      start: record + 2, count: Int(record.loadUnaligned(fromByteOffset: 0, as: UInt16.self)))
  }

  /// Where the number of sessions stands; the sessions follow it.
  static func countOffset(of record: UnsafeRawPointer) -> Int {
    2 + Int(record.loadUnaligned(fromByteOffset: 0, as: UInt16.self))
  }

  /// Where the first session begins.
  static func firstSession(of record: UnsafeRawPointer) -> Int {
    countOffset(of: record) + countBytes
  }

  /// Where the last session begins.
  static func lastSession(of record: UnsafeRawPointer) -> Int {
    var place = firstSession(of: record)
    for _ in 1..<sessionCount(of: record) { place += sessionLength(record + place) }
    return place
  }

  static func sessionCount(of record: UnsafeRawPointer) -> Int {
    Int(record.loadUnaligned(fromByteOffset: countOffset(of: record), as: UInt16.self))
  }

  static func setSessionCount(_ count: Int, of record: UnsafeMutableRawPointer) {
    record.storeBytes(
      of: UInt16(count), toByteOffset: countOffset(of: UnsafeRawPointer(record)), as: UInt16.self)
  }

  /// A text of a session: 0 landing URL … 6 ip, 7 exit URL, 8 user_id.
  package static func text(_ index: Int, of session: UnsafeRawPointer) -> TextView? {
    let place = textOffset(index, of: session)
    let length = session.loadUnaligned(fromByteOffset: place, as: UInt16.self)
    if length == SessionRecord.nullLength { return nil }
    return TextView(start: session + place + 2, count: Int(length))
  }

  /// Where a text's length stands, from the session's beginning; index 9 is the session's end.
  static func textOffset(_ index: Int, of session: UnsafeRawPointer) -> Int {
    if index < SessionRecord.firstOfLast {
      return skip(index, from: Field.texts, of: session)
    }
    let pages = pagesOffset(of: session)
    return skip(
      index - SessionRecord.firstOfLast, from: pages + pagesLength(session + pages), of: session)
  }

  /// Behind so many texts.
  private static func skip(_ texts: Int, from start: Int, of session: UnsafeRawPointer) -> Int {
    var place = start
    for _ in 0..<texts {
      let length = session.loadUnaligned(fromByteOffset: place, as: UInt16.self)
      place += 2 + (length == SessionRecord.nullLength ? 0 : Int(length))
    }
    return place
  }

  /// Where the pages stand, behind the first event's texts.
  static func pagesOffset(of session: UnsafeRawPointer) -> Int {
    skip(SessionRecord.firstOfLast, from: Field.texts, of: session)
  }

  /// Bytes of a packed `PageSet`.
  static func pagesLength(_ pages: UnsafeRawPointer) -> Int {
    let count = pages.loadUnaligned(as: UInt16.self)
    return 2 + (count == PageSet.more ? 0 : 8 * Int(count))
  }

  static func sessionLength(_ session: UnsafeRawPointer) -> Int {
    textOffset(SessionRecord.textCount, of: session)
  }

  static func point(
    of session: UnsafeRawPointer, at field: Int
  ) -> EventPoint {
    EventPoint(
      time: session.loadUnaligned(fromByteOffset: field, as: Int64.self),
      partition: session.loadUnaligned(fromByteOffset: field + 8, as: Int32.self),
      offset: session.loadUnaligned(fromByteOffset: field + 12, as: Int64.self))
  }

  static func store(_ point: EventPoint, in session: UnsafeMutableRawPointer, at field: Int) {
    session.storeBytes(of: point.time, toByteOffset: field, as: Int64.self)
    session.storeBytes(of: point.partition, toByteOffset: field + 8, as: Int32.self)
    session.storeBytes(of: point.offset, toByteOffset: field + 12, as: Int64.self)
  }

  package static func firstTime(of session: UnsafeRawPointer) -> Microseconds {
    session.loadUnaligned(fromByteOffset: Field.firstTime, as: Int64.self)
  }

  package static func lastTime(of session: UnsafeRawPointer) -> Microseconds {
    session.loadUnaligned(fromByteOffset: Field.lastTime, as: Int64.self)
  }

  package static func eventCount(of session: UnsafeRawPointer) -> UInt64 {
    session.loadUnaligned(fromByteOffset: Field.eventCount, as: UInt64.self)
  }

  package static func pages(of session: UnsafeRawPointer) -> PageCounts {
    let count = session.loadUnaligned(fromByteOffset: pagesOffset(of: session), as: UInt16.self)
    return PageCounts(
      views: session.loadUnaligned(fromByteOffset: Field.pageViews, as: UInt64.self),
      distinct: count == PageSet.more ? UInt64(PageSet.limit + 1) : UInt64(count))
  }

  /// Whether bytes are exactly one packed record, so that the functions above stay inside them, and
  /// its sessions are such as events make: in order, apart, and within the times that there are.
  package static func isWellFormed(_ bytes: UnsafeRawBufferPointer) -> Bool {
    func length(at place: Int) -> Int? {
      guard place + 2 <= bytes.count else { return nil }
      return Int(bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self))
    }
    guard let key = length(at: 0), key != SessionRecord.nullLength,
      let sessions = length(at: 2 + key), sessions > 0
    else { return false }
    var place = 4 + key
    var before = Microseconds(-1)
    for _ in 0..<sessions {
      guard place + Field.texts <= bytes.count,
        let last = end(of: bytes.baseAddress! + place, after: before)
      else { return false }
      before = last
      place += Field.texts
      for index in 0..<SessionRecord.textCount {
        if index == SessionRecord.firstOfLast {
          guard let length = wellFormedPages(bytes, at: place) else { return false }
          place += length
        }
        guard let text = length(at: place) else { return false }
        place += 2 + (text == Int(SessionRecord.nullLength) ? 0 : text)
      }
    }
    return place == bytes.count
  }

  /// The length of a packed `PageSet`; nil where there is none.
  private static func wellFormedPages(_ bytes: UnsafeRawBufferPointer, at place: Int) -> Int? {
    guard place <= bytes.count else { return nil }
    var reader = PackedReader(UnsafeRawBufferPointer(rebasing: bytes[place...]))
    guard let pages = PageSet(from: &reader) else { return nil }
    return 2 + 8 * (pages.hashes?.count ?? 0)
  }

  /// The last time of a session that can be; nil for any other.
  private static func end(
    of session: UnsafeRawPointer, after before: Microseconds
  ) -> Microseconds? {
    let first = point(of: session, at: Field.firstTime)
    let last = point(of: session, at: Field.lastTime)
    let count = eventCount(of: session)
    let views = session.loadUnaligned(fromByteOffset: Field.pageViews, as: UInt64.self)
    guard views <= count, first.time > before, first <= last, last.time <= .latest, count > 0,
      count < 1 << 58
    else { return nil }
    return last.time
  }
}
