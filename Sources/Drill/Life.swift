import Glibc
package import Platform
package import SessionModel

/// One process of the drilled program, from exec to its end.
package final class Life {
  /// Monotonic, µs; just before the process was started.
  let startedAt: Int64
  /// When its note of the first new record arrived.
  private(set) var firstRecordAt: Int64?
  /// The last lines of its messages.
  package private(set) var messages: [String] = []
  private let child: ChildProcess
  private let pipe: LinePipe

  package init(_ program: String, _ arguments: [String]) throws(DrillFailure) {
    do throws(SystemError) {
      pipe = try LinePipe()
      startedAt = Clock.monotonic
      // Settings of this process's environment are not meant for the drilled one.
      child = try ChildProcess(
        program, arguments, environment: ["SWIFT_BACKTRACE": "enable=no"], dropping: "SOJOURN_",
        messages: pipe)
    } catch {
      throw DrillFailure(error)
    }
  }

  /// From exec to the note of the first new record, µs; nil before.
  package var startUp: Microseconds? { firstRecordAt.map { $0 - startedAt } }

  /// Nil while it runs.
  package var end: ChildProcess.End? { child.poll() }

  /// Takes messages until the deadline or the end of the process, whichever comes first.
  package func listen(until deadline: Int64) {
    repeat {
      let lines = pipe.lines(until: deadline)
      for line in lines { take(line) }
    } while !pipe.hasEnded && Clock.monotonic < deadline
  }

  private func take(_ line: String) {
    if firstRecordAt == nil, FirstRecordNote.isNote(line) { firstRecordAt = Clock.monotonic }
    messages.append(line)
    if messages.count > DrillLimits.keptMessages { messages.removeFirst() }
  }

  func signal(_ number: Int32) { child.signal(number) }

  /// SIGKILL, and waits for the end; messages written before are taken.
  @discardableResult
  package func kill() -> ChildProcess.End {
    child.signal(SIGKILL)
    let end = child.wait()
    listen(until: Clock.monotonic)
    return end
  }

  /// Waits for the end of the process by itself.
  ///
  /// - Returns: nil if the deadline passed first.
  func waitForEnd(until deadline: Int64) -> ChildProcess.End? {
    listen(until: deadline)
    // The pipe ends a moment before the process can be waited for.
    if pipe.hasEnded { return child.wait() }
    return child.poll()
  }
}
