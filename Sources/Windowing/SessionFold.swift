package import SessionModel

/// The general way of one event into a key's sessions, on unpacked values: merge with every session
/// that it touches and that is not closed.
///
/// Every field is a commutative and associative fold, so that any order of the events and any tree
/// of merges gives the same session. The common case, an event that lies behind all others of its
/// key, never comes here: `SessionTable` extends the packed record in place.
package enum SessionFold {
  /// A session of one event.
  ///
  /// - Parameter key: `user_id` and `ip` are the session's own where they are no key fields.
  package static func single(
    _ event: Event, at point: EventPoint, checkpoint: UInt64, key: KeyLayout = .standard
  ) -> Session {
    var session = Session(
      first: point, last: point, eventCount: 1, firstSeenCheckpoint: checkpoint)
    let view = PageView(of: event)
    session.pageViews = view.isView ? 1 : 0
    session.pages = PageSet(view.page.map { [$0] } ?? [])
    session.landingURL = event.url.map { [UInt8]($0) }
    session.referrer = event.referrer.map { [UInt8]($0) }
    session.host = event.host.map { [UInt8]($0) }
    session.browserFamily = event.browserFamily.map { [UInt8]($0) }
    session.osFamily = event.osFamily.map { [UInt8]($0) }
    session.deviceFamily = event.deviceFamily.map { [UInt8]($0) }
    if key.ip == nil { session.ip = event.ip.isEmpty ? nil : [UInt8](event.ip) }
    session.exitURL = session.landingURL
    if key.userID == nil { session.userID = event.userID.isEmpty ? nil : [UInt8](event.userID) }
    return session
  }

  /// Two sessions of one key as one.
  package static func merge(_ one: Session, _ other: Session) -> Session {
    var merged = one.first <= other.first ? one : other
    let final = one.last >= other.last ? one : other
    merged.last = final.last
    merged.exitURL = final.exitURL
    merged.userID = final.userID
    merged.eventCount = one.eventCount + other.eventCount
    merged.pageViews = one.pageViews + other.pageViews
    merged.pages = one.pages
    merged.pages.formUnion(other.pages)
    merged.firstSeenCheckpoint = min(one.firstSeenCheckpoint, other.firstSeenCheckpoint)
    return merged
  }

  /// Whether two times lie in one cell of the grid that sessions are cut at. The cell is as good as a
  /// part of the key: what merges does not depend on the order of events.
  static func share(_ one: Microseconds, _ other: Microseconds, split: Microseconds) -> Bool {
    split == 0 || one / split == other / split
  }

  /// Adds an event's session to those of its key.
  ///
  /// - Parameters:
  ///   - sessions: by `first`; stays so.
  ///   - gap: µs; sessions exactly one gap apart still merge.
  ///   - closeLine: a session with `last` below it is closed and is not touched.
  ///   - split: sessions in different cells of this grid never merge; 0 for none.
  package static func add(
    _ added: Session, to sessions: inout [Session], gap: Microseconds, closeLine: Microseconds,
    split: Microseconds = 0
  ) {
    var merged = added
    var others: [Session] = []
    for session in sessions {
      let touches =
        session.first.time <= added.last.time + gap && added.first.time <= session.last.time + gap
        && share(session.first.time, added.first.time, split: split)
      if touches && session.last.time >= closeLine {
        merged = merge(merged, session)
      } else {
        others.append(session)
      }
    }
    let place = others.firstIndex { $0.first > merged.first } ?? others.count
    others.insert(merged, at: place)
    sessions = others
  }
}
