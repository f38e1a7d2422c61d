package import Platform
package import SessionModel

/// The operating system's clocks, and a thread for each worker.
package struct ThreadHost: RunHost {
  package init() {}

  package var monotonic: Int64 { Clock.monotonic }
  package var wall: Microseconds { Clock.wall }

  package func start(
    _ name: String, _ worker: any Worker
  ) throws(RunFailure) -> any RunningWorker {
    do throws(SystemError) {
      return try ThreadedWorker(name, worker)
    } catch {
      throw RunFailure(error)
    }
  }

  package func wait<Value, Result>(
    for monitor: Monitor<Value>, until deadline: Int64?, _ take: (inout Value) -> sending Result?
  ) -> sending Result? {
    monitor.wait(until: deadline, take)
  }
}

/// A worker on a thread of its own, which sleeps between wake-ups.
private final class ThreadedWorker: RunningWorker {
  private struct Bell {
    var rings = false
    var hasEnded = false
  }
  private let bell: Monitor<Bell>
  private let thread: WorkerThread

  init(_ name: String, _ worker: any Worker) throws(SystemError) {
    let bell = Monitor(Bell())
    self.bell = bell
    thread = try WorkerThread(name) {
      while ThreadedWorker.goOn(after: worker.step(), bell) {}
      bell.change { $0.hasEnded = true }
    }
  }

  private static func goOn(after step: WorkerStep, _ bell: Monitor<Bell>) -> Bool {
    switch step {
    case .again: return true
    case .ended: return false
    case .wait(let deadline):
      // A ring during the step before is still there: it is taken out by the wait alone.
      let _: Bool? = bell.wait(until: deadline) { bell in
        defer { bell.rings = false }
        return bell.rings ? true : nil
      }
      return true
    }
  }

  func wake() { bell.change { $0.rings = true } }

  func waitForEnd(until deadline: Int64?) {
    if bell.wait(until: deadline, { $0.hasEnded ? true : nil }) != nil { thread.join() }
  }
}
