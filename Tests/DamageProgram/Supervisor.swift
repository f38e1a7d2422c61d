import Glibc
import Platform
import TestSupport

/// The parent: makes the sound states, lets children damage copies of them, and counts.
struct Supervisor {
  let count: Int
  let seed: UInt64
  /// Where the states lie, in memory if that can be.
  let directory: String
  private var tallies: [Damage: Tally] = [:]
  private var findings: [String] = []

  struct Tally {
    var refused = 0
    var harmless = 0
    var dormant = 0
    var previous = 0
    var wrong = 0
    var all: Int { refused + harmless + dormant + previous + wrong }
  }

  init(count: Int, seed: UInt64, directory: String) {
    self.count = count
    self.seed = seed
    self.directory = directory
  }

  /// - Returns: whether nothing was found.
  mutating func run() throws -> Bool {
    for shape in Shape.allCases {
      try Files.makeDirectory(directory + "/" + shape.rawValue)
      try SoundState.make(shape, in: directory + "/" + shape.rawValue)
    }
    var next = 0
    while next < count { next = try runChild(from: next) }
    report()
    return findings.isEmpty
  }

  /// - Returns: the number to go on with.
  private mutating func runChild(from first: Int) throws -> Int {
    let output = directory + "/output"
    TemporaryDirectory.remove(output)
    let child = try ChildProcess(
      CommandLine.arguments[0],
      ["worker", directory, "\(seed)", "\(first)", "\(count)"],
      environment: ["SWIFT_BACKTRACE": "enable=no"], standardOutput: output,
      standardError: output + ".errors")
    let end = child.wait()
    var begun = first - 1
    var done = first - 1
    let lines = String(decoding: try Files.read(output), as: UTF8.self).split(separator: "\n")
    for line in lines {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      let number = Int(words[1])!
      if words[0] == "begin" { begun = number } else { done = number }
      try take(words[0], number, words.count > 2 ? words[2] : "")
    }
    if end == .exited(0), done == count - 1 { return count }
    try take("wrong", begun, "the process ended: \(end)")
    return begun + 1
  }

  private mutating func take(_ outcome: String, _ number: Int, _ text: String) throws {
    let (damage, shape, _) = Worker.plan(number, seed: seed)
    switch outcome {
    case "refused": tallies[damage, default: Tally()].refused += 1
    case "harmless": tallies[damage, default: Tally()].harmless += 1
    case "dormant": tallies[damage, default: Tally()].dormant += 1
    case "previous": tallies[damage, default: Tally()].previous += 1
    case "wrong":
      tallies[damage, default: Tally()].wrong += 1
      findings.append("damage \(number) (\(damage.rawValue), \(shape)): \(text)")
    default: break
    }
  }

  private mutating func report() {
    print(
      "done", "refused", "harmless", "dormant", "previous", "wrong", "damage", separator: "\t")
    var total = Tally()
    for damage in Damage.allCases {
      let tally = tallies[damage] ?? Tally()
      print(
        tally.all, tally.refused, tally.harmless, tally.dormant, tally.previous, tally.wrong,
        damage.rawValue, separator: "\t")
      total.refused += tally.refused
      total.harmless += tally.harmless
      total.dormant += tally.dormant
      total.previous += tally.previous
      total.wrong += tally.wrong
      if tally.all >= 8, !damage.isHarmless, tally.refused + tally.previous == 0 {
        findings.append("'\(damage.rawValue)' was never noticed in \(tally.all) trials")
      }
    }
    for finding in findings { print("found:", finding) }
    print(
      "\(total.all) damages (seed \(seed)): \(total.refused) refused, \(total.harmless) harmless, "
        + "\(total.dormant) of unneeded bytes, "
        + "\(total.previous) at the checkpoint before and said so, \(findings.count) findings")
  }
}
