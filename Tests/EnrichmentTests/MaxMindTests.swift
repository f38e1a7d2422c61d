import Enrichment
import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// Geography from files in MaxMind's format.
@Suite struct MaxMindTests {
  private let directory = TemporaryDirectory()
  private var path: String { directory.path + "/city.mmdb" }

  private static func writer(city: String = "Ulm") -> MaxMindWriter {
    var writer = MaxMindWriter()
    writer.add([9, 1, 0, 0], bits: 16, country: "DE", state: "Baden-Württemberg", city: city)
    writer.add([9, 2, 3, 4], bits: 32, country: "FR")
    writer.add([9, 3, 0, 0], bits: 16, country: "-", state: "", city: "-")
    writer.add([9, 4, 0, 0], bits: 16, country: "ES", city: String(repeating: "ñ", count: 2_000))
    let ipv6: [UInt8] = [0x2A, 0x02, 0x81, 0x08] + [UInt8](repeating: 0, count: 12)
    writer.add(ipv6, bits: 32, country: "NL", state: "Utrecht", city: "Zeist")
    return writer
  }

  private func write(_ bytes: [UInt8]) throws { try Files.replace(path, with: bytes) }

  private func source(_ bytes: [UInt8] = writer().bytes()) throws -> MaxMindGeography {
    try write(bytes)
    return try MaxMindGeography(path: path)
  }

  @Test(arguments: [
    ("9.1.255.7", Lookup("DE", "Baden-Württemberg", "Ulm")), ("9.2.3.4", Lookup("FR", nil, nil)),
    ("9.2.3.5", .nothing), ("10.0.0.1", .nothing),
    ("2a02:8108::1", Lookup("NL", "Utrecht", "Zeist")), ("2a02:8109::1", .nothing),
    ("::1", .nothing), ("", .nothing), ("shop", .nothing), ("9.1.2", .nothing),
    ("9.1.2.3.4", .nothing), (String(repeating: "1", count: 60), .nothing),
  ])
  func `an address has the names of its network, any other text has none`(
    ip: String, expected: Lookup
  ) throws {
    let source = try source()
    // The second time from the cache.
    #expect(source.lookup(ip) == expected)
    #expect(source.lookup(ip) == expected)
  }

  @Test func `dashes and empty names are null, long names are cut at a code point`() throws {
    let source = try source()
    #expect(source.lookup("9.3.0.1") == .nothing)
    #expect(source.lookup("9.4.0.1").city == String(repeating: "ñ", count: 1_024))
  }

  @Test func `more networks than the cache holds are told apart`() throws {
    var writer = MaxMindWriter()
    for third in 0..<160 as Range<UInt8> {
      for last in 0..<250 as Range<UInt8> {
        writer.add([9, 9, third, last], bits: 32, country: "\(third)-\(last)")
      }
    }
    let source = try source(writer.bytes())
    for third in 0..<160 {
      for last in stride(from: 0, to: 250, by: 7) {
        #expect(source.lookup("9.9.\(third).\(last)").country == "\(third)-\(last)")
      }
    }
  }

  // MARK: - Damage

  @Test func `a missing file, another file and one without countries are refused`() throws {
    #expect(throws: EnrichmentError.self) { try MaxMindGeography(path: path) }
    #expect(throws: EnrichmentError.self) { try MaxMindGeography(path: directory.path) }
    #expect(throws: EnrichmentError.self) { try source(Array("not an MMDB file".utf8)) }
    var networks = MaxMindWriter()
    networks.add([9, 0, 0, 0], bits: 8, .map([("autonomous_system_number", .number(1, bits: 32))]))
    let error = #expect(throws: EnrichmentError.self) { try source(networks.bytes()) }
    #expect(error?.description.contains("no country") == true)
  }

