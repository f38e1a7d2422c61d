import Simulator
import Testing

/// Every case of a small scope, with nothing left to chance. `sojourn-simulator --scope 4` runs the
/// same from a shell; a case that differs is in the message.
@Suite struct SmallScopeTests {
  @Test func `up to four events in every order, killed at each step, give the batch job's rows`() {
    let result = SmallScope(events: 4).run { Issue.record("\($0)") }
    print("small scope: \(result)")
    #expect(result.logs == 440)
    #expect(result.kills > 30_000)
    #expect(result.restarts > 4_000)
  }

  @Test func `closing all sessions before any event loses and doubles nothing`() {
    let result = SmallScope(events: 3, flushes: true).run { Issue.record("\($0)") }
    print("small scope with flushes: \(result)")
    #expect(result.logs == 71)
    #expect(result.kills > 10_000)
    #expect(result.restarts > 1_500)
  }
}
