import Enrichment
import Testing

/// What replies of ip2location.io mean.
@Suite struct ServiceReplyTests {
  private func reply(_ status: Int, _ body: String, retryAfter: Int64 = 0) -> ServiceReply {
    ServiceReplies().reply(status: status, body: Array(body.utf8), retryAfter: retryAfter)
  }

  @Test func `names are taken as they are, whatever else is said`() {
    let body = #"""
      {"ip":"8.8.8.8","country_code":"US","country_name":"United States of America",
       "region_name":"Qu\u00e9bec \"x\"","city_name":"Zürich","latitude":37.4,"proxy":{"a":[1]}}
      """#
    #expect(reply(200, body) == .answer(country: "US", state: "Québec \"x\"", city: "Zürich"))
  }

  @Test(arguments: [#""-""#, #""""#, "null", "7"])
  func `an unknown name is nil, and that is an answer`(name: String) {
    let body = #"{"country_code":\#(name),"region_name":\#(name),"city_name":\#(name)}"#
    #expect(reply(200, body) == .answer(country: nil, state: nil, city: nil))
  }

  @Test func `a missing state or city is nil`() {
    #expect(reply(200, #"{"country_code":"DE"}"#) == .answer(country: "DE", state: nil, city: nil))
  }

  @Test func `a name is cut as every kept text is, at a code point`() {
    let name = String(repeating: "ü", count: 2_000)
    guard case .answer(_, _, let city) = reply(200, #"{"country_code":"A","city_name":"\#(name)"}"#)
    else { return #expect(Bool(false)) }
    #expect(city == String(repeating: "ü", count: 1_024))
  }

  @Test(arguments: ["", "[]", "{", "<html>", #"{"ip":"8.8.8.8"}"#])
  func `what is no answer is a failure`(body: String) {
    guard case .failed = reply(200, body) else { return #expect(Bool(false), "\(body)") }
  }

  private let refusal =
    #"{"error":{"error_code":10000,"error_message":"Invalid API key or insufficient credit."}}"#

  @Test(arguments: [401, 403])
  func `a refused key is told from failures, with the service's words`(status: Int) {
    let words = "HTTP status \(status), \"Invalid API key or insufficient credit.\""
    #expect(reply(status, refusal) == .keyRefused(words))
    #expect(reply(status, "") == .keyRefused("HTTP status \(status)"))
  }

  @Test func `an error with status 200 is no answer`() {
    #expect(
      reply(200, refusal) == .failed(#"HTTP status 200, "Invalid API key or insufficient credit.""#)
    )
  }

  @Test func `too many requests come with the time that the service names`() {
    #expect(reply(429, "", retryAfter: 17) == .tooMany(retryAfter: 17))
    #expect(reply(429, "{}") == .tooMany(retryAfter: nil))
  }

  @Test(arguments: [400, 404, 422])
  func `an address that is refused says nothing of others`(status: Int) {
    #expect(reply(status, "") == .addressRefused("HTTP status \(status)"))
  }

  @Test func `the key is in no words of the service, also where they are cut`() {
    let key = "a+key/of=some length".replacing(" ", with: "")
    let escaped = "a%2Bkey%2Fof%3Dsomelength"
    for said in [key, escaped] {
      let words = String(repeating: "x", count: 190) + said + " is invalid"
      let body = Array(#"{"error":{"error_message":"\#(words)"}}"#.utf8)
      let found = ServiceReplies().reply(status: 401, body: body, retryAfter: 0, key: key)
      guard case .keyRefused(let text) = found else { return #expect(Bool(false)) }
      #expect(text.contains("xxx…") && !text.contains(said.prefix(5)))
    }
  }

  @Test(arguments: [301, 500, 503])
  func `any other status is a failure, even with a place`(status: Int) {
    #expect(reply(status, #"{"country_code":"DE"}"#) == .failed("HTTP status \(status)"))
  }

  @Test func `rests grow, stay in bounds, and follow what is asked for up to an hour`() {
    for failures in 1...70 {
      let whole = min(Rests.last, Rests.first << min(failures - 1, 16))
      let least = Rests.span(after: failures) { _ in 0 }
      let most = Rests.span(after: failures) { $0 - 1 }
      #expect(least == whole / 2 && most == whole)
    }
    #expect(Rests.span(asked: nil) == nil)
    #expect(Rests.span(asked: 3) == 3_000_000)
    #expect(Rests.span(asked: .max) == 3_600_000_000)
  }
}

@Suite struct LookupQueueTests {
  private func drain(_ queue: inout LookupQueue) -> [String] {
    var all: [String] = []
    while let next = queue.next(now: 0) { all.append(next) }
    return all
  }

  @Test func `what rows wait for goes first, each address once, in the order of asking`() {
    var queue = LookupQueue()
    // The last was asked for ahead, and then a row came to wait for it.
    let first = [("a", false), ("b", false), ("c", false), ("d", true), ("c", true)]
    #expect(first.map { queue.add($0.0, isUrgent: $0.1) } == [true, true, true, true, true])
    #expect(["a", "c", "d"].map { queue.add($0, isUrgent: false) } == [false, false, false])
    let order = drain(&queue)
    #expect(order == ["d", "c", "a", "b"] && queue.isEmpty)
  }

  @Test func `an address under way or answered is not asked for again until its answer is taken`() {
    var queue = LookupQueue()
    _ = queue.add("a", isUrgent: false)
    let underWay = (queue.next(now: 0), queue.add("a", isUrgent: true))
    #expect(underWay == ("a", false))
    queue.answered("a")
    let answered = (queue.add("a", isUrgent: true), queue.next(now: 0))
    #expect(answered == (false, nil))
    queue.forget("a")
    let again = queue.add("a", isUrgent: false)
    #expect(again)
  }

  @Test func `an address without an answer goes behind the others, urgent if a row came to wait`() {
    var queue = LookupQueue()
    for address in ["a", "b", "c"] { _ = queue.add(address, isUrgent: false) }
    let underWay = [queue.next(now: 0), queue.next(now: 0)]
    #expect(underWay == ["a", "b"])
    _ = queue.add("b", isUrgent: true)
    queue.putBack("a")
    queue.putBack("b")
    let order = drain(&queue)
    #expect(order == ["b", "c", "a"])
  }

  @Test func `what failed takes turns with what was not tried yet`() {
    var queue = LookupQueue()
    for number in 0..<6 { _ = queue.add("new \(number)", isUrgent: true) }
    let first = (0..<3).compactMap { _ in queue.next(now: 0) }
    for address in first { queue.putBack(address) }
    let order = drain(&queue)
    #expect(order == ["new 3", "new 0", "new 4", "new 1", "new 5", "new 2"])
  }

  @Test func `a refused address waits, and what nobody waits for is gone wherever it stands`() {
    var queue = LookupQueue()
    for address in ["a", "b", "c", "d"] { _ = queue.add(address, isUrgent: true) }
    let two = [queue.next(now: 0), queue.next(now: 0)]
    #expect(two == ["a", "b"])
    queue.putBack("a", retryAt: 30)
    queue.giveUp("b")
    queue.putBack("b")
    queue.giveUp("c")
    let early = drain(&queue)
    #expect(early == ["d"])
    let later = (queue.next(now: 29), queue.next(now: 30), queue.next(now: 30))
    #expect(later == (nil, "a", nil))
    let again = queue.add("b", isUrgent: true)
    #expect(again)
  }

  @Test func `what is asked for ahead is bounded, what rows wait for is not`() {
    var queue = LookupQueue()
    let added = (0..<LookupQueue.ahead).count { queue.add("\($0)", isUrgent: false) }
    #expect(added == LookupQueue.ahead)
    let more = [false, true].map { queue.add("one more", isUrgent: $0) }
    #expect(more == [false, true])
    let all = drain(&queue)
    #expect(all.count == LookupQueue.ahead + 1)
  }
}
