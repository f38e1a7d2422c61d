import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// A bench whose state has seen a few thousand events in several checkpoints.
private func benchWithState() throws -> Workbench {
  let bench = Workbench()
  for part in 0..<3 {
    let lines = (0..<800).map { event(user: $0 % 90, at: part * 900 + $0, url: "/landing/") + "\n" }
    _ = try bench.write(lines.joined(), to: "events\(part).jsonl")
    let files = (0...part).flatMap { ["--file", "\(bench.path)/events\($0).jsonl"] }
    #expect(try bench.run(files + ["--job", "visits"] + bench.sinks).ended(.success))
  }
  return bench
}

/// Flips one bit of a file.
private func flip(_ file: String, at place: Int) throws {
  var bytes = try Files.read(file)
  bytes[place] ^= 0x10
  try Files.replace(file, with: bytes)
}

@Test func `a check says in one line what a sound state holds, and changes nothing`() throws {
  let bench = try benchWithState()
  let before = try Files.read(bench.state + "/data.mdb")
  let answer = try bench.answer(["check", "--state", bench.state])
  #expect(answer.ended(.success), "\(answer.messages)")
  #expect(answer.output.hasPrefix("sound: checkpoint "))
  #expect(answer.output.filter { $0 == "\n" }.count == 1)
  #expect(answer.messages.isEmpty)
  let json = try bench.answer(["check", "--state", bench.state, "--output", "json"])
  let summary = try bench.look()
  for (name, counter) in [("checkpoint", "checkpoint"), ("sessions", "open_sessions")] {
    #expect(
      JSONLine.number(name, in: json.output) == JSONLine.number(counter, in: summary))
  }
  #expect(json.output.contains(#""problems":[]"#))
  #expect(try Files.read(bench.state + "/data.mdb") == before)
}

@Test func `a check names what is damaged, and ends with 65`() throws {
  let bench = try benchWithState()
  let file = bench.state + "/data.mdb"
  let sound = try Files.read(file)
  // A record's text: the run would find it only when it touches the record.
  let needle = Array("/landing/".utf8)
  let place = try #require(
    (0..<(sound.count - needle.count)).last {
      sound[$0..<($0 + needle.count)].elementsEqual(needle)
    })
  try flip(file, at: place)
  let answer = try bench.answer(["check", "--state", bench.state, "--output", "json"])
  #expect(answer.ended(.corruptState), "\(answer.output) \(answer.messages)")
  #expect(answer.output.contains(#""sound":false"#))
  #expect(answer.messages.contains("is missing or broken"))
  #expect(answer.messages.contains(bench.state))
}

@Test func `a file of another program, and an empty one, are refused with 65 by every command`()
  throws
{
  let bench = try benchWithState()
  let input = ["--file", "\(bench.path)/events0.jsonl", "--job", "visits"] + bench.sinks
  for content in [[], Array("SQLite format 3\0".utf8) + [UInt8](repeating: 7, count: 20_000)] {
    try Files.replace(bench.state + "/data.mdb", with: content)
    for command in [
      ["run"] + input, ["dump"], ["check"], ["purge", "late"],
      ["backup", "--to", bench.path + "/b"],
    ] {
      let answer = try bench.answer(command + ["--state", bench.state])
      #expect(answer.ended(.corruptState), "\(command): \(answer.end) \(answer.messages)")
      #expect(answer.messages.contains("data.mdb does not begin as an LMDB file does"))
    }
  }
  #expect(!Files.exists(bench.path + "/b/data.mdb"))
}

@Test func `a check waits for no process: it is refused while one runs, and a copy is checked`()
  throws
{
  let bench = Workbench()
  let topic = try Topic(partitions: 2)
  let run = try bench.startRun(topic.flags + bench.sinks + ["--checkpoint-interval", "5ms"])
  for round in 0..<20 {
    try topic.send(event(user: round, at: round * 60), partition: Int32(round % 2))
  }
  try topic.flush()
  try bench.wait(for: "records_read", atLeast: 20, of: run)
  #expect(try bench.answer(["check", "--state", bench.state]).ended(.stateLocked))
  let copy = bench.path + "/copy"
  let backup = try bench.answer(["backup", "--state", bench.state, "--to", copy])
  #expect(backup.ended(.success), "\(backup.messages)")
  run.child.signal(SIGTERM)
  #expect(try run.answer().ended(.success))

  #expect(try bench.answer(["check", "--state", copy]).ended(.success))
  // The copy is older than the table by now: the rows that it derives again are skipped.
  try topic.send(event(user: 1, at: 9_000), partition: 0)
  try topic.send(event(user: 1, at: 9_000), partition: 1)
  try topic.flush()
  let again = try bench.answer(
    ["run", "--state", copy, "--stop-at-end"] + topic.flags + bench.sinks)
  #expect(again.ended(.success), "\(again.messages)")
  #expect(again.output.contains("records read 22 "))
}

