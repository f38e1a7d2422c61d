import Drill
import Glibc
import Platform
import SessionModel

/// How long a run takes from exec to its first new record, with many sessions open in its state.
enum RecoveryBench {
  private static let rounds = 11
  private static let patience = 60 * Microseconds.perSecond

  static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count == 3, let sessions = Int(arguments[1]) else { return usage() }
    do {
      try measure(sojourn: arguments[0], sessions: sessions, directory: arguments[2])
      return 0
    } catch {
      say("\(error)")
      return 1
    }
  }

  private static func measure(sojourn: String, sessions: Int, directory: String) throws {
    let cluster = try BenchCluster(
      sojourn, topic: "recovery", partitions: 32, directory: directory)
    defer { cluster.stop() }
    // All within a second or so, in which hardly a visitor comes twice, and no session closes.
    let events = sessions * 6 / 5
    say("opening about \(sessions) sessions with \(events) events")
    try cluster.feed(traffic(events, seed: 1, second: 0, rate: sessions, visitors: events * 40))
    let run = runArguments(cluster.brokers, directory: directory)
    let first = try ChildProcess(
      sojourn, run + ["--stop-at-end"], standardOutput: directory + "/first.out",
      standardError: directory + "/first.err")
    guard first.wait() == .exited(0) else {
      throw BenchFailure("the first run failed; see \(directory)/first.err")
    }
    var spread = Spread()
    var note = ""
    for round in 1...rounds {
      try cluster.feed(
        traffic(2_000, seed: round + 1, second: 2 + round, rate: 2_000, visitors: 1_000_000))
      let life = try Life(sojourn, run)
      defer { life.kill() }
      let deadline = Clock.monotonic + patience
      while life.startUp == nil, life.end == nil, Clock.monotonic < deadline {
        life.listen(until: Clock.monotonic + 10 * .perMillisecond)
      }
      guard let span = life.startUp, let line = life.messages.last(where: FirstRecordNote.isNote)
      else { throw BenchFailure("no new record after \(patience / .perSecond) s") }
      spread.add(span)
      note = line
    }
    say("the last of \(rounds) starts: " + note)
    report(spread)
  }

  private static func traffic(
    _ events: Int, seed: Int, second: Int, rate: Int, visitors: Int
  ) -> [String] {
    [
      "--events", "\(events)", "--seed", "\(seed)", "--rate", "\(rate)", "--visitors",
      "\(visitors)", "--start", "\(1_735_689_600_000 + second * 1_000)",
    ]
  }

  private static func runArguments(_ brokers: String, directory: String) -> [String] {
    [
      "run", "--brokers", brokers, "--topic", "recovery", "--state", directory + "/state",
      "--sink", "jsonl:\(directory)/rows", "--idle-timeout", "off", "--quiet-close", "off",
      "--max-future-skew", "off", "--checkpoint-interval", "500ms",
    ]
  }

  private static func report(_ spread: Spread) {
    func milliseconds(_ share: Double) -> Int64 { spread.quantile(share)! / .perMillisecond }
    print("| from exec to the first new record, SIGKILL before each | ms |")
    print("| --- | --- |")
    for (name, share) in [("least", 0), ("median", 0.5), ("greatest", 1)] {
      print("| \(name) of \(spread.count) | \(milliseconds(share)) |")
    }
  }
}
