import CFuzzer
import FuzzTargets
import Glibc

/// The checks of the target that runs; libFuzzer calls them on one thread.
nonisolated(unsafe) private var target: FuzzTarget.Check?

func say(_ line: String) {
  Array("\(line)\n".utf8).withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
}

guard CommandLine.argc > 1, let name = CommandLine.arguments.dropFirst().first,
  let chosen = FuzzTarget(rawValue: name)
else {
  let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")
  say("usage: sojourn-fuzz \(names) [libFuzzer's arguments]")
  exit(64)
}
target = chosen.makeCheck()

// libFuzzer takes the first argument for the program's name.
var count = CommandLine.argc - 1
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
exit(
  withUnsafeMutablePointer(to: &arguments) { arguments in
    LLVMFuzzerRunDriver(&count, arguments) { bytes, length in
      do throws(FuzzFinding) {
        try target?(UnsafeRawBufferPointer(start: bytes, count: length))
      } catch {
        say("FINDING: \(error)")
        abort()
      }
      return 0
    }
  })
