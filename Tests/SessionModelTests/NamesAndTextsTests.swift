import SessionModel
import TestSupport
import Testing

@Suite struct NamesAndTextsTests {
  static let literals: [(String, String)] = [
    ("", "\"\""), ("plain /é😀", "\"plain /é😀\""), ("\"", #""\"""#), ("\\", #""\\""#),
    ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#), ("\0\u{1F}\u{7F}", #""\u0000\u001f\u007f""#),
    ("a\"b\\c\nd", #""a\"b\\c\nd""#), ("\u{80}\u{2028}", "\"\u{80}\u{2028}\""),
    ("\"\"", #""\"\"""#), ("/", "\"/\""),
  ]

  @Test(arguments: literals)
  func `a JSON literal escapes what RFC 8259 demands, and DEL`(text: String, literal: String) {
    var bytes = Array("x".utf8)
    JSONText.append(text, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == "x" + literal)
    var view: [UInt8] = []
    withText(text) { JSONText.append(Optional($0), to: &view) }
    #expect(String(decoding: view, as: UTF8.self) == literal)
  }

  @Test func `no text is null in JSON`() {
    var bytes: [UInt8] = []
    JSONText.append(nil as TextView?, to: &bytes)
    #expect(bytes == Array("null".utf8))
  }

  @Test func `only settings that both runs name can have changed`() {
    let earlier = [
      KeptSetting("max-drift", "10m"), KeptSetting("gone", "x"), KeptSetting("idle-timeout", "off"),
    ]
    let now = [
      KeptSetting("idle-timeout", "1m"), KeptSetting("new", "y"), KeptSetting("max-drift", "10m"),
    ]
    #expect(now.changes(since: earlier) == ["idle-timeout was off, is 1m"])
    #expect(now.changes(since: []).isEmpty && now.changes(since: now).isEmpty)
  }

  @Test func `a kept value is cut at 2,048 bytes`() {
    #expect(KeptSetting("x", String(repeating: "a", count: 2_048)).value.utf8.count == 2_048)
    let cut = KeptSetting("x", String(repeating: "é", count: 2_000)).value
    #expect(cut == String(repeating: "é", count: 1_024))
  }

  @Test func `a fingerprint's text names each setting`() {
    #expect(
      Fingerprint(topic: "clicks", gap: 300_000_000).text
        == "topic=clicks;key=user_id,ip;gap_us=300000000;scope=topic;id=sha256-v1")
    // What is off is left out, so that a table of an older version stays this job's.
    #expect(
      Fingerprint(topic: "off", gap: 1, split: 2, dropsBots: true).text
        == "topic=off;key=user_id,ip;gap_us=1;scope=topic;id=sha256-v1;split_us=2;drop_bots=on")
  }

  @Test func `fingerprints have one text exactly when they are equal`() {
    let words = ["a", ";", "=", "%", "%3B", "a;gap_us=1", "", "topic"]
    var seen: [String: Fingerprint] = [:]
    for topic in words {
      for scope in words {
        for gap in [1, 11] as [Microseconds] {
          let fingerprint = Fingerprint(topic: topic, gap: gap, scope: scope)
          #expect(seen.updateValue(fingerprint, forKey: fingerprint.text) == nil)
          #expect(!fingerprint.text.contains("\n"))
        }
      }
    }
    #expect(seen.count == words.count * words.count * 2)
  }

  @Test func `an owner is a version 4 UUID`() {
    #expect(
      OwnerID(random: [UInt8](repeating: 0xFF, count: 16)).text
        == "ffffffff-ffff-4fff-bfff-ffffffffffff")
    #expect(
      OwnerID(random: [UInt8](repeating: 0, count: 16)).text
        == "00000000-0000-4000-8000-000000000000")
    #expect(
      OwnerID(random: (0..<16).map { UInt8($0) }).text == "00010203-0405-4607-8809-0a0b0c0d0e0f")
  }

  @Test func `counters survive their names`() {
    var counters = Counters()
    for (index, counter) in counters.named.enumerated() {
      let known = counters.set(counter.name, to: UInt64(100 + index))
      #expect(known)
    }
    for reason in LateReason.allCases {
      let known = counters.set("late." + reason.code, to: UInt64(reason.rawValue))
      #expect(known)
    }
    for reason in RejectReason.allCases {
      let known = counters.set("rejected." + reason.code, to: UInt64(reason.rawValue))
      #expect(known)
    }
    var copy = Counters()
    for counter in counters.named {
      let known = copy.set(counter.name, to: counter.value)
      #expect(known)
    }
    #expect(copy == counters)
    #expect(Set(counters.named.map(\.name)).count == counters.named.count)
    #expect(Set(counters.named.map(\.value)).isSuperset(of: Set(100..<110)))
    #expect(counters.late == 3)
    #expect(counters.rejected == (1...19).reduce(0, +))
    #expect(counters.rejectedByReason[Int(RejectReason.badTime.rawValue)] == 11)
  }

  @Test func `a counter of a newer version is told`() {
    var counters = Counters()
    for name in ["sessions_of_the_future", "late.of_the_future", ""] {
      let known = counters.set(name, to: 1)
      #expect(!known)
    }
    #expect(counters == Counters())
  }

  @Test func `stored reasons and fields keep their numbers and names`() {
    #expect(
      RejectReason.allCases.map { "\($0.rawValue) \($0.code)" } == [
        "1 null_value", "2 too_large", "3 not_json", "4 not_object", "5 too_deep", "6 bad_text",
        "7 number_out_of_range", "8 wrong_type", "9 missing_ip", "10 missing_time", "11 bad_time",
        "12 time_without_offset", "13 time_out_of_range", "14 control_character_in_key",
        "15 key_too_long", "16 ahead_of_record", "17 ahead_of_now", "18 too_many_sessions",
        "19 missing_key",
      ])
    #expect(
      EventField.allCases.map { "\($0.rawValue) \($0.name)" } == [
        "1 user_id", "2 ip", "3 event_time", "4 url", "5 referrer", "6 host", "7 user_agent",
        "8 browser_family", "9 os_family", "10 device_family", "11 key_1", "12 key_2", "13 key_3",
        "14 key_4", "15 event_type",
      ])
    #expect(
      LateReason.allCases.map { "\($0.rawValue) \($0.code)" } == [
        "1 behind_partition", "2 behind_watermark",
      ])
  }
}
