import KafkaClient
import Platform

/// A topic as its cluster knows it. Asks; makes it where it is missing.
struct KafkaTopic {
  /// How long each answer of the cluster is waited for, µs.
  static let answerTimeout: Int64 = 10_000_000
  /// For what is good to know but not needed, µs.
  private static let courtesyTimeout: Int64 = 1_000_000
  private static let lookInterval: Int64 = 20_000
  private static let compact = "compact"
  private static let policy = "cleanup.policy"

  let address: KafkaAddress
  let client: Inquirer

  /// - Throws: `.unsuitable` where the settings cannot work.
  init(_ address: KafkaAddress) throws(SinkError) {
    self.address = address
    do throws(KafkaError) { client = try Inquirer(address.configuration) } catch {
      throw SinkError(error, place: address.place)
    }
  }

  /// How many partitions the topic has; nil where there is no such topic.
  func partitionCount() throws(SinkError) -> Int? {
    do throws(KafkaError) {
      return try client.describe(topic: address.topic, timeout: KafkaTopic.answerTimeout)
        .partitionCount
    } catch {
      if error.kind == .unknownTopic { return nil }
      throw failure(error)
    }
  }

  /// What an error means, where the client has heard more than the call.
  func failure(_ error: KafkaError) -> SinkError {
    let told = client.takeErrors().first { $0.kind == .authentication || $0.kind == .tls }
    return SinkError(error.kind == .transient ? told ?? error : error, place: address.place)
  }

  /// Finds the topic; makes it where it is missing and was never seen by this process.
  ///
  /// - Parameter isCompacted: for a new one: the last value of each key is kept for ever.
  /// - Returns: the number of partitions.
  func prepare(_ claim: SinkClaim, isCompacted: Bool) throws(SinkError) -> Int {
    if let count = try partitionCount() { return count }
    if claim == .first { return try make(isCompacted: isCompacted) }
    throw .unavailable(
      "\(address.place): is not there any more. Nothing was made in its place, the rows stay in the "
        + "state; it is waited for.")
  }

  /// Makes the topic with as many partitions and replicas as the brokers make by themselves.
  ///
  /// - Throws: `SinkError` where the brokers refuse.
  private func make(isCompacted: Bool) throws(SinkError) -> Int {
    do throws(KafkaError) {
      try client.createTopic(
        address.topic, partitions: -1,
        configuration: isCompacted ? [(KafkaTopic.policy, KafkaTopic.compact)] : [],
        timeout: KafkaTopic.answerTimeout)
    } catch {
      // Another process was faster.
      if !error.isTopicExists { throw refusal(error) }
    }
    let pause = Monitor(false)
    let deadline = Clock.monotonic + KafkaTopic.answerTimeout
    while Clock.monotonic < deadline {
      if let count = try partitionCount() { return count }
      let _: Bool? = pause.wait(until: Clock.monotonic + KafkaTopic.lookInterval) { _ in nil }
    }
    throw .unavailable("\(address.place): was made, but no broker knows it yet; it is tried again.")
  }

  private func refusal(_ error: KafkaError) -> SinkError {
    let failure = failure(error)
    if case .unavailable = failure, !error.isAnswer { return failure }
    let text =
      "\(address.place): is not there, and the brokers do not let it be made: \(error). Nothing was "
      + "written, the rows stay in the state. Make it (\(KafkaTopic.policy)=\(KafkaTopic.compact) "
      + "suits it), and start again."
    if case .authentication = failure { return .authentication(text) }
    return error.isTimeout ? failure : .unsuitable(text)
  }

  /// Deletes the topic, if it is there.
  func delete() throws(SinkError) {
    do throws(KafkaError) {
      try client.deleteTopic(address.topic, timeout: KafkaTopic.answerTimeout)
    } catch {
      if error.kind != .unknownTopic { throw failure(error) }
    }
  }

  /// Whether the topic keeps the last value of each key; nil where the brokers do not tell.
  var isCompacted: Bool? {
    let answer = try? client.setting(
      KafkaTopic.policy, ofTopic: address.topic, timeout: KafkaTopic.courtesyTimeout)
    return answer.flatMap { $0 }?.split(separator: ",").contains("compact")
  }

  /// The whole log of each partition as far as committed records can be read.
  ///
  /// - Parameter isSettled: every record must be readable.
  /// - Throws: `.unavailable` also where that is asked and records lie behind a transaction that is
  ///   open: nobody can say what comes of them.
  func spans(partitions count: Int, isSettled: Bool) throws(SinkError) -> [LogSpan] {
    let partitions = (0..<Int32(count)).map { $0 }
    let begins = try offsets(.beginning, client, partitions)
    let ends = try offsets(.end, client, partitions)
    if isSettled {
      // Any other client is told the end of what is committed.
      let open: Inquirer
      do throws(KafkaError) {
        open = try Inquirer(
          address.configuration.overriding([("isolation.level", "read_uncommitted")]))
      } catch {
        throw failure(error)
      }
      for (partition, end) in try offsets(.end, open, partitions) where end > ends[partition] ?? 0 {
        throw .unavailable(
          "\(address.place): in partition \(partition) a transaction of another producer is open, "
            + "and nothing behind it can be read. The rows stay in the state; it is tried again "
            + "until that one ends, at the latest by its transaction.timeout.ms.")
      }
    }
    return partitions.map { partition in
      LogSpan(partition: partition, from: begins[partition] ?? 0, to: ends[partition] ?? 0)
    }
  }

  private func offsets(
    _ place: LogPlace, _ client: Inquirer, _ partitions: [Int32]
  ) throws(SinkError) -> [Int32: Int64] {
    do throws(KafkaError) {
      let offsets = try client.offsets(
        place, topic: address.topic, partitions: partitions, timeout: KafkaTopic.answerTimeout)
      return Dictionary(uniqueKeysWithValues: zip(partitions, offsets.map { $0 ?? 0 }))
    } catch {
      throw failure(error)
    }
  }
}