  @Test func `a record of the tree that leads nowhere is found at the start`() throws {
    let writer = Self.writer()
    var bytes = writer.bytes()
    // The right record of the last node.
    bytes.replaceSubrange(writer.dataStart - 19..<writer.dataStart - 16, with: [0xFF, 0xFF, 0xFE])
    #expect(throws: EnrichmentError.self) { try source(bytes) }
  }

  @Test func `a file with any byte changed is refused or read, and never ends the process`() throws
  {
    let whole = Self.writer().bytes()
    var random = RandomNumbers(seed: 11)
    var refused = 0
    for _ in 0..<400 {
      var bytes = whole
      let place = Int(random.next() % UInt64(bytes.count))
      bytes[place] ^= 1 << UInt8(random.next() % 8)
      if random.next() % 4 == 0 { bytes.removeSubrange(place...) }
      guard let source = try? source(bytes) else {
        refused += 1
        continue
      }
      for ip in ["9.1.0.1", "9.2.3.4", "9.4.0.1", "2a02:8108::1"] { _ = source.lookup(ip) }
    }
    #expect(refused > 100)
  }

  // MARK: - Other files in its place

  @Test func `a file renamed over it is taken at the next look, and said once`() throws {
    let source = try source()
    #expect(source.takeNotices().count == 1)
    source.refresh(now: 0)
    #expect(source.takeNotices() == [])
    try write(Self.writer(city: "Neu-Ulm").bytes())
    #expect(source.lookup("9.1.0.1").city == "Ulm")
    source.refresh(now: 0)
    #expect(source.lookup("9.1.0.1").city == "Neu-Ulm")
    source.refresh(now: 0)
    #expect(source.takeNotices().count == 1)
  }

  @Test func `a damaged or missing one leaves the old one in use, and is said once`() throws {
    let source = try source()
    _ = source.takeNotices()
    try write(Array("damaged".utf8))
    for _ in 0..<3 { source.refresh(now: 0) }
    var notices = source.takeNotices()
    #expect(notices.count == 1 && notices[0].contains("stays in use"), "\(notices)")
    try Files.remove(path)
    for _ in 0..<3 { source.refresh(now: 0) }
    notices = source.takeNotices()
    #expect(notices.count == 1 && notices[0].contains("stays in use"), "\(notices)")
    #expect(source.lookup("9.1.0.1").city == "Ulm")
    try write(Self.writer(city: "Neu-Ulm").bytes())
    source.refresh(now: 0)
    #expect(source.lookup("9.1.0.1").city == "Neu-Ulm")
  }

  @Test func `a file cut short in its place does not reach the process`() throws {
    let source = try source()
    #expect(truncate(path, 0) == 0)
    #expect(source.lookup("9.1.0.1").city == "Ulm")
    source.refresh(now: 0)
    #expect(source.lookup("9.2.3.4").country == "FR")
    #expect(source.lookup("2a02:8108::1").city == "Zeist")
  }

  @Test func `its name tells type and time of the build`() throws {
    #expect(try source().name == "mmdb Test-City, built 2023-11-14T22:13:20.000000Z")
  }
}

/// MaxMind's own test file, which lies beside the package.
private let maxMindFile = repositoryRoot() + "/../shared/data/GeoIP2-City-Test.mmdb"

@Test(
  .enabled(if: Files.exists(maxMindFile), "../shared/data/GeoIP2-City-Test.mmdb is not there"),
  arguments: [
    ("81.2.69.142", Lookup("GB", "England", "London")),
    ("2.125.160.216", Lookup("GB", "England", "Boxford")),
    ("216.160.83.56", Lookup("US", "Washington", "Milton")),
    ("89.160.20.112", Lookup("SE", "Östergötland County", "Linköping")),
    ("175.16.199.1", Lookup("CN", "Jilin Sheng", "Changchun")),
    ("2001:218::1", Lookup("JP", nil, nil)), ("10.1.2.3", .nothing),
  ])
func `MaxMind's test file answers as MaxMind documents`(ip: String, expected: Lookup) throws {
  #expect(try MaxMindGeography(path: maxMindFile).lookup(ip) == expected)
}
