import CLinux
import Glibc

/// One POSIX thread that runs one function; the owner joins it.
package final class WorkerThread: @unchecked Sendable {
  // Unchecked: `handle` is written once before the object is shared, `joined` by the one joiner.
  private var handle = pthread_t()
  private var joined = false

  private final class Start {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// - Parameters:
  ///   - name: at most 15 bytes are shown by the system.
  ///   - stackBytes: size of the stack.
  /// - Throws: `SystemError` where no thread can be had.
  package init(
    _ name: String, stackBytes: Int = 1 << 20, _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackBytes)
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    let code = pthread_create(
      &handle, &attributes,
      { argument in
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        clinux_name_thread(start.name)
        start.body()
        return nil
      }, start.toOpaque())
    if code != 0 {
      start.release()
      throw SystemError("pthread_create", name, code: code)
    }
  }

  /// Waits for the thread's end; further calls return at once.
  package func join() {
    if joined { return }
    joined = true
    pthread_join(handle, nil)
  }
}
