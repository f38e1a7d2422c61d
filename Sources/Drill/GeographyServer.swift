import Glibc
package import Platform
import Synchronization

/// A service on loopback that answers as the API of ip2location.io is described, faults included.
///
/// One thread serves all connections, which are kept from request to request.
package final class GeographyServer: @unchecked Sendable {
  // Unchecked: `thread` is touched by the owner alone; the rest never changes or has its own lock.

  package struct Request: Sendable {
    package var ip: String
    package var key: String?
  }

  package enum Reply: Sendable {
    case http(status: Int, body: String, retryAfter: Int? = nil)
    /// The connection ends in the middle of an answer.
    case cut
    /// There is no answer.
    case silence
  }

  package let port: UInt16
  private let listener: Int32
  private let wakeUp: WakeUp
  private let isStopping = Atomic(false)
  private let reply: @Sendable (Request) -> Reply
  private var thread: WorkerThread?

  /// - Parameter reply: what a request gets; called on the server's thread.
  package init(_ reply: @escaping @Sendable (Request) -> Reply) throws(SystemError) {
    self.reply = reply
    wakeUp = try WakeUp()
    (listener, port) = try Loopback.listen(on: 0)
    thread = try WorkerThread("geography-serve") { [unowned self] in self.serve() }
  }

  deinit {
    isStopping.store(true, ordering: .relaxed)
    wakeUp.signal()
    thread?.join()
    close(listener)
  }

  package var url: String { "http://127.0.0.1:\(port)/" }

  // MARK: - What it knows

  /// Country, region and city of an address: made up, the same each time.
  package static func place(of ip: String) -> (country: String, state: String, city: String) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in ip.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    let country = String([letters[Int(hash % 26)], letters[Int(hash / 26 % 26)]])
    return (country, "Région \(hash >> 32 % 50)", "City of \"\(hash >> 40 % 1_000)\"")
  }

  package static func answer(to ip: String) -> Reply {
    let place = place(of: ip)
    let city = place.city.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\\\"")
    return .http(
      status: 200,
      body: """
        {"ip":"\(ip)","country_code":"\(place.country)","country_name":"Country","region_name":\
        "\(place.state)","city_name":"\(city)","latitude":37.38605,"longitude":-122.08385,\
        "zip_code":"94035","time_zone":"-07:00","asn":"15169","as":"Example","is_proxy":false}
        """)
  }

  // MARK: - The thread

  private struct Connection {
    var descriptor: Int32
    var received: [UInt8] = []
  }

  private func serve() {
    var connections: [Connection] = []
    defer { for connection in connections { close(connection.descriptor) } }
    while !isStopping.load(ordering: .relaxed) {
      var waits = [wakeUp.descriptor, listener].map { pollfd(fd: $0, events: 1, revents: 0) }
      waits += connections.map { pollfd(fd: $0.descriptor, events: 1, revents: 0) }
      if poll(&waits, nfds_t(waits.count), -1) < 0 { continue }
      var kept: [Connection] = []
      for (index, var connection) in connections.enumerated() {
        if waits[2 + index].revents == 0 || goesOn(&connection) {
          kept.append(connection)
        } else {
          close(connection.descriptor)
        }
      }
      connections = kept
      if waits[1].revents != 0 {
        let descriptor = accept(listener, nil, nil)
        if descriptor >= 0 { connections.append(Connection(descriptor: descriptor)) }
      }
    }
  }

  /// Takes what came; answers whole requests.
  ///
  /// - Returns: false at the connection's end.
  private func goesOn(_ connection: inout Connection) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = recv(connection.descriptor, &buffer, buffer.count, 0)
    if count <= 0 { return false }
    connection.received += buffer[..<count]
    let end = Array("\r\n\r\n".utf8)
    while let range = connection.received.firstRange(of: end) {
      let head = String(decoding: connection.received[..<range.lowerBound], as: UTF8.self)
      connection.received.removeSubrange(..<range.upperBound)
      guard let request = GeographyServer.request(head), send(reply(request), to: connection) else {
        return false
      }
    }
    return true
  }

  private static func request(_ head: String) -> Request? {
    let words = head.split(separator: " ", maxSplits: 2)
    guard words.count == 3, words[0] == "GET", let query = words[1].split(separator: "?").last
    else {
      return nil
    }
    var values: [Substring: String] = [:]
    for part in query.split(separator: "&") {
      let pair = part.split(separator: "=", maxSplits: 1)
      if pair.count == 2 { values[pair[0]] = unescaped(pair[1]) }
    }
    return values["ip"].map { Request(ip: $0, key: values["key"]) }
  }

  private static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      if byte == UInt8(ascii: "%"), let escaped = UInt8(digits, radix: 16) {
        bytes.append(escaped)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func send(_ reply: Reply, to connection: Connection) -> Bool {
    var text = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"ip\":"
    switch reply {
    case .silence: return true
    case .cut: break
    case .http(let status, let body, let retryAfter):
      let retry = retryAfter.map { "Retry-After: \($0)\r\n" } ?? ""
      text =
        "HTTP/1.1 \(status) Status\r\nContent-Type: application/json\r\n\(retry)"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
    let isSent = Array(text.utf8).withUnsafeBytes {
      Loopback.send($0, to: connection.descriptor)
    }
    if case .cut = reply { return false }
    return isSent
  }
}
