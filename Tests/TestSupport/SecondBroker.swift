import Glibc
import Platform

/// A Kafka broker that is not librdkafka's own (noida-db, one process, on loopback): with
/// transactions, times, deleted records and added partitions, which the embedded cluster lacks.
///
/// Found through `SOJOURN_NOIDA_DB`, else under `.build/tools`, where `.ci/run` puts it.
package final class SecondBroker {
  package let brokers: String
  private let process: ChildProcess
  private let directory = TemporaryDirectory()

  /// Nil where the program is not there: tests that need it are skipped.
  package static let program: String? = {
    if let given = getenv("SOJOURN_NOIDA_DB") { return String(cString: given) }
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let tools = root.joined(separator: "/") + "/.build/tools"
    if Files.exists(tools + "/noida-db") { return tools + "/noida-db" }
    let pythons = ((try? Files.names(in: tools + "/lib")) ?? []).map { tools + "/lib/" + $0 }
    return pythons.map { $0 + "/site-packages/noida_db/noida-db" }.first(where: Files.exists)
  }()

  package static var isMissing: Bool { program == nil }

  package static let skipMessage =
    "the second broker is not installed: .ci/run does that, or set SOJOURN_NOIDA_DB to noida-db"

  /// Starts the broker on a free port with a fresh directory and waits until it answers.
  package init() throws {
    let port = freePort()
    brokers = "127.0.0.1:\(port)"
    let log = directory.path + "/log"
    process = try ChildProcess(
      SecondBroker.program!,
      [
        "start", "--only", "kafka", "--host", "127.0.0.1", "--kafka-port", "\(port)",
        "--data-dir", directory.path + "/data",
      ],
      standardOutput: log, standardError: log)
    let pause = try WakeUp()
    let deadline = Clock.monotonic + 10_000_000
    while !accepts(port) {
      precondition(process.poll() == nil && Clock.monotonic < deadline, "the broker starts: \(log)")
      pause.wait(timeout: 5_000)
    }
  }

  deinit {
    process.signal(SIGKILL)
    process.wait()
  }
}

private func loopback(_ port: UInt16) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  return address
}

private func withSocket<Result>(
  _ port: UInt16, _ body: (Int32, UnsafeMutablePointer<sockaddr>) -> Result
) -> Result {
  let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  precondition(number >= 0, "a socket can be had")
  defer { close(number) }
  var address = loopback(port)
  return withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(number, $0) }
  }
}

/// A loopback port that nobody listens on now.
package func freePort() -> UInt16 {
  withSocket(0) { number, address in
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    precondition(bind(number, address, length) == 0, "a port can be had")
    getsockname(number, address, &length)
    return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
      UInt16(bigEndian: $0.pointee.sin_port)
    }
  }
}

private func accepts(_ port: UInt16) -> Bool {
  withSocket(port) { number, address in
    connect(number, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
  }
}
