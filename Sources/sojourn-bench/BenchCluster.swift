import Glibc
import Platform

/// What stops a benchmark.
struct BenchFailure: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}

/// The embedded cluster, as a process of its own with one topic, and what feeds it.
struct BenchCluster {
  let brokers: String
  let topic: String
  private let sojourn: String
  private let directory: String
  private let process: ChildProcess

  /// - Parameters:
  ///   - sojourn: the program's path.
  ///   - directory: for its output; made if missing.
  init(_ sojourn: String, topic: String, partitions: Int32, directory: String) throws {
    try Files.makeDirectory(directory)
    let answer = directory + "/broker"
    process = try ChildProcess(
      sojourn, ["broker", "--topic", "\(topic):\(partitions)"], standardOutput: answer)
    self.sojourn = sojourn
    self.topic = topic
    self.directory = directory
    guard let brokers = BenchCluster.firstLine(of: answer, from: process) else {
      process.signal(SIGTERM)
      process.wait()
      throw BenchFailure("the embedded cluster did not start")
    }
    self.brokers = brokers
  }

  func stop() {
    process.signal(SIGTERM)
    process.wait()
  }

  /// Feeds the topic with generated traffic, zstd-compressed.
  func feed(_ settings: [String]) throws {
    let feed = try ChildProcess(
      sojourn,
      ["generate", "--brokers", brokers, "--topic", topic, "-X", "compression.codec=zstd"]
        + settings, standardError: directory + "/feed.err")
    guard feed.wait() == .exited(0) else {
      throw BenchFailure("the feed failed; see \(directory)/feed.err")
    }
  }

  private static func firstLine(of path: String, from child: ChildProcess) -> String? {
    let deadline = Clock.monotonic + 10_000_000
    while Clock.monotonic < deadline, child.poll() == nil {
      if let bytes = try? Files.read(path), let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        return String(decoding: bytes[..<end], as: UTF8.self)
      }
      usleep(10_000)
    }
    return nil
  }
}
