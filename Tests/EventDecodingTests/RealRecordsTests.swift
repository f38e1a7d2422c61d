import EventDecoding
import SessionModel
import TestSupport
import Testing

/// 10,000 real events and their sessions by Spark 4.0.1. They lie beside the package, not in it.
private enum RealRecords {
  static let events = try? repositoryFile("../shared/data/apache-2015.jsonl")
  static let sessions = try? repositoryFile("../shared/data/apache-2015.sessions.jsonl")
  static let isThere = events != nil && sessions != nil

  struct Key: Hashable {
    var userID: String
    var ip: String
  }
}

@Suite(.enabled(if: RealRecords.isThere, "../shared/data/apache-2015.jsonl is not there"))
struct RealRecordsTests {
  private func events() throws -> [DecodedEvent] {
    var decoder = EventDecoder()
    let lines = try #require(RealRecords.events).split(separator: "\n")
    return lines.compactMap { decoder.outcome(String($0)).event }
  }

  @Test func `all real records are events, decode the same again, and none is cut`() throws {
    let events = try events()
    #expect(events.count == 10_000)
    var decoder = EventDecoder()
    for event in events {
      #expect(event.cutTexts == 0)
      #expect(decoder.outcome(event.asRecord) == .event(event))
    }
    #expect(events[0].url == "/presentations/logstash-monitorama-2013/images/kibana-search.png")
    #expect(events[0].userID == "1640")
    #expect(events[0].osFamily == "Mac OS X")
  }

  @Test func `sorting and scanning the decoded events gives Spark's sessions`() throws {
    var times: [RealRecords.Key: [Microseconds]] = [:]
    for event in try events() {
      times[RealRecords.Key(userID: event.userID, ip: event.ip), default: []].append(event.time)
    }
    var sessions: [String] = []
    for (key, list) in times {
      var session: [Microseconds] = []
      for time in list.sorted() + [.max] {
        if let first = session.first, let last = session.last, time > last + 300_000_000 {
          sessions.append("\(key.userID) \(key.ip) \(first) \(last) \(session.count)")
          session = []
        }
        session.append(time)
      }
    }
    let lines = try #require(RealRecords.sessions).split(separator: "\n").map(String.init)
    let expected = try lines.map { line in
      let user = JSONLine.text("user_id", in: line) ?? ""
      let ip = try #require(JSONLine.text("ip", in: line))
      let start = try #require(JSONLine.number("session_start_us", in: line))
      let end = try #require(JSONLine.number("session_end_us", in: line))
      let count = try #require(JSONLine.number("event_count", in: line))
      return "\(user) \(ip) \(start) \(end) \(count)"
    }
    #expect(expected.count == 3_178)
    #expect(sessions.sorted() == expected.sorted())
  }
}
