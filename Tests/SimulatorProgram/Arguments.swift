import SessionModel

/// What the command line asks for.
struct Arguments {
  var seeds: Range<UInt64> = 0..<2_000
  var showsCoverage = false
  var stopsAtFinding = false
  /// Every case of so many events, instead of seeds.
  var scope: Int?
  var partitions = 1
  var flushes = false

  struct Misuse: Error, CustomStringConvertible {
    var description: String
  }

  init(_ arguments: [String]) throws(Misuse) {
    var rest = arguments[...]
    while let flag = rest.popFirst() {
      switch flag {
      case "--coverage": showsCoverage = true
      case "--first": stopsAtFinding = true
      case "--seeds":
        guard let range = rest.popFirst().flatMap(Arguments.range) else {
          throw Misuse(description: "--seeds takes a number, or two as in 10..<20")
        }
        seeds = range
      case "--scope": scope = try Arguments.count(flag, rest.popFirst(), 1...6)
      case "--partitions": partitions = try Arguments.count(flag, rest.popFirst(), 1...2)
      case "--flushes": flushes = true
      case "--bug":
        guard let name = rest.popFirst() else { throw Misuse(description: "--bug takes a name") }
        try Arguments.plant(name)
      default: throw Misuse(description: "unknown argument \(flag)")
      }
    }
  }

  private static func count(
    _ flag: String, _ text: String?, _ range: ClosedRange<Int>
  ) throws(Misuse) -> Int {
    guard let count = text.flatMap({ Int($0) }), range.contains(count) else {
      throw Misuse(
        description: "\(flag) takes a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return count
  }

  /// Has the bug take effect from now on.
  private static func plant(_ name: String) throws(Misuse) {
    #if PLANTED_BUGS
      guard let bug = PlantedBug(rawValue: name) else {
        let names = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
        throw Misuse(description: "--bug takes one of: \(names)")
      }
      PlantedBug.active = bug
    #else
      throw Misuse(description: "--bug needs a build with SOJOURN_PLANTED_BUGS=1")
    #endif
  }

  private static func range(_ text: String) -> Range<UInt64>? {
    let parts = text.split(separator: "..<").map { UInt64($0) }
    if parts.count == 1, let count = parts[0] { return 0..<count }
    guard parts.count == 2, let begin = parts[0], let end = parts[1], begin <= end else {
      return nil
    }
    return begin..<end
  }
}
