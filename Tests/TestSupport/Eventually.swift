import Glibc
import Platform
import SessionModel

/// Something did not come about in time.
package struct TimedOut: Error, CustomStringConvertible {
  package let description: String

  package init(description: String) { self.description = description }
}

/// Asks again and again until there is an answer; the pause only spares the processor.
package func eventually<Answer>(
  _ what: @autoclosure () throws -> String, within seconds: Int64 = 60, _ ask: () throws -> Answer?
) throws -> Answer {
  let deadline = Clock.monotonic + seconds * .perSecond
  while true {
    if let answer = try ask() { return answer }
    if Clock.monotonic > deadline {
      throw TimedOut(description: "no \(try what()) within \(seconds) s")
    }
    usleep(5_000)
  }
}
