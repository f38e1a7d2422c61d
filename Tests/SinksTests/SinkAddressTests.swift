import Sinks
import Testing

@Suite struct SinkAddressTests {
  @Test(arguments: [
    ("sqlite:sessions.db", "sqlite", SinkAddress.Scheme.sqlite, "sessions.db"),
    ("jsonl:/var/out", "jsonl", .jsonl, "/var/out"),
    ("archive=jsonl:out", "archive", .jsonl, "out"),
    ("a_B-9=sqlite:x", "a_B-9", .sqlite, "x"),
    ("sqlite:a=b:c.db", "sqlite", .sqlite, "a=b:c.db"),
    ("sqlite=jsonl:out", "sqlite", .jsonl, "out"),
    ("postgres://me@host:5432/db", "postgres", .postgres, "//me@host:5432/db"),
    ("dwh=postgres:///db?host=/run/pg", "dwh", .postgres, "///db?host=/run/pg"),
  ])
  func `an address has a name, a scheme and a rest`(
    _ text: String, _ name: String, _ scheme: SinkAddress.Scheme, _ rest: String
  ) throws {
    let address = try SinkAddress(parsing: text)
    #expect(address == SinkAddress(name: name, scheme: scheme, rest: rest))
    #expect(address.redacted == "\(scheme.rawValue):\(rest)")
  }

  @Test(arguments: [
    "", "sqlite", "sqlite:", "jsonl:", ":x", "=sqlite:x", "a b=sqlite:x", "é=sqlite:x", "x=",
    "SQLITE:x", "sqlite::memory:", "\(String(repeating: "n", count: 65))=sqlite:x", "a=b=sqlite:x",
  ])
  func `anything else is refused`(_ text: String) {
    #expect(throws: SinkAddressError.self) { try SinkAddress(parsing: text) }
  }

  @Test func `an unknown scheme is named with the known ones and without its secrets`() throws {
    let error = #expect(throws: SinkAddressError.self) {
      try SinkAddress(parsing: "my=mysql://me:secret@host/db")
    }
    let text = try #require(error).description
    for part in ["mysql", "sqlite:PATH", "jsonl:DIR", "postgres://"] {
      #expect(text.contains(part))
    }
    #expect(!text.contains("secret"))
  }

  @Test(arguments: [
    "postgres://me:secret@host/db", "postgres://host/db?password=secret",
    "postgres://host/db?sslpassword=secret", "postgres://host/db?secret", "postgres://[secret",
  ])
  func `an address with a password, or that libpq cannot read, is refused and not repeated`(
    _ text: String
  ) throws {
    let address = try SinkAddress(parsing: text)
    let error = #expect(throws: SinkAddressError.self) {
      try Sinks.make(address, table: .sessions)
    }
    #expect(error?.description.contains("secret") == false)
  }

  @Test(arguments: ["sessions", "_", "Web_2015", String(repeating: "t", count: 63)])
  func `a table's name is an identifier`(_ text: String) throws {
    #expect(try TableName(parsing: text).text == text)
  }

  @Test(arguments: [
    "", "2015", "a b", "a-b", "a\"b", "é", "sojourn_sinks", "Sojourn_Sinks", "sqlite_master",
    String(repeating: "t", count: 64),
  ])
  func `other table names are refused`(_ text: String) {
    #expect(throws: SinkAddressError.self) { try TableName(parsing: text) }
  }
}
