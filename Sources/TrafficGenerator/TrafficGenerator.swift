import SessionModel

/// Realistic web traffic, made one event after the other: visitors come, look at a dozen pages with
/// pauses in between, some log in midway, some come back; a few events come late.
///
/// A pure function of its options, in integer arithmetic alone, so that a seed makes the same bytes
/// everywhere.
package struct TrafficGenerator {
  private struct OngoingVisit {
    var next: Microseconds
    /// Makes the order of equal times definite.
    var number: UInt64
    var visitor: UInt64
    var eventsLeft: UInt64
    /// The visitor is logged in once no more events than this are left.
    var loggedInFrom: UInt64
    var isFirst: Bool
  }

  private let options: TrafficOptions
  private var random: SplitMix
  private var produced = 0
  /// A binary heap of visits, the next event first.
  private var visits: [OngoingVisit] = []
  private var nextArrival: Microseconds
  private var arrivals: UInt64 = 0
  private let meanArrivalGap: UInt64

  package init(_ options: TrafficOptions) {
    precondition(options.visitors > 0 && options.rate > 0, "traffic needs visitors and a rate")
    self.options = options
    random = SplitMix(options.seed)
    nextArrival = options.start
    meanArrivalGap = UInt64(
      max(1, Visit.meanEventsTimesTen * Microseconds.perSecond / 10 / Int64(options.rate)))
  }

  /// Appends the next event as one JSON object without a line end.
  ///
  /// - Returns: false, with nothing appended, after the last one.
  package mutating func next(into bytes: inout [UInt8]) -> Bool {
    guard produced < options.events else { return false }
    produced += 1
    while visits.first.map({ nextArrival <= $0.next }) ?? true { arrive() }
    var visit = visits[0]
    let delay =
      options.disorder > 0 && random.oneIn(Visit.disorderOneIn)
      ? Int64(random.below(UInt64(options.disorder))) : 0
    write(visit, time: max(options.start, visit.next - delay), to: &bytes)
    visit.eventsLeft -= 1
    visit.isFirst = false
    visit.next += Int64(
      random.within(random.oneIn(Visit.breakOneIn) ? Visit.breakLength : Visit.pause))
    if visit.eventsLeft == 0 {
      visits[0] = visits[visits.count - 1]
      visits.removeLast()
    } else {
      visits[0] = visit
    }
    sink()
    return true
  }

  private mutating func arrive() {
    let count = random.oneIn(Visit.bounceOneIn) ? 1 : random.within(Visit.events)
    let visitor = random.below(UInt64(options.visitors))
    let hasAccount = SplitMix.mix(visitor) % Visit.accountOneIn == 0
    let loggedInFrom = !hasAccount ? 0 : random.oneIn(2) ? count : random.below(count)
    visits.append(
      OngoingVisit(
        next: nextArrival, number: arrivals, visitor: visitor, eventsLeft: count,
        loggedInFrom: loggedInFrom, isFirst: true))
    arrivals += 1
    nextArrival += Int64(1 + random.below(2 * meanArrivalGap))
    var child = visits.count - 1
    while child > 0, comesBefore(child, (child - 1) / 2) {
      visits.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < visits.count && comesBefore(child, least) {
        least = child
      }
      if least == parent { return }
      visits.swapAt(parent, least)
      parent = least
    }
  }

  private func comesBefore(_ one: Int, _ other: Int) -> Bool {
    visits[one].next != visits[other].next
      ? visits[one].next < visits[other].next : visits[one].number < visits[other].number
  }

  // MARK: - JSON

  private mutating func write(
    _ visit: OngoingVisit, time: Microseconds, to bytes: inout [UInt8]
  ) {
    let traits = SplitMix.mix(visit.visitor &+ 0x51)
    let roll = traits % 100
    let agent = Catalogue.agents[Catalogue.agentWeights.firstIndex { roll < $0 } ?? 0]
    let host = Catalogue.hosts[Int(traits >> 8 % 3)]
    let ip = address(of: visit.visitor)
    bytes += "{\"url\":\"".utf8
    appendPage(to: &bytes)
    bytes += "\",\"referrer\":".utf8
    if visit.isFirst, random.oneIn(2) {
      let index = random.below(UInt64(Catalogue.referrers.count))
      JSONText.append(Catalogue.referrers[Int(index)], to: &bytes)
    } else if visit.isFirst {
      bytes += "null".utf8
    } else {
      bytes += "\"https://".utf8
      bytes += host.utf8
      appendPage(to: &bytes)
      bytes += "\"".utf8
    }
    append(agent, to: &bytes)
    bytes += ",\"headers\":{\"host\":\"".utf8
    bytes += host.utf8
    bytes += "\",\"user-agent\":".utf8
    JSONText.append(agent.raw, to: &bytes)
    bytes += ",\"accept-language\":\"".utf8
    bytes += Catalogue.languages[Int(traits >> 16 % 4)].utf8
    bytes += "\",\"x-forwarded-for\":\"".utf8
    bytes += ip
    bytes += "\"},\"host\":\"".utf8
    bytes += host.utf8
    bytes += "\",\"ip\":\"".utf8
    bytes += ip
    bytes += "\",\"user_id\":".utf8
    if visit.eventsLeft <= visit.loggedInFrom {
      DecimalText.append(100_000 + visit.visitor, to: &bytes)
    } else {
      bytes += "null".utf8
    }
    bytes += ",\"academy_id\":null,\"event_time\":\"".utf8
    TimeText.appendTimestamp(time, to: &bytes)
    bytes += "\"}".utf8
  }

  private mutating func appendPage(to bytes: inout [UInt8]) {
    // The smaller of two draws: the first pages are the most seen.
    let count = UInt64(Catalogue.pages.count)
    let page = Catalogue.pages[Int(min(random.below(count), random.below(count)))]
    bytes += page.utf8
    if page.hasSuffix("/") && page != "/" || page.hasSuffix("=") {
      DecimalText.append(random.below(5_000), to: &bytes)
    }
  }

  private func append(_ agent: Catalogue.Agent, to bytes: inout [UInt8]) {
    bytes += ",\"user_agent\":{".utf8
    append(agent.family, agent.version, to: &bytes)
    bytes += ",\"device\":{".utf8
    append(agent.device, ["", "", ""], to: &bytes)
    bytes += "},\"os\":{".utf8
    append(agent.os, agent.osVersion, to: &bytes)
    bytes += "}}".utf8
  }

  private func append(_ family: String, _ version: [String], to bytes: inout [UInt8]) {
    bytes += "\"family\":".utf8
    JSONText.append(family, to: &bytes)
    for (name, part) in zip(["major", "minor", "patch"], version) {
      bytes += ",\"\(name)\":".utf8
      if part.isEmpty { bytes += "null".utf8 } else { JSONText.append(part, to: &bytes) }
    }
  }

  /// Public addresses of blocks for documentation would be too few: any but private ones serve.
  private func address(of visitor: UInt64) -> [UInt8] {
    let mixed = SplitMix.mix(visitor &* 3 &+ options.seed)
    var text: [UInt8] = []
    if mixed % Visit.sixOneIn == 0 {
      text += "2001:db8".utf8
      for shift in [0, 16, 32, 48] as [UInt64] {
        text.append(UInt8(ascii: ":"))
        text += String(mixed >> shift & 0xFFFF | 0x1000, radix: 16).utf8
      }
      text += "::1".utf8
      return text
    }
    let octets = [20 + mixed % 100, mixed >> 8 & 0xFF, mixed >> 16 & 0xFF, 1 + mixed >> 24 % 254]
    for (index, octet) in octets.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ".")) }
      DecimalText.append(octet, to: &text)
    }
    return text
  }
}
