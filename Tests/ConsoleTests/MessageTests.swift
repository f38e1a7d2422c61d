import Console
import Testing

@Test func `a failure says what happened, how the state is, and what to do`() {
  #expect(
    Message.failure("disk full", state: "safe", remedy: "make room")
      == "sojourn: disk full. State: safe. Do: make room.\n")
  #expect(
    Message.failure("no flag --a; did you mean --b?", state: "untouched", remedy: nil)
      == "sojourn: no flag --a; did you mean --b? State: untouched.\n")
}

@Test func `text from outside cannot colour or break a message`() {
  let text = Message.failure("a\u{1B}[2Jb\nc", state: "x\ry", remedy: "z\u{9B}")
  #expect(text == "sojourn: a␛[2Jb␊c. State: x␍y. Do: z\u{FFFD}.\n")
  #expect(Message.warning("a\nb") == "sojourn: warning: a␊b\n")
  #expect(Message.note("a\nb") == "sojourn: a␊b\n")
}

@Test func `only the program's own words are coloured`() {
  let text = Message.failure("x", state: "y", remedy: "z", colour: true)
  #expect(text == "\u{1B}[31msojourn:\u{1B}[0m x. State: y. Do: z.\n")
}

@Test(
  arguments: [
    ([:], true), (["NO_COLOR": ""], true), (["NO_COLOR": "1"], false), (["NO_COLOR": "0"], false),
    (["TERM": "dumb"], false), (["TERM": "xterm"], true),
  ] as [([String: String], Bool)])
func `NO_COLOR with any value and dumb terminals forbid colours`(
  environment: [String: String], expected: Bool
) {
  #expect(Standard.permitsColour { environment[$0] } == expected)
}
