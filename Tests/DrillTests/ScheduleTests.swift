import Drill
import SessionModel
import Testing

/// A reader as the schedule sees it: it starts, reads at a rate, and makes durable every 20 ms.
private struct ImaginedReader {
  var startUp: Microseconds
  var perSecond: Int64
  private static let checkpointInterval: Microseconds = 20_000

  /// Records made durable until the moment.
  func records(until moment: StrikeSchedule.Moment) -> UInt64 {
    guard case .reading(let span) = moment else { return 0 }
    let durable = span / Self.checkpointInterval * Self.checkpointInterval
    return UInt64(durable * perSecond / .perSecond)
  }

  /// Lets a schedule play itself out.
  ///
  /// - Returns: the moments, and the progress before each and after the last.
  func play(
    _ schedule: inout StrikeSchedule, events: UInt64
  ) -> (moments: [StrikeSchedule.Moment], progress: [UInt64]) {
    var moments: [StrikeSchedule.Moment] = []
    var progress: [UInt64] = [0]
    for strike in schedule.faults.indices {
      let before = progress[strike]
      let moment = schedule.moment(of: strike, progress: before)
      let after = min(events, before + records(until: moment))
      if case .reading(let span) = moment {
        schedule.observe(startUp: startUp)
        schedule.observe(records: after - before, within: span)
      }
      moments.append(moment)
      progress.append(after)
    }
    return (moments, progress)
  }
}

@Suite struct ScheduleTests {
  @Test(arguments: [20_000, 100_000, 500_000, 2_000_000] as [Int64], [1, 2, 3] as [UInt64])
  func `strikes are spread over the log, which lasts until the last one`(
    perSecond: Int64, seed: UInt64
  ) {
    let events: UInt64 = 5_000_000
    var schedule = StrikeSchedule(
      faults: [.kill], strikes: 1_000, events: Int(events), seed: seed)
    let reader = ImaginedReader(startUp: 60_000, perSecond: perSecond)
    let (_, progress) = reader.play(&schedule, events: events)
    #expect(progress.last! > events * 9 / 10)
    // What a life reads in one go at this rate may be much.
    for (strike, done) in progress.dropFirst().enumerated() {
      let target = schedule.target(of: strike)
      #expect(done < target + events / 20, "strike \(strike)")
      if done >= events { #expect(strike >= 970, "the log ended at strike \(strike)") }
    }
  }

  @Test func `strikes fall into the start as well as behind the first record`() {
    var schedule = StrikeSchedule(faults: [.kill], strikes: 500, events: 1_000_000, seed: 4)
    let reader = ImaginedReader(startUp: 60_000, perSecond: 300_000)
    let moments = reader.play(&schedule, events: 1_000_000).moments
    let starts = moments.filter { if case .startingUp = $0 { true } else { false } }
    #expect(starts.count > 50 && starts.count < 450)
    let spans = starts.compactMap { moment -> Microseconds? in
      if case .startingUp(let span) = moment { span } else { nil }
    }
    #expect(spans.allSatisfy { (0...60_000).contains($0) })
    #expect(spans.min()! < 10_000 && spans.max()! > 50_000)
  }

  @Test func `every fault is struck as often as the others, closing kills apart`() {
    let faults: [Fault] = [.kill, .stop, .sinkDown]
    let schedule = StrikeSchedule(faults: faults, strikes: 306, events: 10, seed: 5)
    #expect(schedule.closingKills == 6)
    for fault in faults {
      #expect(schedule.faults.filter { $0 == fault }.count == 100)
    }
    let loss = StrikeSchedule(faults: [.stateLost], strikes: 306, events: 10, seed: 5)
    #expect(loss.closingKills == 0)
    #expect(loss.faults.count == 306)
  }

  @Test func `the same seed strikes in the same way, another one differently`() {
    let reader = ImaginedReader(startUp: 50_000, perSecond: 100_000)
    func moments(_ seed: UInt64) -> [StrikeSchedule.Moment] {
      var schedule = StrikeSchedule(
        faults: [.kill, .stop], strikes: 100, events: 100_000, seed: seed)
      return reader.play(&schedule, events: 100_000).moments
    }
    #expect(moments(6) == moments(6))
    #expect(moments(6) != moments(7))
  }
}
