import KafkaClient

extension SinkError {
  /// What an error of librdkafka or of a broker means for the delivery.
  ///
  /// - Parameter place: names topic and cluster in messages, without secrets.
  init(_ error: KafkaError, place: String) {
    let text = "\(place): \(error)"
    let safe = "What was not acknowledged stays in the state"
    if error.isTooLarge {
      self = .unsuitable(
        "\(text). The topic takes no message of that size. \(safe). Raise its max.message.bytes, or "
          + "have less put into one request (-X batch.size=100000), and start again.")
      return
    }
    switch error.kind {
    case .authentication, .tls:
      self = .authentication(
        "\(text). \(safe). Give this client the right to describe, read and write the topic (and to "
          + "use its transactional id and group, with --transactional), and start again.")
    case .configuration:
      self = .unsuitable("\(text). \(safe). Change what it says, and start again.")
    case .transient, .unknownTopic, .unreadable:
      self = .unavailable("\(text). \(safe); it is tried again.")
    }
  }
}
