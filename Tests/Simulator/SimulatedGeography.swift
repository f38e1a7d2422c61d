import Enrichment
import SessionModel
import TestSupport

/// A service that answers after a while, and knows nothing of any address: rows are then those that
/// the log alone decides.
final class SimulatedGeography: GeographyService {
  private let world: World
  private var random: RandomNumbers
  private var pending: [(address: String, answerAt: Int64)] = []

  init(_ world: World, random: RandomNumbers) {
    self.world = world
    self.random = random
  }

  func ask(_ address: String, isUrgent: Bool) {
    if pending.contains(where: { $0.address == address }) { return }
    world.coverage.count(.addressAsked)
    let delay: Microseconds = random.pick([0, 2_000, 100_000, 3 * .perSecond, 60 * .perSecond])
    pending.append((address, world.now + delay))
  }

  func giveUp(_ address: String) { pending.removeAll { $0.address == address } }

  func takeAnswers() -> [AddressGeography] {
    let due = pending.filter { $0.answerAt <= world.now }
    pending.removeAll { $0.answerAt <= world.now }
    return due.map { AddressGeography(address: $0.address, answeredAt: World.wallBase + world.now) }
  }

  func takeNotices() -> [String] { [] }
  var name: String { "simulated" }
  func close() {}
}
