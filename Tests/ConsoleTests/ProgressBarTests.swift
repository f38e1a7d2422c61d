import Console
import Testing

@Test(
  arguments: [
    (0, 200, 54, "read  [>                   ]    0 %    0 of 200 events"),
    (100, 200, 54, "read  [==========>         ]   50 %  100 of 200 events"),
    (199, 200, 54, "read  [===================>]   99 %  199 of 200 events"),
    (200, 200, 54, "read  [====================]  100 %  200 of 200 events"),
    (250, 200, 54, "read  [====================]  100 %  250 of 200 events"),
    (1_234_567, 0, 60, "read  1,234,567 events"), (100, 200, 30, "read   50 %  100 of 200 events"),
    (100, 200, 20, "read   50 %  100 of…"),
  ] as [(UInt64, UInt64, Int, String)])
func `a bar shows the share done in the room that there is`(
  done: UInt64, total: UInt64, width: Int, expected: String
) {
  #expect(
    ProgressBar.text("read", done: done, total: total, unit: "events", width: width) == expected)
}

@Test(arguments: [UInt64(0), 1, 7, 1_000, 999_999_999_999, .max])
func `a bar is never wider than its room`(done: UInt64) {
  for width in 1...120 {
    for total in [UInt64(0), 1, 1_000_000, .max] {
      let text = ProgressBar.text(
        "reading", done: done, total: total, unit: "events", perSecond: done, width: width)
      #expect(DisplayWidth.of(text) <= width)
    }
  }
}

@Test(
  arguments: [
    (0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"),
    (.max, "18,446,744,073,709,551,615"),
  ] as [(UInt64, String)])
func `digits stand in groups of three`(number: UInt64, expected: String) {
  #expect(ProgressBar.grouped(number) == expected)
}
