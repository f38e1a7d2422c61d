import Configuration
import Console
import KafkaClient
import Platform
import SessionModel

/// `sojourn broker`: the embedded cluster until SIGTERM or SIGINT; its address is the one line on
/// standard output.
enum BrokerCommand {
  static func run(_ settings: BrokerSettings) throws(CommandFailure) {
    Signals.block()
    let cluster: MockCluster
    do throws(KafkaError) {
      cluster = try MockCluster()
      for topic in settings.topics {
        try cluster.createTopic(topic.name, partitions: Int32(topic.partitions))
      }
    } catch {
      throw CommandFailure(.unavailable, "\(error)", state: .untouched, remedy: nil)
    }
    let relay = try relay(to: cluster, port: settings.port)
    let address = relay.map { "127.0.0.1:\($0.port)" } ?? cluster.brokers
    try StandardOutput.write { (writer) throws(OutputError) in
      try writer.write(address + "\n")
    }
    Signals.waitForEnding()
    withExtendedLifetime((cluster, relay)) {}
  }

  /// The library chooses the brokers' ports; a fixed one leads clients to them.
  private static func relay(
    to cluster: MockCluster, port: Int
  ) throws(CommandFailure) -> BootstrapRelay? {
    guard port != 0 else { return nil }
    do throws(SystemError) {
      return try BootstrapRelay(port: UInt16(port), brokers: cluster.brokers)
    } catch {
      throw CommandFailure(
        .unavailable, error.description, state: .untouched, remedy: "name another --port")
    }
  }
}
