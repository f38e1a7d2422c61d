import CRdKafka

/// Transactions of a producer whose configuration names a `transactional.id`.
extension Producer {
  /// Fences earlier producers of the same id. Times in µs.
  package func initTransactions(timeout: Int64) throws(KafkaError) {
    try check(rd_kafka_init_transactions(handle, milliseconds(timeout)))
  }

  package func beginTransaction() throws(KafkaError) {
    try check(rd_kafka_begin_transaction(handle))
  }

  package func commitTransaction(timeout: Int64) throws(KafkaError) {
    try check(rd_kafka_commit_transaction(handle, milliseconds(timeout)))
  }

  package func abortTransaction(timeout: Int64) throws(KafkaError) {
    try check(rd_kafka_abort_transaction(handle, milliseconds(timeout)))
  }
}
