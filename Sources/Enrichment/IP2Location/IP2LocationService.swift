import CCurl
import Platform
package import SessionModel
import Synchronization

/// `--geo ip2location`: the API of ip2location.io, or one that behaves like it.
///
/// One thread makes the requests, several at once, over connections that it keeps.
package final class IP2LocationService: GeographyService, @unchecked Sendable {
  // Unchecked: `key`, `requests`, `restsUntil` and `replies` are the thread's from its start on; `multi`
  // may be woken by any thread (libcurl's guarantee); `shared` has its own lock.

  package static let defaultURL = "https://api.ip2location.io/"

  private struct Shared {
    var queue = LookupQueue()
    var answers: [AddressGeography] = []
    var reports: ServiceReports
    var isClosed = false
  }

  private let url: ServiceURL
  private let keySource: ServiceKey
  private var key: String?
  private let multi: OpaquePointer
  private let requests: [ServiceRequest]
  private let replies = ServiceReplies()
  /// All requests rest, monotonic, µs.
  private var restsUntil: Int64 = 0
  private let timing: ServiceTiming
  /// Times that the service had too many requests since its last answer.
  private var refusals = 0
  private let shared: Mutex<Shared>
  private var thread: WorkerThread?

  /// - Parameters:
  ///   - url: where it is asked, by HTTP or HTTPS.
  ///   - requests: under way at once, at most.
  /// - Throws: `EnrichmentError` where the key cannot be read; nothing was sent.
  package init(
    url: String, key: ServiceKey, requests: Int, timing: ServiceTiming = ServiceTiming()
  ) throws(EnrichmentError) {
    self.url = ServiceURL(url)
    self.timing = timing
    keySource = key
    self.key = try key.read()
    // Not safe beside other threads that do the same; this is the only place, and runs once at the start.
    curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    guard let multi = curl_multi_init() else {
      throw EnrichmentError("out of memory for HTTP requests")
    }
    self.multi = OpaquePointer(multi)
    self.requests = (0..<requests).map { _ in ServiceRequest(timing) }
    var reports = ServiceReports(place: self.url.shown)
    if self.key == nil {
      reports.tell("is asked without a key: its limits for requests without one hold")
    }
    shared = Mutex(Shared(reports: reports))
    do throws(SystemError) {
      thread = try WorkerThread("geography") { [unowned self] in self.work() }
    } catch {
      throw EnrichmentError("no thread for geography: \(error)")
    }
  }

  deinit {
    close()
    curl_multi_cleanup(UnsafeMutableRawPointer(multi))
  }

  package var name: String { "ip2location \(url.shown)" }

  package func ask(_ address: String, isUrgent: Bool) {
    let wakes = shared.withLock { shared in
      let wasEmpty = shared.queue.isEmpty
      return shared.queue.add(address, isUrgent: isUrgent) && wasEmpty
    }
    // While addresses wait, the thread sees the next one when a request ends.
    if wakes { wake() }
  }

  package func giveUp(_ address: String) { shared.withLock { $0.queue.giveUp(address) } }

  package func takeAnswers() -> [AddressGeography] {
    shared.withLock { shared in
      defer { shared.answers.removeAll(keepingCapacity: true) }
      for answer in shared.answers { shared.queue.forget(answer.address) }
      return shared.answers
    }
  }

  package func takeNotices() -> [String] { shared.withLock { $0.reports.take() } }

  package func close() {
    guard let thread else { return }
    shared.withLock { $0.isClosed = true }
    wake()
    thread.join()
    self.thread = nil
  }

  private func wake() { curl_multi_wakeup(UnsafeMutableRawPointer(multi)) }

  // MARK: - The thread

  private func work() {
    let multi = UnsafeMutableRawPointer(multi)
    while !shared.withLock({ $0.isClosed }) {
      let wait = begin(now: Clock.monotonic)
      var running: Int32 = 0
      curl_multi_perform(multi, &running)
      var left: Int32 = 0
      var hasEnded = false
      while let message = curl_multi_info_read(multi, &left) {
        guard message.pointee.msg == CURLMSG_DONE else { continue }
        hasEnded = true
        if let request = requests.first(where: { $0.handle == message.pointee.easy_handle }) {
          let code = ccurl_result(message)
          curl_multi_remove_handle(multi, request.handle)
          end(request, code, now: Clock.monotonic)
        }
      }
      // A request that has ended can take the next address.
      if !hasEnded { curl_multi_poll(multi, nil, 0, Int32(clamping: wait / 1_000 + 1), nil) }
    }
    for request in requests where request.address != nil {
      curl_multi_remove_handle(multi, request.handle)
    }
  }

  /// The longest wait; only bounds what a lost wake-up could cost, µs.
  private static let longestWait: Microseconds = .perSecond

  /// Begins what may begin.
  ///
  /// - Returns: how long nothing else can begin, µs.
  private func begin(now: Int64) -> Microseconds {
    if restsUntil > now { return min(restsUntil - now, IP2LocationService.longestWait) }
    var wait = IP2LocationService.longestWait
    for request in requests where request.address == nil {
      if request.restsUntil > now {
        wait = min(wait, request.restsUntil - now)
        continue
      }
      guard let address = shared.withLock({ $0.queue.next(now: now) }) else { break }
      request.begin(address, at: url, key: key)
      curl_multi_add_handle(UnsafeMutableRawPointer(multi), request.handle)
    }
    return wait
  }

  private func end(_ request: ServiceRequest, _ code: CURLcode, now: Int64) {
    guard let address = request.end() else { return }
    let reply =
      code == CURLE_OK
      ? replies.reply(
        status: ccurl_status(request.handle), body: request.body,
        retryAfter: ccurl_retry_after(request.handle), key: request.key)
      : .failed(String(cString: curl_easy_strerror(code)))
    if case .answer(let country, let state, let city) = reply {
      request.failures = 0
      refusals = 0
      let answer = AddressGeography(
        address: address, answeredAt: Clock.wall, country: country, state: state, city: city)
      return shared.withLock { shared in
        shared.queue.answered(address)
        shared.answers.append(answer)
        shared.reports.answered(now: now)
      }
    }
    rest(request, after: reply, now: now)
    shared.withLock { shared in
      switch reply {
      case .keyRefused(let reason): shared.reports.keyRefused(reason)
      case .tooMany: shared.reports.failed("HTTP status 429, too many requests", now: now)
      case .addressRefused(let reason), .failed(let reason):
        shared.reports.failed(reason, now: now)
      case .answer: break
      }
      if case .addressRefused = reply {
        shared.queue.putBack(address, retryAt: now + LookupQueue.refusalRest)
      } else {
        shared.queue.putBack(address)
      }
    }
  }

  private func rest(_ request: ServiceRequest, after reply: ServiceReply, now: Int64) {
    func random(_ bound: Microseconds) -> Microseconds { Microseconds.random(in: 0..<bound) }
    switch reply {
    case .answer, .addressRefused: break
    case .keyRefused:
      restsUntil = max(restsUntil, now + timing.refusal)
      // Another one may stand there by then; one that cannot be read is as good as the old one.
      if case .file = keySource { key = (try? keySource.read()) ?? key }
    case .tooMany(let retryAfter):
      // Those that were under way together count as one.
      if now >= restsUntil { refusals += 1 }
      let span = Rests.span(asked: retryAfter) ?? Rests.span(after: refusals, random: random)
      restsUntil = max(restsUntil, now + span)
    case .failed:
      request.failures += 1
      request.restsUntil = now + Rests.span(after: request.failures, random: random)
    }
  }
}
