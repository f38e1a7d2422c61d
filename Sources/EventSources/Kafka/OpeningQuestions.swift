import KafkaClient
import Platform
import SessionModel

/// Asks the cluster until it answers, and tells what cannot pass from what is waited for:
///
/// - brokers that are away or slow, and partitions without a leader: without end;
/// - a topic that no broker knows: for a while, since news of a topic takes time to spread;
/// - certificates that are refused: as long, since a broker may be about to get a new one;
/// - credentials, rights and versions that are refused: not at all.
final class OpeningQuestions {
  /// µs between two tries.
  static let retryPause: Int64 = 100_000
  private static let shortestTimeout: Int64 = 1_000_000
  /// What passes sooner than this is not told, µs.
  private static let silence: Int64 = 1_000_000

  let inquirer: Inquirer
  private let options: KafkaSourceOptions
  /// How long a topic may be unknown, µs.
  private let topicPatience: Int64
  private let isStopping: () -> Bool
  private let wait: (Int64) -> Void
  private let report: (String) -> Void

  private var patience = AnswerPatience(shortest: shortestTimeout)
  private var failingSince: Int64?
  /// Since when every answer was that the topic is unknown.
  private var unknownSince: Int64?
  private var saidNoAnswer = false
  private var saidUnknown = false
  /// Of the connections, since the last answer.
  private var tlsFailure: KafkaError?
  private var otherFailure: KafkaError?

  /// - Parameters:
  ///   - isKnownTopic: the state has read the topic before.
  ///   - pause: waits for some µs, less when the process is to end.
  init(
    inquirer: Inquirer, options: KafkaSourceOptions, isKnownTopic: Bool,
    isStopping: @escaping () -> Bool, pause: @escaping (Int64) -> Void,
    report: @escaping (String) -> Void
  ) {
    self.inquirer = inquirer
    self.options = options
    topicPatience = isKnownTopic ? options.topicPatience : options.newTopicPatience
    self.isStopping = isStopping
    wait = pause
    self.report = report
  }

  /// - Parameter question: is given the time in µs that it may take.
  /// - Throws: what cannot pass; also when the process is to end.
  func ask<Answer>(
    _ question: (Int64) throws(KafkaError) -> Answer
  ) throws(SourceError) -> Answer {
    while true {
      let begin = Clock.monotonic
      do throws(KafkaError) {
        let answer = try question(patience.timeout)
        patience.answered(after: Clock.monotonic - begin)
        noteAnswer()
        return answer
      } catch {
        if error.isTimeout { patience.timedOut() }
        try judge(error, askedAt: begin)
      }
      try pause()
    }
  }

  /// - Throws: `.unavailable` when the process is to end.
  func pause() throws(SourceError) {
    wait(Self.retryPause)
    if isStopping() { throw .unavailable("the process was asked to end before a broker answered") }
  }

  func tell(_ notice: String) { report(notice) }

  private func noteAnswer() {
    if saidNoAnswer, let since = failingSince {
      report("the brokers answer after \((Clock.monotonic - since) / 1_000_000) s; reading begins")
    }
    failingSince = nil
    unknownSince = nil
    saidNoAnswer = false
    tlsFailure = nil
    otherFailure = nil
  }

  private func judge(_ failure: KafkaError, askedAt: Int64) throws(SourceError) {
    let now = Clock.monotonic
    let since = failingSince ?? askedAt
    failingSince = since
    for error in inquirer.takeErrors() { try note(error) }
    switch failure.kind {
    case .authentication: throw .authentication(authenticationMessage(failure))
    case .configuration: throw .configuration("\(failure). Nothing was read or changed.")
    case .unknownTopic: return try judgeUnknownTopic(failure, now: now)
    case .transient, .tls, .unreadable: break
    }
    unknownSince = nil
    if let tlsFailure, otherFailure == nil, now - since >= options.tlsPatience {
      throw .authentication(tlsMessage(tlsFailure))
    }
    if !saidNoAnswer, now - since >= Self.silence {
      saidNoAnswer = true
      let reason = otherFailure ?? tlsFailure ?? failure
      let brokers = options.configuration["bootstrap.servers"] ?? ""
      report(
        "\(failure.isAnswer ? "not ready" : "no answer") from the brokers at \(brokers): \(reason); "
          + "waiting until they answer (the state is unchanged; SIGTERM ends the waiting)")
    }
  }

  /// An error of a connection, between the questions.
  private func note(_ error: KafkaError) throws(SourceError) {
    switch error.kind {
    case .authentication: throw .authentication(authenticationMessage(error))
    case .tls: tlsFailure = error
    default: if !error.isOutage { otherFailure = error }
    }
  }

  private func judgeUnknownTopic(_ failure: KafkaError, now: Int64) throws(SourceError) {
    let since = unknownSince ?? now
    unknownSince = since
    if now - since >= topicPatience {
      throw .configuration(
        "topic \(options.topic) does not exist (\(failure.name)); it was waited for for "
          + "\(topicPatience / 1_000_000) s. Nothing was read or changed. "
          + "Check --topic and --brokers, or create it first.")
    }
    if !saidUnknown, now - since >= Self.silence {
      saidUnknown = true
      report(
        "topic \(options.topic) is not known to the brokers; waiting up to "
          + "\(topicPatience / 1_000_000) s for it")
    }
  }
}

/// - Parameter error: of kind `authentication`.
func authenticationMessage(_ error: KafkaError) -> String {
  "the broker refused the credentials, or rights are missing: \(error). The state is unchanged. "
    + "Check the security settings (-X security.protocol, sasl.*, ssl.*) and the topic's ACLs."
}

/// - Parameter error: of kind `tls`.
private func tlsMessage(_ error: KafkaError) -> String {
  "no TLS connection to the brokers comes about: \(error). The state is unchanged. Check the "
    + "certificates and the settings about them (-X security.protocol, ssl.ca.location, "
    + "ssl.certificate.location, ssl.key.location)."
}
