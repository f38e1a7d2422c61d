import Configuration
import Pipeline
import Platform
import SessionModel
import Sinks
import StateStore

/// All that a run writes to besides its state.
struct RunOutputs {
  let sinks: [SinkToOpen]
  let sides: [SideToOpen]

  /// - Throws: exit code 64 for an address that cannot be meant, and for two that are one place.
  init(_ settings: RunSettings, identity: JobIdentity) throws(CommandFailure) {
    let owner = OwnerID(random: randomBytes(16))
    do throws(SinkAddressError) {
      let addresses = try RunOutputs.addresses(settings)
      let table = try TableName(parsing: settings.table)
      let schema = SessionSchema(key: identity.fingerprint.key)
      var sinks: [SinkToOpen] = []
      for address in addresses.sinks {
        sinks.append(
          SinkToOpen(
            sink: try Sinks.make(
              address, table: table, schema: schema, options: SinkOptions(settings)),
            name: address.name,
            url: address.redacted, identity: identity, owner: owner, adopt: settings.adoptTable,
            acceptMissingRows: settings.acceptMissingRows.contains(address.name)))
      }
      self.sinks = sinks
      var sides: [SideToOpen] = []
      for (output, address) in addresses.sides {
        let limit = output == .late ? settings.lateLimit : settings.rejectedLimit
        sides.append(
          SideToOpen(
            output, sink: try Sinks.make(output, address, topic: identity.fingerprint.topic),
            identity: identity, owner: owner, adopt: settings.adoptTable,
            // Half of what the state may keep is for those under way when reading pauses.
            pauseAt: SideTotals(
              rows: UInt64((limit + 1) / 2), bytes: StateOptions().sideBytes / 2)))
      }
      self.sides = sides
    } catch {
      throw CommandFailure(.usage, error.description, state: .untouched, remedy: nil)
    }
  }

  private static func addresses(
    _ settings: RunSettings
  ) throws(SinkAddressError) -> (sinks: [SinkAddress], sides: [(SideOutput, SinkAddress)]) {
    var sinks: [SinkAddress] = []
    for text in settings.sinks { sinks.append(try SinkAddress(parsing: text)) }
    var sides: [(SideOutput, SinkAddress)] = []
    for (output, text) in [(SideOutput.late, settings.lateTo), (.rejected, settings.rejectedTo)] {
      if let text { sides.append((output, try SinkAddress(parsing: text, for: output))) }
    }
    let source: KafkaSettings? = if case .kafka(let kafka) = settings.input { kafka } else { nil }
    for index in sinks.indices {
      try sinks[index].resolveCluster(source, isTransactional: settings.isTransactional)
    }
    for index in sides.indices {
      try sides[index].1.resolveCluster(source, isTransactional: settings.isTransactional)
    }
    if settings.isTransactional, !(sinks + sides.map(\.1)).contains(where: { $0.scheme == .kafka })
    {
      throw SinkAddressError("--transactional is for Kafka sinks, and none is given")
    }
    // Two on one table would take it from each other.
    if let (one, other) = Sinks.sharing(sinks + sides.map(\.1)) {
      throw SinkAddressError(
        "the sinks \(one) and \(other) lead to the same table: give each a place of its own, or only "
          + "one of them")
    }
    return (sinks, sides)
  }
}

extension SinkOptions {
  fileprivate init(_ settings: RunSettings) {
    self.init(icebergPython: settings.icebergPython)
    icebergCommitInterval = settings.icebergCommitInterval
  }
}
