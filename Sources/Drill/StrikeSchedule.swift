package import SessionModel

/// Decides what strikes next, and when; pure: the same seed and observations give the same decisions.
///
/// Strikes are spread over the log by feedback. Strike `i` of `n` belongs to the record at `(i+1)/n`
/// of nearly all of the log. Where the state is ahead of it, the next life dies while it starts or
/// just after its first record; where the state is behind, it reads for a random span whose mean
/// makes up for it. So strikes fall into every phase, and the log lasts until the last one.
package struct StrikeSchedule {
  /// When to strike.
  package enum Moment: Equatable {
    /// So long after the process began, whether it has read anything or not; µs.
    case startingUp(after: Microseconds)
    /// So long after the first new record, or after the strike before that it survived; µs.
    case reading(after: Microseconds)
  }

  /// By strike. Each fault is as frequent as the others.
  package let faults: [Fault]
  /// Kills at the end, of lives that read to the end of the log and close every session.
  package let closingKills: Int

  /// One strike in this many falls into the start whatever has been read.
  private static let startOneIn: Int64 = 8
  /// One strike of this many is a closing kill.
  private static let closingOneIn = 50
  /// "Just after the first record".
  private static let shortly: Microseconds = 5_000
  /// The share of the log that the strikes but the closing kills are spread over, per cent.
  private static let share: UInt64 = 96
  /// Observations weigh this much less with each newer one, per cent.
  private static let memory: Int64 = 90

  private let events: UInt64
  private var random: DrillRandom
  /// From exec to the first new record, as observed.
  private var startUp: Microseconds = 50_000
  /// Records that became durable while reading, and the time that it took; decaying sums.
  private var records: Int64 = 20_000
  private var readingTime: Microseconds = 100_000

  package init(faults: [Fault], strikes: Int, events: Int, seed: UInt64) {
    precondition(!faults.isEmpty && strikes > 0 && events > 0, "a drill has something to do")
    self.events = UInt64(events)
    random = DrillRandom(seed: seed)
    let closing = faults.contains(.kill) ? strikes / StrikeSchedule.closingOneIn : 0
    var dealt: [Fault] = []
    while dealt.count < strikes - closing {
      var deck = faults
      while !deck.isEmpty { dealt.append(deck.remove(at: Int(random.below(Int64(deck.count))))) }
    }
    self.faults = Array(dealt.prefix(strikes - closing))
    closingKills = closing
  }

  /// - Parameters:
  ///   - strike: counts from 0.
  ///   - progress: records that the state reflects.
  package mutating func moment(of strike: Int, progress: UInt64) -> Moment {
    let target = target(of: strike)
    if progress >= target {
      return random.oneIn(2)
        ? inStartUp() : .reading(after: random.below(StrikeSchedule.shortly))
    }
    if random.oneIn(StrikeSchedule.startOneIn) { return inStartUp() }
    let span = Int64(target - progress) * readingTime / max(1, records)
    return .reading(after: min(random.below(2 * span + 2), DrillLimits.longestReading))
  }

  /// How far the state should be at a strike, in records.
  package func target(of strike: Int) -> UInt64 {
    events * StrikeSchedule.share / 100 * UInt64(strike + 1) / UInt64(max(1, faults.count))
  }

  /// A moment of a life that reads to the end and closes everything.
  ///
  /// - Parameter length: how long such a life was observed to be; nil: none was.
  package mutating func closingMoment(progress: UInt64, length: Microseconds?) -> Microseconds {
    let rest = Int64(events - min(progress, events)) * readingTime / max(1, records)
    return random.below(min(length ?? (startUp + 2 * rest), DrillLimits.longestReading) + 1)
  }

  private mutating func inStartUp() -> Moment { .startingUp(after: random.below(startUp + 1)) }

  /// A life's time from exec to its first new record, µs.
  package mutating func observe(startUp span: Microseconds) {
    startUp = (startUp * StrikeSchedule.memory + span * (100 - StrikeSchedule.memory)) / 100
  }

  /// How many records became durable within a span after the first one, µs.
  package mutating func observe(records count: UInt64, within span: Microseconds) {
    records = max(1, records * StrikeSchedule.memory / 100 + Int64(count))
    readingTime = max(1, readingTime * StrikeSchedule.memory / 100 + span)
  }
}
