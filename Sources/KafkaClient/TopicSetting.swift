import CRdKafka

extension Client {
  /// A setting of a topic as the brokers have it in force, as `cleanup.policy`.
  ///
  /// - Parameter timeout: µs.
  /// - Returns: nil where the brokers know none of that name.
  /// - Throws: `KafkaError`, also where the brokers do not tell.
  package func setting(
    _ name: String, ofTopic topic: String, timeout: Int64
  ) throws(KafkaError) -> String? {
    guard let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic) else {
      throw .configuration("topic \(topic)")
    }
    defer { rd_kafka_ConfigResource_destroy(resource) }
    var value: String?
    try administer(timeout, "asking for the settings of topic \(topic)") {
      client, options, queue in
      var resources: [OpaquePointer?] = [resource]
      rd_kafka_DescribeConfigs(client, &resources, 1, options, queue)
    } results: { event in
      var count = 0
      let answers = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count)
      guard count == 1, let answer = answers?[0] else { return RD_KAFKA_RESP_ERR__FAIL }
      value = find(name, in: answer)
      return rd_kafka_ConfigResource_error(answer)
    }
    return value
  }

  private func find(_ name: String, in resource: OpaquePointer) -> String? {
    var count = 0
    guard let entries = rd_kafka_ConfigResource_configs(resource, &count) else { return nil }
    for index in 0..<count {
      guard let found = rd_kafka_ConfigEntry_name(entries[index]), String(cString: found) == name
      else { continue }
      return rd_kafka_ConfigEntry_value(entries[index]).map { String(cString: $0) }
    }
    return nil
  }
}
