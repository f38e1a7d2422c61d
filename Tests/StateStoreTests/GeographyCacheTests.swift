import SessionModel
import StateStore
import TestSupport
import Testing

extension TestTask {
  func geography(of address: String) throws -> AddressGeography? {
    try Array(address.utf8).withUnsafeBytes { try store.geography(of: $0) }
  }
}

/// What the state keeps of a geography service's answers.
@Suite struct GeographyCacheTests {
  let directory = TemporaryDirectory()

  private func answer(_ number: Int, at time: Microseconds) -> AddressGeography {
    AddressGeography(
      address: "8.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)", answeredAt: time,
      country: number % 3 == 0 ? nil : "DE", state: "Süd \(number)",
      city: number % 2 == 0 ? "" : nil)
  }

  private func kept(_ task: TestTask, _ answers: [AddressGeography]) throws -> [AddressGeography] {
    try answers.filter { try task.geography(of: $0.address) == $0 }
  }

  @Test func `answers are there from their checkpoint on, and newer ones take their place`() throws
  {
    let task = try TestTask(directory.path)
    let answers = (0..<500).map { answer($0, at: 1) }
    task.draft.geography = answers
    #expect(try task.geography(of: answers[0].address) == nil)
    try task.checkpoint()
    #expect(try kept(task, answers) == answers)
    var newer = answers[7]
    newer.answeredAt = 2
    newer.city = "Elsewhere"
    task.draft.geography = [newer]
    try task.checkpoint()
    try task.reopen()
    #expect(try task.geography(of: newer.address) == newer)
    #expect(try kept(task, answers).count == 499)
    #expect(try task.geography(of: "9.9.9.9") == nil)
    #expect(try task.store.verify() == [])
  }

  @Test func `there are never more than the limit, and the newest are not the first to go`() throws
  {
    var options = StateOptions()
    options.geographyRows = 200
    let task = try TestTask(directory.path, options: options)
    for round in 0..<20 {
      let new = (0..<50).map { answer((round * 50 + $0) &* 7_919 % 60_000, at: Int64(round)) }
      task.draft.geography = new
      try task.checkpoint()
      #expect(
        try task.store.makeReader().summary().geographyRows == UInt64(min(200, 50 * (round + 1))))
      #expect(try kept(task, new).count >= 25)
    }
    #expect(try task.store.verify() == [])
  }

  @Test func `old answers go little by little as new ones come`() throws {
    let task = try TestTask(directory.path)
    let old = (0..<300).map { answer($0 * 2, at: 10) }
    task.draft.geography = old
    try task.checkpoint()
    for number in 0..<200 {
      task.draft.geography = [answer(number * 5 % 600 | 1, at: 20)]
      task.draft.oldestGeography = 15
      try task.checkpoint()
    }
    #expect(try kept(task, old).count < 150)
    #expect(try task.store.verify() == [])
  }
}
