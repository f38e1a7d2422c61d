import Console
import SessionModel
import Testing

private func text(_ body: (inout JSONWriter) -> Void) -> String {
  var json = JSONWriter()
  body(&json)
  return String(decoding: json.bytes, as: UTF8.self)
}

@Test func `an object has its members in the order given, separated by commas`() {
  let written = text {
    $0.object {
      $0.member("a", "x")
      $0.member("b", nil as String?)
      $0.member("c", 42)
      $0.member("d", UInt64.max)
      $0.member("e", true)
      $0.object("f") { _ in }
      $0.object("g") { $0.member("h", -1) }
      $0.array("i") {
        $0.element(1)
        $0.element("two")
        $0.object { $0.member("three", 3) }
        $0.object { _ in }
      }
      $0.array("j") { _ in }
      $0.member("k", false)
    }
  }
  #expect(
    written == #"{"a":"x","b":null,"c":42,"d":18446744073709551615,"e":true,"f":{},"g":{"h":-1},"#
      + #""i":[1,"two",{"three":3},{}],"j":[],"k":false}"#)
}

@Test func `lines are JSON texts of their own`() {
  let written = text {
    for number in 1...2 {
      $0.object { $0.member("n", number) }
      $0.endLine()
    }
  }
  #expect(written == "{\"n\":1}\n{\"n\":2}\n")
}

@Test func `what was taken is not written again`() {
  var json = JSONWriter()
  json.object { $0.member("n", 1) }
  #expect(json.take() == Array(#"{"n":1}"#.utf8))
  json.object { $0.member("n", 2) }
  #expect(json.take() == Array(#"{"n":2}"#.utf8))
  #expect(json.take().isEmpty)
}

@Test(arguments: [
  ("a\"b\\c", #"a\"b\\c"#), ("\u{1B}[0m\n", #"\u001b[0m\n"#), ("\u{7F}", #"\u007f"#),
  ("\u{9B}31mü\u{80}", #"\u009b31mü\u0080"#), ("\u{80}", #"\u0080"#), ("\u{9F}", #"\u009f"#),
  ("訪問 🙂", "訪問 🙂"),
])
func `no control character stands in JSON as it is`(value: String, expected: String) {
  #expect(text { $0.object { $0.member("v", value) } } == #"{"v":""# + expected + #""}"#)
}

@Test func `bytes that are not UTF-8 become valid JSON`() {
  let written = [UInt8(ascii: "a"), 0xFF, UInt8(ascii: "b")].withUnsafeBytes { bytes in
    text { $0.object { $0.member("v", bytes: bytes) } }
  }
  #expect(written == #"{"v":"a�b"}"#)
}

@Test func `a time is ISO-8601, and null where there is none`() {
  let written = text {
    $0.object {
      $0.member("a", time: 1_431_857_103_000_000)
      $0.member("b", time: .never)
      $0.member("c", time: nil)
    }
  }
  #expect(written == #"{"a":"2015-05-17T10:05:03.000000Z","b":null,"c":null}"#)
}
