import Pipeline
import Platform
import SessionModel

/// One process: what its run has around it, and when it dies.
///
/// A process that died has no effect any more: its commits and its sinks' calls fail, and its source
/// ends the run at the next call. So the run unwinds as if it had been killed at that moment.
final class SimulatedProcess: RunHost, @unchecked Sendable {
  // Unchecked: one thread.
  let world: World
  /// Tells the owners of rows apart.
  let number: Int
  private(set) var isDead = false
  /// A table refused a call of it, since another process claimed it later.
  var wasRefused = false
  /// When it last asked for records before it began to end.
  var lastReadAt: Int64 = 0
  /// It said that it leaves rows to the next process, since a service has not answered.
  var lacksGeography = false
  /// Until when it may lack a sink for a reason: one failed, or a worker is held up.
  private(set) var delayedUntil: Int64 = 0
  private var plan: CrashPlan?
  /// How many points it has passed.
  private var steps = 0
  /// Called at each.
  var onPass: () -> Void = {}
  /// What a worker has brought about in the present step: the point behind that step.
  var effect: CrashPoint?

  /// - Parameter plan: when it dies; nil for never.
  init(_ world: World, number: Int, plan: CrashPlan?) {
    self.world = world
    self.number = number
    self.plan = plan
  }

  /// The process is at a point of the protocol, and may die there.
  func pass(_ point: CrashPoint) {
    if isDead { return }
    world.note(number)
    onPass()
    steps += 1
    switch plan {
    case .at(point, let visit):
      plan = .at(point, visit: visit - 1)
      if visit <= 1 { die(point) }
    case .atStep(steps): die(point)
    case .at, .atStep, nil: break
    }
  }

  func delay(until time: Int64) { delayedUntil = max(delayedUntil, time) }

  private func die(_ point: CrashPoint) {
    isDead = true
    world.coverage.count(point)
  }

  /// Something is wrong: the simulation ends.
  func report(_ what: String) {
    world.report(what)
    isDead = true
  }

  // MARK: - RunHost

  var monotonic: Int64 { world.now }
  var wall: Microseconds { World.wallBase + world.now }

  func start(_ name: String, _ worker: any Worker) throws(RunFailure) -> any RunningWorker {
    let simulated = SimulatedWorker(name, worker, process: self)
    world.add(simulated)
    return simulated
  }

  func wait<Value, Result>(
    for monitor: Monitor<Value>, until deadline: Int64?, _ take: (inout Value) -> sending Result?
  ) -> sending Result? {
    while true {
      let result: Result? = monitor.change { take(&$0) }
      if let result { return result }
      if !world.moveOn(until: deadline) { return nil }
    }
  }
}

/// A worker that takes its steps when the world says so.
final class SimulatedWorker: RunningWorker, @unchecked Sendable {
  // Unchecked: one thread.
  unowned let process: SimulatedProcess
  let number: Int
  private let worker: any Worker
  private var next = WorkerStep.again
  private var isWoken = false
  private var stalledUntil: Int64 = 0

  init(_ name: String, _ worker: any Worker, process: SimulatedProcess) {
    self.process = process
    self.worker = worker
    number = name.utf8.reduce(process.number) { $0 &* 31 &+ Int($1) }
  }

  func isReady(_ now: Int64) -> Bool {
    if now < stalledUntil { return false }
    switch next {
    case .again: return true
    case .ended: return false
    case .wait(let deadline): return isWoken || deadline.map { $0 <= now } ?? false
    }
  }

  /// When it can go on, if nobody wakes it; nil for never.
  var nextMoment: Int64? {
    switch next {
    case .ended: nil
    case .again: stalledUntil
    case .wait(let deadline):
      isWoken ? stalledUntil : deadline.map { max($0, stalledUntil) }
    }
  }

  func step() {
    isWoken = false
    process.effect = nil
    next = worker.step()
    if let effect = process.effect { process.pass(effect) }
  }

  func stall(until time: Int64) {
    stalledUntil = time
    process.delay(until: time)
  }

  func wake() { isWoken = true }

  func waitForEnd(until deadline: Int64?) {
    while next != .ended, process.world.moveOn(until: deadline) {}
  }
}
