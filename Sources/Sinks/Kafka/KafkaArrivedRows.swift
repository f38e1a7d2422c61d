import KafkaClient
import SessionModel

/// The rows of a topic by position, whatever partition they are in. Of those written without
/// transactions the last value of each key counts, as in a compacted topic; of those written in
/// transactions each one, so that a row which is there twice shows.
///
/// They are put in order by a temporary database on the disk; memory stays below some 50 MB.
final class KafkaArrivedRows: ArrivedRows {
  /// How long the brokers may be silent, µs.
  private static let readTimeout: Int64 = 30_000_000

  private let database: SQLiteConnection
  private let sorted: SQLiteStatement

  init(_ address: KafkaAddress) throws(SinkError) {
    let topic = try KafkaTopic(address)
    guard let partitions = try topic.partitionCount() else {
      throw .unsuitable("\(address.place): there is no such topic")
    }
    database = try SQLiteConnection.temporary()
    try database.execute(
      """
      CREATE TABLE arrived (key TEXT, session_end INTEGER, value TEXT);
      CREATE INDEX by_key ON arrived (key);
      """)
    let spans = try topic.spans(partitions: partitions, isSettled: false)
    try KafkaArrivedRows.fill(database, topic, spans)
    sorted = try database.prepare(
      "SELECT value FROM arrived ORDER BY session_end, key, rowid")
  }

  private static func fill(
    _ database: borrowing SQLiteConnection, _ topic: KafkaTopic, _ spans: [LogSpan]
  ) throws(SinkError) {
    let insert = try database.prepare("INSERT INTO arrived VALUES (?1, ?2, ?3)")
    let delete = try database.prepare("DELETE FROM arrived WHERE key = ?1")
    let scan: TopicScan
    do throws(KafkaError) {
      scan = try TopicScan(
        topic.address.configuration, topic: topic.address.topic, spans,
        group: topic.address.writer, timeout: readTimeout)
    } catch {
      throw topic.failure(error)
    }
    try database.transaction { () throws(SinkError) in
      while try next(of: scan, topic) {
        for (index, entry) in scan.batch.entries.enumerated() where entry.errorCode == 0 {
          let key = scan.batch.key(at: index).map { String(decoding: $0, as: UTF8.self) }
          let mark = KafkaMark(scan.batch, at: index, .position)
          if mark?.isTransactional != true {
            delete.bind(copying: key, at: 1)
            try run(delete)
          }
          guard let value = entry.value else { continue }
          insert.bind(copying: key, at: 1)
          insert.bind(end(of: mark), at: 2)
          insert.bind(copying: String(decoding: value, as: UTF8.self), at: 3)
          try run(insert)
        }
      }
    }
  }

  private static func next(of scan: TopicScan, _ topic: KafkaTopic) throws(SinkError) -> Bool {
    do throws(KafkaError) { return try scan.next() != nil } catch { throw topic.failure(error) }
  }

  private static func run(_ statement: borrowing SQLiteStatement) throws(SinkError) {
    _ = try statement.step()
    statement.reset()
  }

  /// The session's end as the header says it; records of others come first.
  private static func end(of mark: KafkaMark?) -> Int64 {
    (mark?.own).flatMap { RowPosition($0) }?.sessionEnd ?? -1
  }

  func next() throws(SinkError) -> [UInt8]? {
    try sorted.step() ? Array(sorted.bytes(0)) : nil
  }
}
