import Glibc
import Platform
import Sinks
import TestSupport
import Testing

@Suite struct SinkPlacesTests {
  private let directory = TemporaryDirectory()

  private func sharing(_ texts: String...) throws -> [String]? {
    let addresses = try texts.map { try SinkAddress(parsing: $0) }
    return Sinks.sharing(addresses).map { [$0.0, $0.1] }
  }

  @Test func `two ways to write one path are one place, whether it is there or not`() throws {
    let path = directory.path
    let (plain, round) = (
      "a=sqlite:\(path)/t.db", "b=sqlite:\(path)/../\(path.dropFirst(5))/./t.db"
    )
    #expect(try sharing(plain, round) == ["a", "b"])
    try Files.replace(path + "/t.db", with: [])
    #expect(try sharing(plain, round) == ["a", "b"])
    #expect(try sharing("a=jsonl:\(path)/out", "b=jsonl:\(path)/out///") == ["a", "b"])
  }

  @Test func `a link to a place is that place`() throws {
    let path = directory.path
    try Files.replace(path + "/t.db", with: [])
    #expect(symlink("t.db", path + "/other.db") == 0)
    #expect(try sharing("a=sqlite:\(path)/t.db", "b=sqlite:\(path)/other.db") == ["a", "b"])
  }

  @Test func `different files and different kinds are places of their own`() throws {
    let path = directory.path
    #expect(try sharing("a=sqlite:\(path)/t.db", "b=sqlite:\(path)/u.db") == nil)
    #expect(try sharing("a=sqlite:\(path)/t", "b=jsonl:\(path)/t") == nil)
    #expect(try sharing("a=jsonl:\(path)/missing/t", "b=jsonl:\(path)/t") == nil)
  }
}
