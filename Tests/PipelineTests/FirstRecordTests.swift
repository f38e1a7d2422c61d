import EventSources
import Pipeline
import SessionModel
import StateStore
import TestSupport
import Testing

@Test func `a run tells once that its first new record was processed, and not without one`() throws
{
  let event = LoggedEvent(
    point: EventPoint(time: 100 * .perSecond, partition: 0, offset: 0), userID: "1", ip: "a",
    url: "/", referrer: nil)
  let job = TestJob(gap: .perSecond, outOfOrderness: 0)
  var told = 0
  for (life, records) in [0, 3, 3, 4].enumerated() {
    let log = [[UInt8]](repeating: event.json, count: records)
    _ = try job.run(try MemorySource([log]), owner: UInt8(life), firstRecord: { told += 1 })
    // The third life finds nothing new.
    #expect(told == [0, 1, 1, 2][life])
  }
}
