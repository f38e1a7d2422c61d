import SessionModel
import Testing
import Windowing

@Suite struct WatermarksTests {
  static func marks(partitions: Int32) -> Watermarks {
    var marks = Watermarks(gap: 300, outOfOrderness: 60)
    for partition in 0..<partitions { marks.add(partition: partition) }
    return marks
  }

  @Test func `the watermark is the least greatest time less the out-of-orderness`() {
    var marks = Self.marks(partitions: 2)
    #expect(marks.admit(1_000, partition: 0) == nil)
    #expect(marks.watermark == .never, "a partition without an event holds it back")
    #expect(marks.admit(500, partition: 1) == nil)
    #expect(marks.watermark == 440)
    #expect(marks.admit(2_000, partition: 1) == nil)
    #expect(marks.watermark == 940)
  }

  @Test(
    arguments: [(939, LateReason.behindPartition), (940, nil)] as [(Microseconds, LateReason?)])
  func `an event is late below the watermark of its partition, not at it`(
    time: Microseconds, reason: LateReason?
  ) {
    var marks = Self.marks(partitions: 2)
    _ = marks.admit(1_000, partition: 0)
    #expect(marks.admit(time, partition: 0) == reason)
  }

  @Test func `lateness is judged before the event moves the watermark`() {
    var marks = Self.marks(partitions: 1)
    _ = marks.admit(1_000, partition: 0)
    #expect(marks.admit(5_000, partition: 0) == nil)
    #expect(marks.admit(4_940, partition: 0) == nil)
    #expect(marks.admit(4_939, partition: 0) == .behindPartition)
  }

  @Test func `an idle partition leaves the minimum and its next event may be late`() {
    var marks = Self.marks(partitions: 2)
    _ = marks.admit(1_000, partition: 0)
    marks.setIdle(true, partition: 1)
    #expect(marks.watermark == 940)
    #expect(marks.admit(900, partition: 1) == .behindWatermark)
    #expect(!marks.isIdle(1))
    #expect(marks.watermark == 940, "it never goes back")
  }

  @Test func `with every partition idle the watermark stays`() {
    var marks = Self.marks(partitions: 2)
    _ = marks.admit(1_000, partition: 0)
    _ = marks.admit(2_000, partition: 1)
    marks.setIdle(true, partition: 1)
    marks.setIdle(true, partition: 0)
    #expect(marks.watermark == 940)
  }

  @Test func `when the last partition reaches its stop the greatest counts`() {
    var marks = Self.marks(partitions: 2)
    _ = marks.admit(1_000, partition: 0)
    _ = marks.admit(2_000, partition: 1)
    marks.retire(1)
    #expect(marks.watermark == 940)
    marks.retire(0)
    #expect(marks.watermark == 1_940)
  }

  @Test func `the close line follows one gap behind and a flush lifts both`() {
    var marks = Self.marks(partitions: 1)
    let early = marks.flush()
    #expect(!early, "nothing was seen")
    _ = marks.admit(1_000, partition: 0)
    marks.sweep()
    #expect(marks.closeLine == 640)
    let first = marks.flush()
    let again = marks.flush()
    #expect(first && !again, "the second closes nothing")
    #expect(marks.watermark == 1_001 && marks.closeLine == 1_001)
    #expect(marks.admit(1_001, partition: 0) == nil, "a newer event is never late")
    #expect(marks.admit(1_000, partition: 0) == .behindWatermark)
  }
}

@Suite struct AlignmentTests {
  static func held(_ partitions: [(Microseconds, Bool)]) -> [Int32] {
    Alignment.held(
      partitions.enumerated().map {
        Alignment.Partition(number: Int32($0), watermark: $1.0, hasMore: $1.1)
      }, maxDrift: 100)
  }

  @Test func `a partition waits while it is more than the drift ahead`() {
    #expect(Self.held([(1_000, true), (1_100, true), (1_101, true)]) == [2])
  }

  @Test func `a partition that has nothing left holds nobody`() {
    #expect(Self.held([(0, false), (1_000, true), (1_050, true)]) == [])
    #expect(Self.held([(0, false), (1_000, false)]) == [])
  }

  @Test func `a partition without an event yet holds all that have some`() {
    #expect(Self.held([(.never, true), (.never, true), (5_000, true)]) == [2])
  }
}

@Suite struct IdleTrackerTests {
  @Test func `idleness needs silence, then a question, then an end that was read`() {
    var tracker = IdleTracker(timeout: 100)
    tracker.add(partition: 0, now: 0)
    #expect(tracker.due(now: 99) == [])
    #expect(tracker.due(now: 100) == [0])
    #expect(tracker.due(now: 124) == [], "it is asked once a quarter")
    #expect(tracker.due(now: 125) == [0])
    func answer(_ sentAt: Int64, _ end: Int64?, pending: Bool = false) -> Bool {
      tracker.answered(0, sentAt: sentAt, end: end, readUpTo: 10, hasPending: pending)
    }
    #expect(!answer(99, 10), "sent before the silence was long enough")
    #expect(!answer(125, 11), "there is more to read")
    #expect(!answer(125, 10, pending: true))
    #expect(answer(125, 10))
    #expect(tracker.allIdle)
    #expect(!answer(150, nil), "a failed question ends it")
    #expect(!tracker.allIdle)
  }

  @Test func `a new event ends idleness and starts the silence anew`() {
    var tracker = IdleTracker(timeout: 100)
    tracker.add(partition: 0, now: 0)
    _ = tracker.due(now: 100)
    _ = tracker.answered(0, sentAt: 100, end: 5, readUpTo: 5, hasPending: false)
    #expect(tracker.allIdle)
    tracker.delivered(0, now: 150)
    #expect(!tracker.allIdle)
    #expect(tracker.due(now: 249) == [])
    #expect(tracker.due(now: 250) == [0])
  }
}
