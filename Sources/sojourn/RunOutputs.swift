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
        let format = SideFormat(output, topic: identity.fingerprint.topic, schema: schema)
        sides.append(
          SideToOpen(
            output, sink: try Sinks.make(format, address), identity: identity, owner: owner,
            adopt: settings.adoptTable, pauseAt: settings.pauseAt(output)))
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
    for output in SideOutput.allCases {
      guard let text = settings[output].place else { continue }
      sides.append((output, try SinkAddress(parsing: text, for: output)))
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

extension RunSettings {
  /// Up to how much the state keeps of each side output.
  ///
  /// Sessions of bots that go elsewhere pause reading, as rows for sinks do, and are never refused:
  /// those that were open already come out of the state, whatever waits.
  var sideLimits: [SideOutput: SideTotals] {
    var limits: [SideOutput: SideTotals] = [:]
    for output in SideOutput.allCases where output != .bots || bots.place == nil {
      limits[output] = SideTotals(
        rows: UInt64(self[output].limit), bytes: StateOptions.sideLimit.bytes)
    }
    return limits
  }

  /// At how much reading pauses: where there is a limit, half of it is for what is under way then.
  fileprivate func pauseAt(_ output: SideOutput) -> SideTotals {
    let limit = SideTotals(
      rows: UInt64(self[output].limit), bytes: StateOptions.sideLimit.bytes)
    if sideLimits[output] == nil { return limit }
    return SideTotals(rows: (limit.rows + 1) / 2, bytes: limit.bytes / 2)
  }
}

extension SinkOptions {
  fileprivate init(_ settings: RunSettings) {
    self.init(icebergPython: settings.icebergPython)
    icebergCommitInterval = settings.icebergCommitInterval
  }
}
