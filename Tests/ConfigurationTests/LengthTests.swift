import Configuration
import Testing

@Test func `a job's name has at most 200 bytes`() throws {
  let longest = String(repeating: "j", count: 200)
  #expect(try run("--job \(longest)").job == longest)
  let base = words("run --brokers b:9092 --topic clicks --sink sqlite:x.db")
  #expect(refusal(base + ["--job", longest + "j"])?.problem.contains("200 bytes") == true)
}

@Test func `a topic's name has at most 249 characters`() throws {
  let longest = String(repeating: "t", count: 249)
  let base = words("run --brokers b:9092 --sink sqlite:x.db")
  #expect(refusal(base + ["--topic", longest]) == nil)
  #expect(refusal(base + ["--topic", longest + "t"])?.remedy.contains("249") == true)
}

@Test(arguments: ["--sink", "--sink="]) func `a sink's name has at most 64 characters`(flag: String)
  throws
{
  let longest = String(repeating: "s", count: 64)
  func arguments(_ name: String) -> [String] {
    let sink = name + "=jsonl:out"
    return words("run --brokers b:9092 --topic clicks")
      + (flag.hasSuffix("=") ? [flag + sink] : [flag, sink])
  }
  #expect(refusal(arguments(longest)) == nil)
  #expect(refusal(arguments(longest + "s")) != nil)
}