@Test func `a copy goes into a new or an empty directory only, for its owner alone`() throws {
  let bench = try benchWithState()
  let copy = bench.path + "/a/copy"
  let backup = ["backup", "--state", bench.state, "--to", copy]
  #expect(try bench.answer(backup).ended(.success))
  var status = stat()
  #expect(stat(copy, &status) == 0 && status.st_mode & 0o777 == 0o700)
  #expect(stat(copy + "/data.mdb", &status) == 0 && status.st_mode & 0o777 == 0o600)
  #expect(try Files.names(in: copy) == ["data.mdb"])
  let again = try bench.answer(backup)
  #expect(again.ended(.stateLocked))
  #expect(again.messages.contains("is not empty"))
  let summary = try bench.look()
  let copied = try bench.answer(["dump", "--state", copy, "--output", "json"]).output
  #expect(copied == summary)
}

@Test func `a damaged state is not copied`() throws {
  let bench = try benchWithState()
  var bytes = try Files.read(bench.state + "/data.mdb")
  // Every page's own number, but for the meta pages.
  for page in 2..<(bytes.count / 4_096) { bytes[page * 4_096] ^= 1 }
  try Files.replace(bench.state + "/data.mdb", with: bytes)
  let answer = try bench.answer(["backup", "--state", bench.state, "--to", bench.path + "/copy"])
  #expect(answer.ended(.corruptState), "\(answer.messages)")
  #expect(!Files.exists(bench.path + "/copy/data.mdb"))
}

@Test func `an older copy in the place of a newer state is run, and said to be older`() throws {
  let bench = try benchWithState()
  let older = try Files.read(bench.state + "/data.mdb")
  let files = (0..<3).flatMap { ["--file", "\(bench.path)/events\($0).jsonl"] }
  _ = try bench.write(event(user: 7, at: 90_000) + "\n", to: "more.jsonl")
  let run = files + ["--file", bench.path + "/more.jsonl", "--job", "visits"] + bench.sinks
  #expect(try bench.run(run).ended(.success))
  let table = try TableExport.sqlite(bench.database)

  try Files.replace(bench.state + "/data.mdb", with: older)
  let check = try bench.answer(["check", "--state", bench.state])
  #expect(check.ended(.success))
  #expect(check.messages.contains("was durable here"))
  let again = try bench.run(run)
  #expect(again.ended(.success), "\(again.messages)")
  #expect(again.messages.contains("was durable here"))
  #expect(try TableExport.sqlite(bench.database) == table)
  let third = try bench.run(run)
  #expect(third.ended(.success) && !third.messages.contains("was durable here"))
}

@Test(.enabled(if: HeldDisk.whyNot == nil, Comment(rawValue: HeldDisk.whyNot ?? "")))
func `a check needs no right to write, and is refused all the same while a process runs`() throws {
  let bench = try benchWithState()
  let check = ["check", "--state", bench.state]
  let words = HeldDisk.readOnly(bench.state)
  #expect(try bench.start(check, through: words).answer().ended(.success))
  do {
    let owner = try FileDescriptor.open(bench.state + "/owner.lock", O_RDWR)
    #expect(try owner.lock(wait: false))
    let answer = try bench.start(check, through: words).answer()
    #expect(answer.ended(.stateLocked), "\(answer.messages)")
  }
  try Files.remove(bench.state + "/owner.lock")
  let answer = try bench.start(check, through: words).answer()
  #expect(answer.ended(.success), "\(answer.messages)")
  #expect(!Files.exists(bench.state + "/owner.lock"))
}
