import EventDecoding
import Pipeline
import SessionModel
import TestSupport

/// What a seed chooses before its first process starts.
struct Settings {
  /// Whether clocks may decide: idle partitions, quiet close, added partitions, bounded runs of a
  /// part of the log. Without them the table must be that of a batch job.
  var hasClocks: Bool
  var spans: SimulatedLog.Spans
  var lives: Int
  var tables: Int
  /// Once in so many chances; 0 for never.
  var sinkFailureRate: Int
  var stallRate: Int
  var delayRate: Int
  var failRate: Int
  /// Whether sessions that begin with a bot's event are dropped.
  var dropsBots: Bool { options.dropsBots }
  /// Chance of a geography service; nil: rows have no geography.
  var geography: RandomNumbers?
  private let options: RunOptions

  init(_ random: inout RandomNumbers, seed: UInt64) {
    hasClocks = random.oneIn(2)
    spans = SimulatedLog.Spans(
      gap: 600_000, outOfOrderness: random.pick([0, 200_000]),
      futureSkew: random.pick([nil, 50_000]))
    lives = 1 + random.below(6)
    tables = 1 + random.below(2)
    sinkFailureRate = random.pick([0, 0, 20, 5])
    stallRate = random.pick([0, 30, 8])
    delayRate = random.pick([0, 20])
    failRate = random.pick([0, 4])
    var options = Settings.options(&random, spans, hasClocks: hasClocks)
    // Not drawn, so that seeds mean what they meant before there were bots.
    options.dropsBots = seed % 5 == 2
    var geography = RandomNumbers(seed: ~seed ^ 1 << 63)
    options.geographyDeadline = nil
    options.geographyTimeToLive = geography.pick([0, 200_000, 30 * .perDay])
    self.geography = geography.oneIn(2) ? geography : nil
    self.options = options
  }

  private static func options(
    _ random: inout RandomNumbers, _ spans: SimulatedLog.Spans, hasClocks: Bool
  ) -> RunOptions {
    var options = RunOptions()
    options.gap = spans.gap
    options.outOfOrderness = spans.outOfOrderness
    options.maxFutureSkew = spans.futureSkew
    options.maxDrift = random.pick([nil, 0, 500_000])
    options.idleTimeout = hasClocks ? random.pick([150_000, 400_000]) : nil
    options.quietClose = hasClocks ? random.pick([nil, 100_000, 300_000]) : nil
    options.outboxLimit = random.pick([3, 1_000_000])
    options.decoding.timeUnit = .microseconds
    options.bounds.rowsPerCheckpoint = random.pick([1, 2, 50_000])
    options.bounds.rowsPerWrite = random.pick([1, 3, 5_000])
    options.bounds.sideRecords = random.pick([1, 4, 10_000])
    options.bounds.changedKeys = random.pick([2, 200_000])
    options.bounds.closingSessions = random.pick([2, 25_000])
    return options
  }

  /// Whether every open session is closed where the log is quiet.
  var closesQuietly: Bool { options.quietClose != nil }

  /// The options of one process; the interval between checkpoints differs from one to the next.
  func options(_ random: inout RandomNumbers, isBounded: Bool, isLast: Bool) -> RunOptions {
    var options = options
    options.isBounded = isBounded
    // Where clocks may decide, a bounded run may close all sessions though the log goes on.
    options.closeAll = isLast || (isBounded && hasClocks && random.oneIn(2))
    // The last one has to bring every row to its sink, however often that fails.
    options.shutdownTimeout = isLast ? 86_400 * .perSecond : random.pick([10_000, 60 * .perSecond])
    options.checkpointInterval = random.pick([0, 2_000, 50_000, .perSecond])
    return options
  }
}
