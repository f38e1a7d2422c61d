import SessionModel

/// Rows at the ends of what a row may hold.
enum ExtremeRows {
  /// The greatest event time that decoding lets in: 1e17 µs, in the year 5138.
  static let latestTime: Microseconds = 99_999_999_999_999_999

  static let texts = [
    "", "null", "42", "007", "1e5", "  blank  ", "naïve 🙂 日本語 e\u{301} \u{202E}", "\u{FEFF}bom",
    "it's \"quoted\" \\ back", "line\nfeed\r\n\ttab", "a\u{0}b", "\u{1F}\u{7F}\u{80}",
    "%s ?1 :name",
    String(repeating: "x", count: 65_534), String(repeating: "🙂", count: 512),
  ]

  static var batch: RowBatch {
    var batch = RowBatch()
    batch.append {
      SampleRows.append(number: 0, start: 0, end: 0, texts: [:], to: &$0)
    }
    batch.append {
      SampleRows.append(
        number: 1, start: 0, end: 1, eventCount: UInt64(Int64.max), texts: [:], to: &$0)
    }
    for (index, text) in texts.enumerated() {
      batch.append {
        // The table of the default key has no column for another.
        let all = RowText.allCases.filter { $0 != .ownKey }.map { ($0, Optional(text)) }
        SampleRows.append(
          number: 2 + index, start: 1_000_000, end: 2_999_999 + Microseconds(index),
          texts: Dictionary(uniqueKeysWithValues: all), to: &$0)
      }
    }
    batch.append {
      SampleRows.append(number: 1_000, start: 0, end: latestTime, texts: [:], to: &$0)
    }
    batch.append {
      SampleRows.append(number: 1_001, start: latestTime, end: latestTime, texts: [:], to: &$0)
    }
    return batch
  }
}
