package import Enrichment
import SessionModel
import StateStore

/// Where a run's rows get their geography from.
package enum GeographyOrigin {
  /// It answers at once.
  case source(any GeographySource)
  /// It answers later; the state keeps what it said.
  case service(any GeographyService)
}

/// Geography from a service, through the cache in the state.
///
/// An answer is in memory until the checkpoint that takes it is durable, from then on in the state. It
/// belongs to the processing thread.
final class GeographyLookups: GeographySource {
  /// The first error of the state's cache.
  private(set) var failure: StateError?
  private let service: any GeographyService
  private let store: StateStore
  private let timeToLive: Microseconds
  /// Answers that no checkpoint has taken.
  private var fresh: [String: AddressGeography] = [:]
  /// Those that the last one has.
  private var handedOver: [String: AddressGeography] = [:]
  private var now: Microseconds
  /// The texts that were given out last.
  private let texts = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 3 * Limits.keptTextBytes, alignment: 1)

  /// - Parameters:
  ///   - timeToLive: an answer serves for so long, µs.
  ///   - now: wall clock.
  init(
    _ service: any GeographyService, store: StateStore, timeToLive: Microseconds,
    now: Microseconds
  ) {
    self.service = service
    self.store = store
    self.timeToLive = timeToLive
    self.now = now
  }

  deinit { texts.deallocate() }

  /// Has an address looked up for a row to come, or for one that waits for it.
  func expect(_ ip: TextView, isClosed: Bool) {
    guard VisitorAddress.isPublic(ip) else { return }
    let address = String(decoding: ip, as: UTF8.self)
    if answer(address, ip) == nil { service.ask(address, isUrgent: isClosed) }
  }

  func geography(of ip: TextView) -> Geography? {
    guard VisitorAddress.isPublic(ip) else { return Geography() }
    let address = String(decoding: ip, as: UTF8.self)
    guard let answer = answer(address, ip) else {
      service.ask(address, isUrgent: true)
      return nil
    }
    var used = 0
    func copy(_ text: String?) -> TextView? {
      guard var text else { return nil }
      return text.withUTF8 { bytes in
        let place = UnsafeMutableRawBufferPointer(rebasing: texts[used..<(used + bytes.count)])
        place.copyBytes(from: bytes)
        used += bytes.count
        return TextView(place)
      }
    }
    return Geography(
      country: copy(answer.country), state: copy(answer.state), city: copy(answer.city))
  }

  func giveUp(_ ip: TextView) { service.giveUp(String(decoding: ip, as: UTF8.self)) }

  private func answer(_ address: String, _ ip: TextView) -> AddressGeography? {
    if let answer = fresh[address] ?? handedOver[address] { return answer }
    do throws(StateError) {
      guard let kept = try store.geography(of: ip), kept.answeredAt >= oldest else { return nil }
      return kept
    } catch {
      failure = failure ?? error
      return nil
    }
  }

  private var oldest: Microseconds { now - timeToLive }

  func refresh(now: Microseconds) {
    self.now = now
    for answer in service.takeAnswers() { fresh[answer.address] = answer }
  }

  /// Whether there are answers that no checkpoint has taken.
  var hasAnswers: Bool { !fresh.isEmpty }

  /// Gives a checkpoint the answers that it is to keep. The one before it must be durable.
  func hand(to draft: CheckpointDraft) {
    handedOver = fresh
    fresh = [:]
    while handedOver.count > DraftLimits.answers, let (address, answer) = handedOver.popFirst() {
      fresh[address] = answer
    }
    draft.geography = Array(handedOver.values)
    draft.oldestGeography = oldest
  }

  func takeNotices() -> [String] { service.takeNotices() }

  var name: String { service.name }

  func close() { service.close() }
}
