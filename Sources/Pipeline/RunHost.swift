package import Platform
package import SessionModel

/// What a run has around it: clocks, workers beside its own thread, and waiting for them.
///
/// All that touches threads, clocks and blocking waits in this target goes through it. `ThreadHost`
/// is the operating system; a simulator runs everything in one thread, under a time of its own.
package protocol RunHost: Sendable {
  /// Time since some fixed point, µs; never jumps.
  var monotonic: Int64 { get }

  /// Time since 1970-01-01T00:00:00Z as this machine believes it to be.
  var wall: Microseconds { get }

  /// Begins a worker; its steps follow until it has ended.
  ///
  /// - Throws: `RunFailure` where it cannot be had.
  func start(_ name: String, _ worker: any Worker) throws(RunFailure) -> any RunningWorker

  /// Waits until `take` returns something, asking it again after each change of the monitor.
  ///
  /// - Parameter deadline: `monotonic`; nil waits without end.
  /// - Returns: nil if the deadline passed first.
  func wait<Value, Result>(
    for monitor: Monitor<Value>, until deadline: Int64?, _ take: (inout Value) -> sending Result?
  ) -> sending Result?
}

/// Work that goes on beside the processing thread. One thread at a time calls `step`.
package protocol Worker: AnyObject, Sendable {
  /// Does a piece of work. It may block in what the work itself calls, never for other threads.
  func step() -> WorkerStep
}

/// What a worker wants after a step.
package enum WorkerStep: Equatable, Sendable {
  /// The next step at once.
  case again
  /// The next step when it is woken, or at a time (`RunHost.monotonic`) if there is one. It may
  /// come early: the worker looks for itself.
  case wait(until: Int64?)
  /// No step any more.
  case ended
}

/// A worker that was started.
package protocol RunningWorker: Sendable {
  /// Has the next step follow, now or after the present one. Any thread may call it.
  func wake()

  /// Waits for the worker's end; past the deadline it is left to itself, to end with the process.
  ///
  /// - Parameter deadline: `RunHost.monotonic`; nil waits without end.
  func waitForEnd(until deadline: Int64?)
}
