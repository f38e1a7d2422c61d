import SessionModel
import Sinks
import Testing

@Suite struct SessionRowJSONTests {
  @Test func `a row is one object with the columns in the table's order`() {
    var batch = RowBatch()
    batch.append {
      SampleRows.append(
        number: 255, start: 1_431_857_103_000_000, end: 1_431_857_164_000_001, eventCount: 3,
        pages: PageCounts(views: 2, distinct: 1),
        texts: [
          .userID: "42", .ip: "::1", .landingURL: "/\"a\"\\\n\u{0}", .host: "é🙂", .city: "",
        ], to: &$0)
    }
    let expected =
      #"{"session_id":"00000000000000ff0123456789abcdefffffffffffffffff00000000000000ff","#
      + #""user_id":"42","ip":"::1","is_logged_in":true,"#
      + #""session_start":"2015-05-17T10:05:03.000000Z","#
      + #""session_end":"2015-05-17T10:06:04.000001Z","session_date":"2015-05-17","#
      + #""duration_ms":61000,"event_count":3,"page_views":2,"distinct_pages":1,"#
      + #""distinct_pages_is_minimum":false,"is_bounce":false,"landing_url":"/\"a\"\\\n\u0000","exit_url":null,"#
      + #""referrer":null,"host":"é🙂","browser_family":null,"os_family":null,"#
      + #""device_family":null,"is_bot":false,"utm_source":null,"utm_medium":null,"#
      + #""utm_campaign":null,"click_id":null,"click_id_type":null,"channel":"direct","#
      + #""country":null,"state":null,"city":""}"#
    #expect(SampleRows.lines(batch) == [expected])
  }

  @Test func `a visitor who is not logged in has null for a user`() {
    var batch = RowBatch()
    batch.append { SampleRows.append(number: 1, start: 0, end: 0, texts: [:], to: &$0) }
    let line = SampleRows.lines(batch)[0]
    #expect(line.contains(#""user_id":null,"ip":"192.0.2.1","is_logged_in":false"#))
  }
}
