import Synchronization

/// Asks a run to end cleanly: by a signal, a time limit, or another thread.
package final class StopRequest: Sendable {
  private let requested = Atomic(false)

  package init() {}

  package var isRequested: Bool { requested.load(ordering: .acquiring) }

  package func request() { requested.store(true, ordering: .releasing) }
}
