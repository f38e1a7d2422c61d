import Glibc
import SessionModel
import TestSupport

/// What a simulation's processes share: time, chance, and who may go on.
///
/// Everything runs in one thread. A process's own thread is the call stack; whenever it waits, and
/// wherever it takes records, workers of all processes are chosen by the seeded generator and take
/// a step. Where nobody can go on, time jumps to the next moment that somebody waits for.
final class World: @unchecked Sendable {
  // Unchecked: one thread.
  var random: RandomNumbers
  /// Monotonic time, µs.
  private(set) var now: Int64 = 1_000_000
  var coverage = Coverage()
  /// What is wrong, the first time that something is.
  private(set) var finding: String?
  /// A hash of everything that was chosen and done, to prove that a seed repeats itself.
  private(set) var digest: UInt64 = 0
  private var workers: [SimulatedWorker] = []
  private var moves = 0
  /// Once in so many steps a worker is held up; 0 for never.
  var stallRate = 0

  /// Beyond so many moves a seed does not end.
  private static let moveLimit = 200_000
  /// What the machines take for the present: far behind every event time.
  static let wallBase: Microseconds = 2_000_000_000 * .perSecond

  private let seed: UInt64

  init(seed: UInt64) {
    self.seed = seed
    random = RandomNumbers(seed: seed)
  }

  func report(_ what: String) { if finding == nil { finding = what } }

  func note(_ number: Int) {
    digest = (digest ^ UInt64(truncatingIfNeeded: number)) &* 0x100_0000_01B3
  }

  func oneIn(_ rate: Int, _ disturbance: Disturbance) -> Bool {
    guard rate > 0, random.oneIn(rate) else { return false }
    coverage.count(disturbance)
    return true
  }

  func add(_ worker: SimulatedWorker) { workers.append(worker) }

  func removeWorkers(of process: SimulatedProcess) { workers.removeAll { $0.process === process } }

  /// Lets some workers that can go on do so; time goes on a little.
  func letOthersRun() {
    for _ in 0..<random.below(4) {
      now += Int64(random.below(400))
      guard stepSomebody() else { return }
    }
  }

  /// Lets one worker take a step, or time go on to what is waited for.
  ///
  /// - Returns: false once the deadline has passed.
  func moveOn(until deadline: Int64?) -> Bool {
    moves += 1
    if moves > World.moveLimit { fatalStop("the run does not end") }
    if let deadline, now >= deadline { return false }
    now += Int64(random.below(100))
    if stepSomebody() { return true }
    let moments = workers.compactMap(\.nextMoment) + (deadline.map { [$0] } ?? [])
    guard let next = moments.min() else { fatalStop("nobody can go on: a wait without an end") }
    now = max(now, next)
    return true
  }

  private func stepSomebody() -> Bool {
    let ready = workers.filter { $0.isReady(now) }
    guard !ready.isEmpty else { return false }
    let worker = random.pick(ready)
    note(worker.number)
    worker.step()
    if oneIn(stallRate, .workerStalled) {
      worker.stall(until: now + random.pick([1_000, 50_000, 400_000, 3 * .perSecond]))
    }
    return true
  }

  /// A hang has no way out through the run under test: the program ends, naming the seed.
  private func fatalStop(_ what: String) -> Never {
    print("seed \(seed): \(finding ?? what)")
    exit(1)
  }
}
