/// A session as a value: the fold over its events.
package struct Session: Equatable, Sendable {
  package var first: EventPoint
  package var last: EventPoint
  package var eventCount: UInt64
  package var pageViews: UInt64 = 0
  package var pages = PageSet()
  /// The checkpoint that was being gathered when the session's first-read event came.
  package var firstSeenCheckpoint: UInt64
  /// Of the first event: url, referrer, host, browser, operating system, device, ip; nil for null.
  package var landingURL: [UInt8]?
  package var referrer: [UInt8]?
  package var host: [UInt8]?
  package var browserFamily: [UInt8]?
  package var osFamily: [UInt8]?
  package var deviceFamily: [UInt8]?
  /// Nil where it is a key field.
  package var ip: [UInt8]?
  /// The url of the last event.
  package var exitURL: [UInt8]?
  /// The last event's visitor; nil for none, and where it is a key field.
  package var userID: [UInt8]?

  package init(
    first: EventPoint, last: EventPoint, eventCount: UInt64, firstSeenCheckpoint: UInt64
  ) {
    self.first = first
    self.last = last
    self.eventCount = eventCount
    self.firstSeenCheckpoint = firstSeenCheckpoint
  }
}

/// All sessions of one key that are not yet rows: the unit of the state, packed into bytes.
///
/// Little-endian, without padding:
///
/// | bytes | what |
/// | --- | --- |
/// | 2 + n | key: length, UTF-8: its fields joined as `KeyLayout` says |
/// | 2 | number of sessions, at least 1, at most 65,535 |
/// | … | the sessions, by first event |
///
/// A session: first event (i64 time, i32 partition, i64 offset), last event (the same), u64 event
/// count, u64 first-seen checkpoint, u64 page views: 64 bytes, then seven texts of the first event as u16
/// length (0xFFFF: null) and bytes: landing URL, referrer, host, browser, operating system, device,
/// ip; then the pages (`PageSet`); then two texts of the last event: exit URL, user_id. What later
/// events change stands last, so that the next event of a key's only session changes the record's
/// tail alone. user_id and ip are null where they are key fields.
package struct SessionRecord: Equatable, Sendable {
  package var key: [UInt8]
  /// By `first`; never empty in a stored record.
  package var sessions: [Session]

  package init(key: [UInt8], sessions: [Session]) {
    self.key = key
    self.sessions = sessions
  }

  /// Bytes of the fixed part of a session.
  package static let fixedSessionBytes = 64
  /// Texts of a session.
  package static let textCount = 9
  /// The first of those that are the last event's.
  package static let firstOfLast = 7
  package static let nullLength = UInt16.max

  /// Appends the packed form.
  package func append(to bytes: inout [UInt8]) {
    PackedText.append(text: key, to: &bytes)
    PackedText.append(UInt16(sessions.count), to: &bytes)
    for session in sessions { session.append(to: &bytes) }
  }

  /// Unpacks a record.
  ///
  /// - Returns: nil unless `bytes` is exactly one packed record.
  package init?(packed bytes: UnsafeRawBufferPointer) {
    var reader = PackedReader(bytes)
    guard let key = reader.text(), let key, let count = reader.integer(UInt16.self), count > 0
    else { return nil }
    self.init(key: key, sessions: [])
    for _ in 0..<count {
      guard let session = Session(from: &reader) else { return nil }
      sessions.append(session)
    }
    guard reader.isAtEnd else { return nil }
  }
}

extension Session {
  /// Appends the packed form.
  package func append(to bytes: inout [UInt8]) {
    for point in [first, last] {
      PackedText.append(point.time, to: &bytes)
      PackedText.append(point.partition, to: &bytes)
      PackedText.append(point.offset, to: &bytes)
    }
    PackedText.append(eventCount, to: &bytes)
    PackedText.append(firstSeenCheckpoint, to: &bytes)
    PackedText.append(pageViews, to: &bytes)
    for text in [landingURL, referrer, host, browserFamily, osFamily, deviceFamily, ip] {
      PackedText.append(text: text, to: &bytes)
    }
    pages.append(to: &bytes)
    for text in [exitURL, userID] { PackedText.append(text: text, to: &bytes) }
  }

  /// Unpacks a session; nil where the bytes end too early.
  package init?(from reader: inout PackedReader) {
    guard let first = reader.point(), let last = reader.point(),
      let eventCount = reader.integer(UInt64.self), let checkpoint = reader.integer(UInt64.self),
      let pageViews = reader.integer(UInt64.self)
    else { return nil }
    self.init(
      first: first, last: last, eventCount: eventCount, firstSeenCheckpoint: checkpoint)
    self.pageViews = pageViews
    guard let landing = reader.text(), let referrer = reader.text(), let host = reader.text(),
      let browser = reader.text(), let os = reader.text(), let device = reader.text(),
      let ip = reader.text(), let pages = PageSet(from: &reader), let exit = reader.text(),
      let userID = reader.text()
    else { return nil }
    landingURL = landing
    self.referrer = referrer
    self.host = host
    browserFamily = browser
    osFamily = os
    deviceFamily = device
    self.ip = ip
    self.pages = pages
    exitURL = exit
    self.userID = userID
  }
}

/// Little-endian integers and length-prefixed texts, appended to bytes.
package enum PackedText {
  package static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  package static func append(text: [UInt8]?, to bytes: inout [UInt8]) {
    guard let text else { return append(SessionRecord.nullLength, to: &bytes) }
    precondition(text.count < Int(SessionRecord.nullLength), "kept texts are bounded by Limits")
    append(UInt16(text.count), to: &bytes)
    bytes.append(contentsOf: text)
  }
}

/// Reads what `PackedText` wrote; every read checks that the bytes are there.
package struct PackedReader {
  private let bytes: UnsafeRawBufferPointer
  private var place = 0

  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  package var isAtEnd: Bool { place == bytes.count }

  package mutating func integer<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
    let width = MemoryLayout<Number>.size
    guard bytes.count - place >= width else { return nil }
    defer { place += width }
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Number.self))
  }

  /// - Returns: nil where the bytes end too early; inside, nil for a null text.
  package mutating func text() -> [UInt8]?? {
    guard let length = integer(UInt16.self) else { return nil }
    if length == SessionRecord.nullLength { return .some(nil) }
    guard bytes.count - place >= Int(length) else { return nil }
    defer { place += Int(length) }
    return .some(Array(bytes[place..<(place + Int(length))]))
  }

  package mutating func point() -> EventPoint? {
    guard let time = integer(Int64.self), let partition = integer(Int32.self),
      let offset = integer(Int64.self)
    else { return nil }
    return EventPoint(time: time, partition: partition, offset: offset)
  }
}
