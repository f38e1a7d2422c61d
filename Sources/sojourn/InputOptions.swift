import Configuration
import Enrichment
import EventDecoding
import EventSources
import KafkaClient
import SessionModel

extension DecodingOptions {
  /// - Throws: exit code 64 for a `--field` that no field of an event answers to.
  init(_ settings: DecodingSettings) throws(CommandFailure) {
    self.init()
    do throws(MappingError) {
      key = KeyLayout(settings.key)
      mapping = FieldMapping(key: key)
      for field in settings.fields { try mapping.set(field.name, path: field.path) }
    } catch {
      throw CommandFailure(.usage, error.description, state: .untouched, remedy: nil)
    }
    ipHeader = settings.ipHeader
    assumeUTC = settings.assumeUTC
    timeUnit =
      switch settings.eventTimeUnit {
      case .auto: .auto
      case .seconds: .seconds
      case .milliseconds: .milliseconds
      case .microseconds: .microseconds
      }
    fallbackToRecordTime = settings.eventTimeFallback == .record
  }
}

extension KafkaConfiguration {
  init(_ settings: KafkaSettings) {
    self.init(
      brokers: settings.brokers,
      properties: settings.properties.map { (name: $0.key, value: $0.value) })
  }
}

extension KafkaSourceOptions.Start {
  init(_ point: StartPoint) {
    self =
      switch point {
      case .earliest: .earliest
      case .latest: .latest
      case .time(let time): .time(time)
      }
  }
}

extension RawUserAgents {
  /// - Throws: exit code 78 for definitions that were named and cannot be used.
  static func made(as setting: UserAgentSetting) throws(CommandFailure) -> RawUserAgents {
    do throws(EnrichmentError) {
      switch setting {
      case .system: return RawUserAgents(whenNeeded: systemPath)
      case .file(let path): return try RawUserAgents(definitions: path)
      case .off: return RawUserAgents(whenNeeded: nil)
      }
    } catch {
      throw CommandFailure(
        error.exitCode, error.description, state: .untouched,
        remedy: "name a regexes.yaml of uap-core, or leave --user-agents out")
    }
  }
}
