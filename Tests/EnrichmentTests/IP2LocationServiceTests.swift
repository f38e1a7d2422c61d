import Drill
import Enrichment
import Glibc
import Platform
import SessionModel
import Synchronization
import TestSupport
import Testing

/// The service's requests, against a server on loopback.
@Suite struct IP2LocationServiceTests {
  private let directory = TemporaryDirectory()

  private func service(
    _ server: GeographyServer, key: ServiceKey = .none, timing: ServiceTiming = ServiceTiming()
  ) throws -> IP2LocationService {
    try IP2LocationService(url: server.url, key: key, requests: 4, timing: timing)
  }

  private static func timing(_ change: (inout ServiceTiming) -> Void) -> ServiceTiming {
    var timing = ServiceTiming()
    change(&timing)
    return timing
  }

  private func answers(
    _ service: IP2LocationService, _ count: Int
  ) throws -> [AddressGeography] {
    var all: [AddressGeography] = []
    return try eventually("\(count) answers; \(service.takeNotices())") {
      all += service.takeAnswers()
      return all.count >= count ? all : nil
    }
  }

  private func notice(_ service: IP2LocationService, _ part: String) throws -> String {
    var all: [String] = []
    return try eventually("a notice with \(part), not only \(all)") {
      all += service.takeNotices()
      return all.first { $0.contains(part) }
    }
  }

