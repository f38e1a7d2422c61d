import Glibc
import Platform
import SessionModel

/// SIGTERM and SIGINT as a clean end: one thread waits for them, all others never see them.
enum Signals {
  /// Blocks both signals in this thread and all that it starts from now on.
  static func block() {
    var set = endings
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Calls `body` on a thread of its own at the first of the two signals; a second one ends the
  /// process at once, which the state survives as it survives any kill.
  static func onEnding(_ body: @escaping @Sendable () -> Void) throws(CommandFailure) {
    do throws(SystemError) {
      _ = try WorkerThread("signals") {
        var set = endings
        var number: Int32 = 0
        while sigwait(&set, &number) != 0 {}
        body()
        while sigwait(&set, &number) != 0 {}
        _exit(128 + number)
      }
    } catch {
      throw CommandFailure(error, state: .untouched)
    }
  }

  /// Waits for one of the two signals.
  static func waitForEnding() {
    var set = endings
    var number: Int32 = 0
    while sigwait(&set, &number) != 0 {}
  }

  private static var endings: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTERM)
    sigaddset(&set, SIGINT)
    return set
  }
}
