import Console
import SessionModel
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

@Test func `the note of the first new record is known from a run's other messages`() {
  let resumed = FirstRecordNote.text(after: 123_999, checkpoint: 7, openSessions: 2)
  #expect(
    Message.note(resumed)
      == "sojourn: first new record processed 123 ms after the start; "
      + "resumed checkpoint 7 with 2 open sessions\n")
  #expect(FirstRecordNote.isNote(Message.note(resumed)))
  let new = FirstRecordNote.text(after: 0, checkpoint: 0, openSessions: 0)
  #expect(new.hasSuffix("; the state is new"))
  #expect(FirstRecordNote.isNote(Message.note(new)))
  #expect(!FirstRecordNote.isNote(Message.note("sink x " + new)))
}
