import KafkaClient
import SessionModel

/// What the headers of a record say of its writer.
struct KafkaMark: Equatable {
  static let job = "sojourn-job"
  static let fingerprint = "sojourn-fingerprint"
  static let delivery = "sojourn-delivery"

  /// The header that each record has its own of.
  enum Own: String {
    /// A row's position.
    case position = "sojourn-position"
    /// The number of the batch that a late record came with.
    case late = "sojourn-late"
    /// The same for a rejected one.
    case rejected = "sojourn-rejected"
    /// The same for the row of a bot.
    case bots = "sojourn-bots"

    init(_ output: SideOutput) {
      switch output {
      case .late: self = .late
      case .rejected: self = .rejected
      case .bots: self = .bots
      }
    }
  }

  /// How records get into a topic.
  enum Delivery: String {
    /// Each for itself.
    case plain
    /// All of a write or none.
    case transactional

    init(_ address: KafkaAddress) { self = address.isTransactional ? .transactional : .plain }
  }

  var writer: String
  var writerFingerprint: String
  /// False also for a delivery of which this version knows nothing.
  var isTransactional: Bool
  /// The value of the record's own header.
  var own: String

  /// The headers that all records of one opening get.
  static func headers(
    _ identity: JobIdentity, _ own: Own, _ delivery: Delivery
  ) -> RecordHeaders {
    RecordHeaders(
      [
        (job, identity.job), (fingerprint, identity.fingerprint.text),
        (KafkaMark.delivery, delivery.rawValue),
      ], own: own.rawValue)
  }

  /// - Returns: nil for a record that this program did not write as one of this kind.
  init?(_ batch: MessageBatch, at index: Int, _ own: Own) {
    func text(_ name: String) -> String? {
      batch.header(name, at: index).map { String(decoding: $0, as: UTF8.self) }
    }
    guard let writer = text(KafkaMark.job), let fingerprint = text(KafkaMark.fingerprint),
      let value = text(own.rawValue)
    else { return nil }
    self.writer = writer
    writerFingerprint = fingerprint
    isTransactional = text(KafkaMark.delivery) == Delivery.transactional.rawValue
    self.own = value
  }
}
