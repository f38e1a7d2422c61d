import Glibc
import Platform
import TestSupport

/// The child: does one damage after the other, and names each before it does it, so that a signal
/// can be told whose it is.
struct Worker {
  let directory: String
  let seed: UInt64
  let numbers: Range<Int>

  /// What damage number `number` is.
  static func plan(_ number: Int, seed: UInt64) -> (Damage, Shape, RandomNumbers) {
    var random = RandomNumbers(seed: seed &+ UInt64(number) &* 0x9E37_79B9)
    let damage = Damage.allCases[number % Damage.allCases.count]
    return (damage, random.pick(Shape.allCases), random)
  }

  func run() throws {
    var states: [Shape: SoundState] = [:]
    for number in numbers {
      var (damage, shape, random) = Worker.plan(number, seed: seed)
      let sound = try states[shape] ?? SoundState(shape, in: directory + "/" + shape.rawValue)
      states[shape] = sound
      say("begin \(number)")
      let place = directory + "/trial"
      TemporaryDirectory.remove(place)
      try Files.makeDirectory(place)
      switch try Trial(sound: sound, directory: place).run(damage, &random) {
      case .refused: say("refused \(number)")
      case .harmless: say("harmless \(number)")
      case .dormant: say("dormant \(number)")
      case .previous: say("previous \(number)")
      case .wrong(let what): say("wrong \(number) \(what)")
      }
    }
  }

  private func say(_ text: String) {
    let line = Array((String(text.map { $0 == "\n" ? " " : $0 }) + "\n").utf8)
    _ = line.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
  }
}
