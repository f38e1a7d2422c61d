import CRdKafka

/// Changes to topics. Each waits for the cluster's answer; time-outs in µs.
extension Client {
  /// - Parameters:
  ///   - replicas: -1 for the default of the brokers.
  ///   - configuration: the topic's, as `retention.ms`.
  /// - Throws: `KafkaError`; `isTopicExists` where there is one of that name.
  package func createTopic(
    _ name: String, partitions: Int32, replicas: Int32 = -1,
    configuration: [(name: String, value: String)] = [],
    timeout: Int64
  ) throws(KafkaError) {
    var text = [CChar](repeating: 0, count: 512)
    guard let topic = rd_kafka_NewTopic_new(name, partitions, replicas, &text, text.count) else {
      throw .configuration("topic \(name): \(string(text))")
    }
    defer { rd_kafka_NewTopic_destroy(topic) }
    for (key, value) in configuration {
      try check(rd_kafka_NewTopic_set_config(topic, key, value), "topic \(name)")
    }
    try administer(timeout, "creating topic \(name)") { client, options, queue in
      var topics: [OpaquePointer?] = [topic]
      rd_kafka_CreateTopics(client, &topics, 1, options, queue)
    } results: { event in
      var count = 0
      let results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event), &count)
      return firstFailure(results, count)
    }
  }

  package func deleteTopic(_ name: String, timeout: Int64) throws(KafkaError) {
    guard let topic = rd_kafka_DeleteTopic_new(name) else {
      throw .configuration("topic \(name)")
    }
    defer { rd_kafka_DeleteTopic_destroy(topic) }
    try administer(timeout, "deleting topic \(name)") { client, options, queue in
      var topics: [OpaquePointer?] = [topic]
      rd_kafka_DeleteTopics(client, &topics, 1, options, queue)
    } results: { event in
      var count = 0
      let results = rd_kafka_DeleteTopics_result_topics(
        rd_kafka_event_DeleteTopics_result(event), &count)
      return firstFailure(results, count)
    }
  }

  /// Raises a topic's number of partitions.
  package func setPartitions(_ name: String, to count: Int, timeout: Int64) throws(KafkaError) {
    var text = [CChar](repeating: 0, count: 512)
    guard let change = rd_kafka_NewPartitions_new(name, count, &text, text.count) else {
      throw .configuration("topic \(name): \(string(text))")
    }
    defer { rd_kafka_NewPartitions_destroy(change) }
    try administer(timeout, "adding partitions to topic \(name)") { client, options, queue in
      var changes: [OpaquePointer?] = [change]
      rd_kafka_CreatePartitions(client, &changes, 1, options, queue)
    } results: { event in
      var count = 0
      let results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(event), &count)
      return firstFailure(results, count)
    }
  }

  /// Deletes a partition's records before an offset.
  package func deleteRecords(
    topic: String, partition: Int32, before offset: Int64, timeout: Int64
  ) throws(KafkaError) {
    let list = PartitionList(topic, [(partition, offset)])
    guard let request = rd_kafka_DeleteRecords_new(list.native) else {
      throw .configuration("topic \(topic)")
    }
    defer { rd_kafka_DeleteRecords_destroy(request) }
    try administer(timeout, "deleting records of topic \(topic)") { client, options, queue in
      var requests: [OpaquePointer?] = [request]
      rd_kafka_DeleteRecords(client, &requests, 1, options, queue)
    } results: { event in
      guard
        let list = rd_kafka_DeleteRecords_result_offsets(
          rd_kafka_event_DeleteRecords_result(event))
      else { return RD_KAFKA_RESP_ERR__FAIL }
      return list.pointee.elems[0].err
    }
  }

  private func firstFailure(
    _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int
  ) -> rd_kafka_resp_err_t {
    for index in 0..<count {
      let code = rd_kafka_topic_result_error(results?[index])
      if code != RD_KAFKA_RESP_ERR_NO_ERROR { return code }
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR
  }

  func administer(
    _ timeout: Int64, _ context: String,
    request: (OpaquePointer, OpaquePointer?, OpaquePointer?) -> Void,
    results: (OpaquePointer) -> rd_kafka_resp_err_t
  ) throws(KafkaError) {
    var text = [CChar](repeating: 0, count: 512)
    let options = rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_ANY)
    defer { rd_kafka_AdminOptions_destroy(options) }
    rd_kafka_AdminOptions_set_request_timeout(options, milliseconds(timeout), &text, text.count)
    let queue = rd_kafka_queue_new(handle)
    defer { rd_kafka_queue_destroy(queue) }
    request(handle, options, queue)
    // The request ends by its own time-out; the margin is for librdkafka's bookkeeping.
    guard let event = rd_kafka_queue_poll(queue, milliseconds(timeout + 2_000_000)) else {
      throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, context)
    }
    defer { rd_kafka_event_destroy(event) }
    try check(rd_kafka_event_error(event), context)
    try check(results(event), context)
  }
}