  @Test func `addresses of both kinds are answered, each by one request, with the key`() throws {
    let requests = Mutex<[GeographyServer.Request]>([])
    let server = try GeographyServer { request in
      requests.withLock { $0.append(request) }
      return GeographyServer.answer(to: request.ip)
    }
    let service = try service(server, key: .text(ServiceKey.Secret("k+/ä&y".filter(\.isASCII))))
    let addresses = (1...40).map { "8.8.4.\($0)" } + ["2001:4860:4860::8888"]
    for address in addresses + addresses { service.ask(address, isUrgent: false) }
    let found = try answers(service, addresses.count)
    #expect(Set(found.map(\.address)) == Set(addresses))
    for answer in found {
      let place = GeographyServer.place(of: answer.address)
      #expect(
        [answer.country, answer.state, answer.city] == [place.country, place.state, place.city])
      #expect(abs(answer.answeredAt - Clock.wall) < 60 * .perSecond)
    }
    let sent = requests.withLock { $0 }
    #expect(sent.count == addresses.count)
    #expect(sent.allSatisfy { $0.key == "k+/&y" })
  }

  @Test(arguments: [
    GeographyServer.Reply.http(status: 500, body: ""), .http(status: 200, body: "{"), .cut,
    .http(status: 429, body: "", retryAfter: 0), .http(status: 429, body: "{}"),
  ])
  func `an address is asked for again after a failure`(failure: GeographyServer.Reply) throws {
    let failed = Mutex<Set<String>>([])
    let server = try GeographyServer { request in
      failed.withLock { $0.insert(request.ip).inserted }
        ? failure : GeographyServer.answer(to: request.ip)
    }
    let service = try service(server)
    for number in 1...8 { service.ask("8.8.4.\(number)", isUrgent: true) }
    #expect(try Set(answers(service, 8).map(\.address)).count == 8)
    // Eight failures, one message.
    let notices = service.takeNotices().filter { $0.contains("has failed") }
    #expect(notices.count == 1, "\(notices)")
  }

  @Test func `addresses that the service refuses hold up no others`() throws {
    let server = try GeographyServer { request in
      request.ip.hasPrefix("9.")
        ? .http(status: 400, body: "") : GeographyServer.answer(to: request.ip)
    }
    let service = try service(server)
    for number in 1...50 { service.ask("9.9.9.\(number)", isUrgent: true) }
    _ = try notice(service, "HTTP status 400")
    for number in 1...50 { service.ask("8.8.8.\(number)", isUrgent: true) }
    #expect(try answers(service, 50).count == 50)
  }

  @Test func `a server that is not there is asked again until it is`() throws {
    let (descriptor, port) = try Loopback.listen(on: 0)
    close(descriptor)
    let service = try IP2LocationService(
      url: "http://127.0.0.1:\(port)/", key: .none, requests: 2)
    service.ask("8.8.8.8", isUrgent: true)
    #expect(try notice(service, "has failed").contains("http://127.0.0.1:\(port)/"))
    #expect(service.takeAnswers() == [])
    // It ends at once, though a request waits for its turn.
    service.close()
  }

  @Test func `a refused key is said once, without the key, and the file is read again`() throws {
    let path = directory.path + "/key"
    try Files.replace(path, with: Array("wrong-key\n".utf8))
    let server = try GeographyServer { request in
      if request.key == "right-key" { return GeographyServer.answer(to: request.ip) }
      let words = "Invalid API key \(request.key ?? "")"
      return .http(status: 401, body: #"{"error":{"error_message":"\#(words)"}}"#)
    }
    let service = try service(
      server, key: .file(path), timing: Self.timing { $0.refusal = 50 * .perMillisecond })
    for number in 1...8 { service.ask("8.8.4.\(number)", isUrgent: true) }
    let notice = try notice(service, "REFUSES THE KEY")
    #expect(notice.contains("401") && notice.contains("Invalid API key …"))
    #expect(!notice.contains("wrong-key"))
    #expect(service.takeAnswers() == [])
    try Files.replace(path, with: Array("right-key\n".utf8))
    #expect(try answers(service, 8).count == 8)
    let notices = service.takeNotices()
    #expect(notices.count == 1 && notices[0].contains("accepts the key again"), "\(notices)")
  }

  @Test func `no answer in time is a failure`() throws {
    let asked = Mutex(0)
    let server = try GeographyServer { request in
      asked.withLock {
        $0 += 1
        return $0
      } == 1 ? .silence : GeographyServer.answer(to: request.ip)
    }
    let service = try service(
      server, timing: Self.timing { $0.request = 50 * .perMillisecond })
    service.ask("8.8.8.8", isUrgent: true)
    #expect(try answers(service, 1).map(\.address) == ["8.8.8.8"])
    #expect(try notice(service, "has failed").contains("imeout"))
  }

  @Test func `while the service asks for a rest nothing is sent`() throws {
    let asked = Mutex<[Int64]>([])
    let server = try GeographyServer { request in
      asked.withLock {
        $0.append(Clock.monotonic)
        return $0.count
      } == 1
        ? .http(status: 429, body: "", retryAfter: 1) : GeographyServer.answer(to: request.ip)
    }
    let service = try service(server)
    service.ask("8.8.8.8", isUrgent: true)
    _ = try notice(service, "429")
    for number in 1...8 { service.ask("8.8.4.\(number)", isUrgent: true) }
    #expect(try answers(service, 9).count == 9)
    let times = asked.withLock { $0 }
    #expect(times.count == 10 && times.dropFirst().allSatisfy { $0 - times[0] >= 900_000 })
  }

  @Test func `a key that cannot be read is an error at the start`() throws {
    let server = try GeographyServer { .http(status: 500, body: $0.ip) }
    let path = directory.path + "/key"
    #expect(throws: EnrichmentError.self) { try service(server, key: .file(path)) }
    for text in ["", "\n", "two words", "schlüssel"] {
      try Files.replace(path, with: Array(text.utf8))
      #expect(throws: EnrichmentError.self) { try service(server, key: .file(path)) }
    }
    let secret = ServiceKey.Secret("hidden")
    var dumped = ""
    dump(ServiceKey.text(secret), to: &dumped)
    #expect(!dumped.contains("hidden") && !"\(ServiceKey.text(secret))".contains("hidden"))
  }

  @Test func `only public addresses are for a service`() {
    func isPublic(_ text: String) -> Bool {
      Array(text.utf8).withUnsafeBytes { VisitorAddress.isPublic($0) }
    }
    for ip in ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"] { #expect(isPublic(ip), "\(ip)") }
    let others = [
      "10.0.0.1", "192.168.1.1", "127.0.0.1", "100.64.0.1", "169.254.1.1", "::1", "fe80::1",
      "fc00::1", "2001:db8::1", "224.0.0.1", "unknown", "", "8.8.8.8.8",
      "8.8.8.8\u{0}", "8.8.8.8\u{0}xxxx", "0000:0000:0000:0000:0000:ffff:008.8.8.8",
    ]
    for ip in others { #expect(!isPublic(ip), "\(ip)") }
  }
}
