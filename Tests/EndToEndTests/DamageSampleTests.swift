import Platform
import SessionModel
import TestSupport
import Testing

/// A sample of what `make nightly PART=damage` does ten times over.
@Suite struct DamageSampleTests {
  @Test func `of a thousand damaged states none misleads or kills who opens it`() throws {
    let directory = TemporaryDirectory()
    let output = directory.path + "/output"
    let program = try ChildProcess(
      BuiltProgram.damage, ["1000", "7"], standardOutput: output, standardError: output)
    let end = program.wait()
    let text = String(decoding: try Files.read(output), as: UTF8.self)
    #expect(end == .exited(0), "\(text)")
    #expect(text.contains("\n1000 damages (seed 7): "), "\(text)")
  }
}
