import Glibc
import Platform
import TestSupport

// sojourn-damage COUNT [SEED]: damages COUNT copies of sound states, each in its own way, and looks
// what becomes of them. Ends with 1 on any finding.

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "worker", arguments.count == 5 {
  let values = Array(arguments.dropFirst())
  let numbers = Int(values[2])!..<Int(values[3])!
  try Worker(directory: values[0], seed: UInt64(values[1])!, numbers: numbers).run()
  exit(0)
}
guard let count = arguments.first.flatMap({ Int($0) }), count > 0, arguments.count <= 2 else {
  print("usage: sojourn-damage COUNT [SEED]")
  exit(64)
}
let seed = arguments.dropFirst().first.flatMap { UInt64($0) } ?? 1
let place = TemporaryDirectory(inMemory: true)
var supervisor = Supervisor(count: count, seed: seed, directory: place.path)
let isSound = try supervisor.run()
TemporaryDirectory.remove(place.path)
exit(isSound ? 0 : 1)
