import Glibc

/// The two clocks of the machine, both in µs.
package enum Clock {
  /// Time since some fixed point; never jumps. For time-outs and intervals.
  package static var monotonic: Int64 { read(CLOCK_MONOTONIC) }

  /// Time since 1970-01-01T00:00:00Z as this machine believes it to be.
  package static var wall: Int64 { read(CLOCK_REALTIME) }

  /// CPU time that all threads of this process have used.
  package static var processCPU: Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
  }
}
