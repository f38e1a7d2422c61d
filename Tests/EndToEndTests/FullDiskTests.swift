import Glibc
import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

/// A state or a sink on a disk that is full, after any number of bytes.
@Suite struct FullDiskTests {
  private static let isAll =
    getenv("SOJOURN_TEST_FULL_DISK").map { String(cString: $0) } == "all"
  private static let diskBytes = 16 << 20

  private let input = TemporaryDirectory(inMemory: true)
  private let files: [String]
  private let calm: SmallJob.Outcome

  init() throws {
    files = try SmallTraffic.write(files: 6, to: input.path)
    let job = try SmallJob()
    calm = try job.outcome(of: job.answer(job.run(files)), "the calm run")
  }

  /// A job that fails for want of space says so, can be looked at, and goes on once there is some.
  private func check(_ stopped: Answer, of job: SmallJob, _ what: String) throws {
    #expect(stopped.ended(.inputOutput), "\(what): \(stopped.end) \(stopped.messages)")
    #expect(stopped.messages.contains("is full"), "\(what): \(stopped.messages)")
    #expect(stopped.messages.contains("Make room"), "\(what): \(stopped.messages)")
    if Files.exists(job.state + "/data.mdb") {
      let look = try job.answer(["dump", "--state", job.state])
      #expect(look.ended(.success), "\(what): \(look.messages)")
    }
  }

  @Test(.enabled(if: HeldDisk.whyNot == nil, Comment(rawValue: HeldDisk.whyNot ?? "")))
  func `a state whose disk is full after any page stops with 74 and goes on when there is room`()
    throws
  {
    let disk = try HeldDisk(bytes: Self.diskBytes)
    var stops = 0
    var room = 0
    while true {
      let what = "\(room) bytes of room"
      let job = try SmallJob(stateIn: disk.path)
      defer { job.remove() }
      try disk.fill(leaving: room)
      let first = try job.answer(job.run(files))
      if first.ended(.success) {
        try job.expect(calm, after: first, what)
        break
      }
      stops += 1
      try check(first, of: job, what)
      try disk.clear()
      try job.expect(calm, after: job.answer(job.run(files)), what)
      room += Self.isAll ? 4_096 : 5 * 4_096
    }
    #expect(stops >= 5)
    if Self.isAll { print("full disk: the state, in pages: \(stops) sizes") }
  }

  @Test(.enabled(if: HeldDisk.whyNot == nil, Comment(rawValue: HeldDisk.whyNot ?? "")))
  func `LMDB's lock file, which is written through a map, ends nobody with SIGBUS`() throws {
    let disk = try HeldDisk(bytes: Self.diskBytes)
    let job = try SmallJob(stateIn: disk.path)
    try job.expect(calm, after: job.answer(job.run(files)), "before")
    // As long as LMDB makes it, but without a page of its own.
    try Files.replace(job.state + "/lock.mdb", with: [])
    #expect(truncate(job.state + "/lock.mdb", 16_512) == 0)
    try disk.fill(leaving: 0)
    try check(try job.answer(job.run(files)), of: job, "a lock file without pages")
    try Files.replace(job.state + "/lock.mdb", with: [])
    try check(try job.answer(job.run(files)), of: job, "an empty lock file")
    try disk.clear()
    #expect(try job.answer(job.run(files)).ended(.success))
  }

  @Test(
    .enabled(if: HeldDisk.whyNot == nil, Comment(rawValue: HeldDisk.whyNot ?? "")),
    arguments: ["table", "files"])
  func `a sink whose disk is full is waited for, and gets its rows when there is room`(
    place: String
  ) throws {
    let disk = try HeldDisk(bytes: Self.diskBytes)
    var waits = 0
    for page in stride(from: 0, through: 24, by: Self.isAll ? 1 : 6) {
      let what = "\(place), \(page) pages of room"
      let job =
        place == "table"
        ? try SmallJob(tableOn: disk) : try SmallJob(filesIn: disk.path)
      defer { job.remove() }
      try disk.fill(leaving: page * 4_096)
      let child = try job.start(job.run(files))
      while child.poll() == nil, !job.said.contains("waits: ") { usleep(500) }
      if child.poll() == nil {
        waits += 1
        #expect(job.said.contains("Make room"), "\(what): \(job.said)")
      }
      try disk.clear()
      try job.expect(calm, after: try job.answer(of: child), what)
    }
    #expect(waits >= 1)
    if Self.isAll { print("full disk: the \(place), in pages: \(waits) sizes") }
  }

  @Test(.enabled(if: HeldDisk.whyNot == nil, Comment(rawValue: HeldDisk.whyNot ?? "")))
  func `a backup onto a full disk ends with 74, leaves no state there and can be taken again`()
    throws
  {
    let disk = try HeldDisk(bytes: Self.diskBytes)
    let job = try SmallJob()
    try job.expect(calm, after: job.answer(job.run(files)), "before")
    let copy = disk.path + "/copy"
    let backup = ["backup", "--state", job.state, "--to", copy]
    for pages in [0, 2, 8] {
      try disk.fill(leaving: pages * 4_096)
      let answer = try job.answer(backup)
      #expect(answer.ended(.inputOutput), "\(pages) pages: \(answer.end) \(answer.messages)")
      #expect(answer.messages.contains("he state is safe"), "\(answer.messages)")
      #expect(try !Files.exists(copy) || Files.names(in: copy).isEmpty)
    }
    try disk.clear()
    #expect(try job.answer(backup).ended(.success))
    #expect(try job.answer(["check", "--state", copy]).ended(.success))
  }

  @Test(arguments: SystemCallDrill.Place.allCases)
  func `space that ends after any number of bytes changes no row`(
    place: SystemCallDrill.Place
  ) throws {
    var fired = 0
    var quota = 0
    while true {
      let what = "\(place), \(quota) bytes"
      let job = try SmallJob()
      var plan = FaultPlan(paths: [job.path(of: place)], log: job.log)
      plan.quota = quota
      let answer = try job.answer(job.run(files, ["--shutdown-timeout", "100ms"]), plan)
      if plan.calls().isEmpty {
        try job.expect(calm, after: answer, what)
        break
      }
      fired += 1
      if place == .state {
        try check(answer, of: job, what)
      } else {
        // What SQLite clears up at its end may find the disk full, too, and does not matter.
        #expect(answer.ended(.unavailable) || answer.ended(.success), "\(what): \(answer.messages)")
      }
      try job.expect(calm, after: job.answer(job.run(files)), what)
      quota += Self.isAll ? 509 : 29_989
    }
    #expect(fired >= 2)
    if Self.isAll { print("full disk: the \(place), in bytes: \(fired) sizes") }
  }
}
