import CRdKafka

/// What librdkafka or a broker answered instead of doing what it was asked.
package struct KafkaError: Error, Equatable, CustomStringConvertible, Sendable {
  /// librdkafka's number: negative for its own errors, positive for a broker's.
  package var code: Int32
  /// The number's symbolic name, as `_ALL_BROKERS_DOWN` or `UNKNOWN_TOPIC_OR_PART`.
  package var name: String
  package var message: String

  /// What the caller can do about an error.
  package enum Kind: Equatable, Sendable {
    /// It may pass by itself: brokers down, leaders moving, time-outs. Ask again.
    case transient
    /// The broker refused the credentials or the rights are missing.
    case authentication
    /// No TLS connection came about: a certificate is not trusted, expired, or missing.
    case tls
    case unknownTopic
    /// A setting is unknown, malformed or cannot work.
    case configuration
    /// The log holds bytes that cannot be read as records.
    case unreadable
  }

  package init(code: Int32, message: String) {
    self.code = code
    self.name = String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(code)))
    self.message = message
  }

  /// A code with librdkafka's own text for it.
  init(_ code: rd_kafka_resp_err_t, _ context: String = "") {
    let text = String(cString: rd_kafka_err2str(code))
    self.init(code: code.rawValue, message: context.isEmpty ? text : "\(context): \(text)")
  }

  /// Takes over an error object.
  init(consuming error: OpaquePointer) {
    defer { rd_kafka_error_destroy(error) }
    self.init(
      code: rd_kafka_error_code(error).rawValue,
      message: String(cString: rd_kafka_error_string(error)))
  }

  /// A setting that is refused.
  static func configuration(_ message: String) -> KafkaError {
    KafkaError(code: RD_KAFKA_RESP_ERR__INVALID_ARG.rawValue, message: message)
  }

  package var kind: Kind {
    switch rd_kafka_resp_err_t(code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION where isInterruptedHandshake: .transient
    case RD_KAFKA_RESP_ERR__SSL: .tls
    case RD_KAFKA_RESP_ERR__TRANSPORT where isRefusedCertificate: .tls
    case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      .authentication
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
      Self.unknownTopicID:
      .unknownTopic
    case RD_KAFKA_RESP_ERR__INVALID_ARG, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
      RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR__NOT_CONFIGURED,
      RD_KAFKA_RESP_ERR_INVALID_CONFIG, RD_KAFKA_RESP_ERR_INVALID_PARTITIONS,
      RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT,
      RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, RD_KAFKA_RESP_ERR_INVALID_RECORD,
      RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
      .configuration
    case RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR__BAD_COMPRESSION,
      RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, RD_KAFKA_RESP_ERR_INVALID_MSG,
      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      .unreadable
    default: .transient
    }
  }

  /// The protocol's UNKNOWN_TOPIC_ID, for which librdkafka 2.0.2 has no name.
  private static let unknownTopicID = rd_kafka_resp_err_t(100)

  /// librdkafka also calls it a failed authentication when the connection breaks while it asks for
  /// SASL mechanisms, as when a broker restarts, and when a token could not be had.
  private var isInterruptedHandshake: Bool {
    message.contains("mechanism handshake failed: Local:")
      || message.contains("Failed to acquire SASL OAUTHBEARER token")
  }

  /// A certificate that the broker refuses, or misses, is a failed transport to librdkafka, with
  /// OpenSSL's text, since with TLS 1.3 the client's handshake is over by then. An end of the stream
  /// in the middle is one.
  private var isRefusedCertificate: Bool {
    message.contains("SSL routines") && !message.contains("unexpected eof")
  }

  /// A broker said so, not librdkafka.
  package var isAnswer: Bool { code > 0 }

  /// No answer came in time.
  package var isTimeout: Bool {
    code == RD_KAFKA_RESP_ERR__TIMED_OUT.rawValue
      || code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE.rawValue
      || code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT.rawValue
  }

  /// The reader asked for an offset that the log does not hold.
  package var isOffsetOutOfRange: Bool {
    code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET.rawValue
      || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE.rawValue
  }

  /// No broker at all can be reached.
  package var isOutage: Bool { code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN.rawValue }

  /// One connection broke, or cannot be made.
  package var isConnectionLoss: Bool {
    [
      RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__SSL,
      RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__AUTHENTICATION,
    ].contains { $0.rawValue == code }
  }

  /// Not an error: reading has caught up with the log.
  package var isPartitionEnd: Bool { code == RD_KAFKA_RESP_ERR__PARTITION_EOF.rawValue }

  /// Another producer of the same transactional id has begun since, or the brokers have ended the
  /// transaction because it took too long.
  package var isFenced: Bool {
    [
      RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
    ].contains { $0.rawValue == code }
  }

  /// A record, or a batch of them, is larger than the brokers take.
  package var isTooLarge: Bool {
    [RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE].contains {
      $0.rawValue == code
    }
  }

  package var isTopicExists: Bool { code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS.rawValue }

  package var description: String { "\(message) (\(name))" }
}

/// Throws if a call of librdkafka did not answer "no error".
func check(_ code: rd_kafka_resp_err_t, _ context: String) throws(KafkaError) {
  if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code, context) }
}

/// Throws if a call of librdkafka gave an error object.
func check(_ error: OpaquePointer?) throws(KafkaError) {
  if let error { throw KafkaError(consuming: error) }
}
