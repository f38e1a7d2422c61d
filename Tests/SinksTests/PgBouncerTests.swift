import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// The PostgreSQL sink behind a pooler. The conformance suite runs over one in transaction mode, too.
@Suite(.enabled(if: !PgBouncer.isMissing, Comment(rawValue: PgBouncer.skipMessage)))
struct PgBouncerTests {
  private static let server = PostgresServer.shared

  private static func pooler(_ mode: PgBouncer.PoolMode, connections: Int = 20) -> PgBouncer {
    let pooler = PgBouncer(server, mode, connections: connections)
    pooler.start()
    return pooler
  }

  @Test(arguments: [PgBouncer.PoolMode.session, .transaction])
  func `a pooler that is killed again and again keeps each row once`(
    _ mode: PgBouncer.PoolMode
  ) throws {
    let pooler = Self.pooler(mode)
    let home = PostgresHome(through: pooler)
    let rows = try home.write {
      pooler.stop()
      pooler.start()
    }
    #expect(try home.lines() == SampleRows.lines(rows))
    let arrived = try Sinks.arrivedRows(
      try SinkAddress(parsing: home.sinkURI), table: .sessions)
    var count = 0
    while try arrived.next() != nil { count += 1 }
    #expect(count == rows.count)
  }

  @Test func `sinks of several jobs take turns on one connection to the server`() throws {
    let home = PostgresHome(through: Self.pooler(.transaction, connections: 1))
    let (sink, _) = try home.open(1)
    // A column more than the other: what stands ready for one cannot take the other's rows.
    let schema = SessionSchema(key: KeyLayout(["user_id", "ip", "shop"]))
    let other = PostgresSink(
      address: try PostgresAddress(uri: home.sinkURI), table: try TableName(parsing: "shops"),
      schema: schema)
    _ = try other.open(
      identity: SampleRows.otherJob, owner: SampleRows.owner(2), claim: .first, adopt: false)
    let client = try PostgresClient(home.sinkURI)
    var (held, otherHeld) = (RowPosition?.none, RowPosition?.none)
    for number in 0..<4 {
      // What a client leaves behind meets whoever has the connection next.
      try client.run("SET search_path = pg_catalog")
      try client.run("SET TimeZone = 'Asia/Tokyo'")
      let rows = SampleRows.batch(number * 10..<number * 10 + 10)
      try sink.write(after: held, rows: rows)
      let shop = Self.row(number, shop: "s\(number)")
      try other.write(after: otherHeld, rows: shop)
      (held, otherHeld) = (rows.lastPosition, shop.lastPosition)
    }
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<40)))
    let shops = try PostgresClient(home.uri).rows("SELECT shop FROM shops ORDER BY session_end")
    #expect(shops == [["s0"], ["s1"], ["s2"], ["s3"]])
    #expect(try home.open(3).1 == held)
  }

  private static func row(_ number: Int, shop: String) -> RowBatch {
    let end = SampleRows.firstEnd + Microseconds(number) * .perSecond
    var batch = RowBatch()
    batch.append {
      SampleRows.append(
        number: number, start: end - 5, end: end, texts: [.ownKey: shop], to: &$0)
    }
    return batch
  }

  @Test func `a pooler that parts the statements of a transaction is refused in its own words`()
    throws
  {
    let home = PostgresHome(through: Self.pooler(.statement))
    let error = failure { () throws(SinkError) in
      _ = try home.makeSink().open(
        identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
    }
    #expect(error?.kind == "unavailable")
    #expect(
      error?.description.contains("statement pooling mode") == true,
      "\(String(describing: error))")
    #expect(try PostgresClient(home.uri).rows("SELECT to_regclass('sojourn_sinks')") == [[nil]])
  }
}
