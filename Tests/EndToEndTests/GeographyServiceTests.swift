import Drill
import Platform
import SessionModel
import Synchronization
import TestSupport
import Testing

/// `--geo ip2location` on the built program, against a service on loopback.
@Suite struct GeographyServiceTests {
  private static func events(_ ips: [String], hour: Int = 10) -> String {
    ips.map { #"{"ip":"\#($0)","url":"/","event_time":"2025-03-01T\#(hour):00:00Z"}"# + "\n" }
      .joined()
  }

  private static let addresses = ["8.8.8.8", "2606:4700:4700::1111", "9.9.9.9"]

  private func places(_ bench: Workbench) throws -> [[String?]] {
    try SQLiteFile(bench.database).rows("SELECT ip, country, state, city FROM sessions ORDER BY ip")
  }

  private func expected(_ addresses: [String]) -> [[String?]] {
    addresses.sorted().map { ip in
      let place = GeographyServer.place(of: ip)
      return [ip, place.country, place.state, place.city]
    }
  }

  @Test func `rows have what the service said, and an address costs one request in all runs`()
    throws
  {
    let asked = Mutex<[String]>([])
    let server = try GeographyServer { request in
      asked.withLock { $0.append(request.ip) }
      return GeographyServer.answer(to: request.ip)
    }
    let bench = Workbench()
    for hour in [10, 11, 12] {
      let file = try bench.write(
        (10...hour).map { Self.events(Self.addresses, hour: $0) }.joined(), to: "events.jsonl")
      let answer = try bench.run(
        ["--file", file, "--close-all", "--geo", "ip2location", "--geo-url", server.url]
          + bench.sinks)
      #expect(answer.ended(.success), "\(answer.messages)")
    }
    #expect(try places(bench) == expected(Self.addresses + Self.addresses + Self.addresses))
    #expect(asked.withLock { $0.sorted() } == Self.addresses.sorted())
    #expect(try bench.look().contains("ip2location \(server.url)"))
    #expect(JSONLine.number("geography_kept", in: try bench.look()) == 3)
  }

  @Test func `a refused key is loud, in no message, and costs geography, not rows`() throws {
    let server = try GeographyServer { request in
      .http(status: 401, body: #"{"error":{"error_message":"Bad key \#(request.key ?? "")"}}"#)
    }
    let bench = Workbench()
    let file = try bench.write(Self.events(Self.addresses), to: "events.jsonl")
    let key = try bench.write("secret-key", to: "key")
    let answer = try bench.run(
      [
        "--file", file, "--close-all", "--geo", "ip2location", "--geo-url", server.url,
        "--geo-key-file", key, "--geo-deadline", "300ms",
      ] + bench.sinks)
    #expect(answer.ended(.success), "\(answer.messages)")
    #expect(answer.messages.contains("REFUSES THE KEY"))
    #expect(!answer.messages.contains("secret-key"))
    #expect(try places(bench) == Self.addresses.sorted().map { [$0, nil, nil, nil] })
    #expect(try bench.count("rows_without_geography") == 3)
    #expect(try !bench.look().contains("secret-key"))
  }

  @Test func `a run without its service ends by a signal, and a later one makes the rows`() throws {
    let isUp = Atomic(false)
    let server = try GeographyServer { request in
      isUp.load(ordering: .relaxed)
        ? GeographyServer.answer(to: request.ip) : .http(status: 503, body: "")
    }
    let bench = Workbench()
    let file = try bench.write(Self.events(Self.addresses), to: "events.jsonl")
    let flags =
      [
        "--file", file, "--close-all", "--geo", "ip2location", "--geo-url", server.url,
        "--geo-deadline", "off",
      ] + bench.sinks
    let run = try bench.startRun(flags)
    try bench.wait(for: "closing_sessions", atLeast: 3, of: run)
    run.child.signal(15)
    let answer = try run.answer()
    #expect(answer.ended(.success), "\(answer.messages)")
    #expect(answer.messages.contains("of which 3 wait"))
    #expect(try places(bench).isEmpty)
    isUp.store(true, ordering: .relaxed)
    #expect(try bench.run(flags).ended(.success))
    #expect(try places(bench) == expected(Self.addresses))
  }

  @Test func `a missing key file ends the start with 78, before a state is made`() throws {
    let bench = Workbench()
    let file = try bench.write(Self.events(Self.addresses), to: "events.jsonl")
    let answer = try bench.run(
      [
        "--file", file, "--geo", "ip2location", "--geo-url", "http://127.0.0.1:1/",
        "--geo-key-file", bench.path + "/missing",
      ] + bench.sinks)
    #expect(answer.ended(.configuration) && answer.messages.contains("--geo-key-file"))
    #expect(!Files.exists(bench.state))
  }
}
