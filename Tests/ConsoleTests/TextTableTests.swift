import Console
import Testing

@Test func `columns are as wide as their widest cell, numbers at the right`() {
  var table = TextTable([.init("user"), .init("events", isNumber: true), .init("url")])
  #expect(table.add(["訪問者", "7", "/a"]).isEmpty)
  #expect(table.add(["b", "1234567", "/long/one"]).isEmpty)
  #expect(
    table.finish() == """
      user     events  url
      ------  -------  ---------
      訪問者        7  /a
      b       1234567  /long/one

      """)
}

@Test func `an empty table shows its titles`() {
  var table = TextTable([.init("a"), .init("b")])
  #expect(table.finish() == "a  b\n-  -\n")
}

@Test func `a cell is cut at its column's bound and made harmless`() {
  var table = TextTable([.init("a", maxWidth: 4), .init("b")])
  _ = table.add(["\u{1B}[31mred", "x\ny"])
  #expect(table.finish() == "a     b\n----  ---\n␛[3…  x␊y\n")
}

@Test func `a long table streams: each row is printed once, under one heading`() {
  var table = TextTable([.init("n", isNumber: true)])
  var text = ""
  var streamed = 0
  for number in 1...1_200 {
    let part = table.add([String(number)])
    if number > 600, !part.isEmpty { streamed += 1 }
    text += part
  }
  text += table.finish()
  let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
  #expect(streamed == 600)
  #expect(lines.prefix(2) == ["n", "---"])
  #expect(lines.dropFirst(2).elementsEqual((1...1_200).map { String($0)[...] }))
}
