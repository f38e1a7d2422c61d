import SessionModel
import TestSupport
import Testing
import Windowing

/// Page views and distinct pages of sessions with many pages.
@Suite struct PageTests {
  private func log(_ random: inout RandomNumbers) -> [LoggedEvent] {
    let pages = random.pick([5, 63, 64, 65, 100])
    return (0..<random.pick([20, 80, 300])).map { offset in
      // Near each other, so that they are few sessions; in no order.
      LoggedEvent(
        point: EventPoint(
          time: 1_000 + Microseconds(random.below(random.pick([20, 4_000]))), partition: 0,
          offset: Int64(offset)),
        userID: "1", ip: "a", url: "/\(random.below(pages))" + random.pick(["", "?x", ".css"]),
        referrer: nil)
    }
  }

  @Test func `in any order pages are counted as a batch job counts them`() throws {
    var most: UInt64 = 0
    for seed in 0..<40 as Range<UInt64> {
      var random = RandomNumbers(seed: seed)
      // Each event in a partition of its own: none is late until all have been read.
      let logs = log(&random).enumerated().map { index, event in
        var event = event
        event.point.partition = Int32(index)
        event.point.offset = 0
        return [event]
      }
      let task = try RandomStreamTests.run(logs, &random, .init())
      let late = Set(task.late)
      let expected = batchRows(
        logs.joined().filter { !late.contains($0.point) }, gap: SimulatedTask.gap)
      try #require(task.sink == expected, "seed \(seed)")
      for row in expected {
        most = max(most, row.withUnsafeBytes { SessionRow(bytes: $0)!.pages.distinct })
      }
    }
    #expect(most == 65)
  }

  private func views(_ url: String?, type: String? = nil) throws -> PageCounts {
    let table = SessionTable(gap: 300) { _, _, _ in preconditionFailure("nothing is on disk") }
    try withText("1") { key in
      withText(url ?? "") { text in
        withText(type ?? "") { name in
          Result {
            var event = Event()
            (event.time, event.key) = (5, key)
            event.url = url == nil ? nil : text
            event.eventType = type == nil ? nil : name
            try table.add(
              event, at: EventPoint(time: 5, partition: 0, offset: 0),
              hash: KeyHasher(seed: (1, 2)).hash(key), closeLine: .never)
          }
        }
      }
    }.get()
    try table.sweep(to: .max)
    var rows = RowBatch()
    try table.takeRows(limit: 1, into: &rows)
    var counts: PageCounts?
    rows.forEachRow { counts = $0.pages }
    return try #require(counts)
  }

  @Test(arguments: [
    ("/", true), ("", true), ("/a.html", true), ("/a.css", false), ("/a.CSS?x=1", false),
    ("/f.woff2#x", false), ("/a.css/b", true), ("/a?x=.css", true), (".js", false), ("js", true),
    ("/robots.txt", true), ("/a.woff22", true), ("https://a.example/b.PNG", false), (nil, false),
  ])
  func `without a type an event is a page view unless its path is a file's`(
    url: String?, isView: Bool
  ) throws {
    #expect(try views(url) == PageCounts(views: isView ? 1 : 0, distinct: isView ? 1 : 0))
  }

  @Test(arguments: [
    ("page", true), ("page_view", true), ("screen", true), ("track", false), ("", false),
  ])
  func `with a type the type decides`(type: String, isView: Bool) throws {
    #expect(
      try views("/a.css", type: type) == PageCounts(views: isView ? 1 : 0, distinct: isView ? 1 : 0)
    )
    #expect(try views(nil, type: type) == PageCounts(views: isView ? 1 : 0, distinct: 0))
  }
}
