import Glibc

/// A value that several threads share: a mutex around it and a condition to wait for.
///
/// The condition counts on the monotonic clock.
package final class Monitor<Value>: @unchecked Sendable {
  // Unchecked: `value` is touched only with `mutex` held (POSIX threads' guarantee).
  private var value: Value
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  package init(_ value: sending Value) {
    self.value = value
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Runs `body` alone with the value, then wakes all that wait.
  package func change<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }
    return try body(&value)
  }

  /// Runs `body` alone with the value and wakes nobody.
  package func read<Result, Failure: Error>(
    _ body: (Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(value)
  }

  /// Waits until `take` returns something, asking it again after each change.
  ///
  /// - Parameters:
  ///   - deadline: monotonic time in µs (`Clock.monotonic`); nil waits without end.
  ///   - take: may change the value; a change made by it wakes others only if it returns a result.
  /// - Returns: nil if the deadline passed first.
  package func wait<Result>(
    until deadline: Int64? = nil, _ take: (inout Value) -> sending Result?
  ) -> sending Result? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = take(&value) {
        pthread_cond_broadcast(changed)
        return result
      }
      guard let deadline else {
        pthread_cond_wait(changed, mutex)
        continue
      }
      var time = timespec(
        tv_sec: Int(deadline / 1_000_000), tv_nsec: Int(deadline % 1_000_000) * 1_000)
      if pthread_cond_timedwait(changed, mutex, &time) == ETIMEDOUT {
        guard let result = take(&value) else { return nil }
        pthread_cond_broadcast(changed)
        return result
      }
    }
  }
}
