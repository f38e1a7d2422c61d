import FuzzTargets
import Platform
import TestSupport
import Testing

/// The inputs that fuzzing began with, and all that ever broke a property, once more.
@Suite struct CorpusTests {
  @Test(arguments: FuzzTarget.allCases)
  func `every kept input keeps the properties`(target: FuzzTarget) throws {
    let folder = repositoryRoot() + "/Tests/Fuzz/Corpus/" + target.rawValue
    let names = try Files.names(in: folder)
    #expect(names.count >= 10, "\(folder) holds \(names.count) inputs")
    let check = target.makeCheck()
    for name in names {
      let input = try Files.read(folder + "/" + name)
      #expect(throws: Never.self, "\(target.rawValue)/\(name)") {
        try input.withUnsafeBytes { try check($0) }
      }
    }
  }
}
