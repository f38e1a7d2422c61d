import Glibc
import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

@Suite struct OwnershipTests {
  let directory = TemporaryDirectory()

  @Test(arguments: [
    ("job", "'visits'", "'other'"), ("topic", "'visits'", "'clicks'"),
    ("key", "'user_id,ip'", "'user_id'"), ("gap_us", "'300000000'", "'1'"),
    ("scope", "'topic'", "'partition'"), ("id", "'sha256-v1'", "'v2'"),
  ])
  func `a state of another job or fingerprint is refused, naming both values`(
    part: String, stored: String, given: String
  ) throws {
    let task = try TestTask(directory.path)
    task.set(Sample.record(1, time: 1), for: Sample.hash(1))
    try task.checkpoint()
    task.close()
    var identity = TestTask.identity
    switch part {
    case "job": identity.job = "other"
    case "topic": identity.fingerprint.topic = "clicks"
    case "key": identity.fingerprint.keyFields = ["user_id"]
    case "gap_us": identity.fingerprint.gap = 1
    case "scope": identity.fingerprint.scope = "partition"
    default: identity.fingerprint.idFormat = "v2"
    }
    let error = #expect(throws: StateError.self) {
      try StateStore.open(directory: directory.path, identity: identity)
    }
    #expect(error?.exitCode == .configuration)
    for word in [part, stored, given] { #expect(error?.description.contains(word) == true) }
    try task.reopen()
    #expect(task.records.count == 1)
  }

  @Test func `a second process on a state is refused at once, naming the first`() throws {
    let task = try TestTask(directory.path)
    let error = #expect(throws: StateError.self) { try TestTask(directory.path) }
    #expect(error?.exitCode == .stateLocked)
    #expect(error?.description.contains("(\(getpid()))") == true)
    try task.checkpoint()
  }

  @Test func `a directory that cannot be made is refused with its reason`() throws {
    let file = directory.path + "/file"
    try Files.replace(file, with: [1])
    let error = #expect(throws: StateError.self) {
      try StateStore.open(directory: file + "/state", identity: TestTask.identity)
    }
    #expect(error?.exitCode == .stateLocked)
    #expect(error?.description.contains("Not a directory") == true)
  }

  @Test func `a new state belongs to its owner alone`() throws {
    let path = directory.path + "/a/state"
    let task = try TestTask(path)
    _ = task
    for (name, mode) in [("", 0o700), ("/data.mdb", 0o600), ("/lock.mdb", 0o600)] {
      var status = stat()
      #expect(stat(path + name, &status) == 0)
      #expect(status.st_mode & 0o777 == mode_t(mode))
    }
    #expect(try Files.names(in: path) == ["data.mdb", "lock.mdb", "owner.lock"])
  }

  @Test func `what a killed creation left behind does not matter`() throws {
    try Files.replace(directory.path + "/data.mdb.new", with: [UInt8](repeating: 7, count: 5_000))
    let task = try TestTask(directory.path)
    #expect(task.state == CheckpointState())
    #expect(!Files.exists(directory.path + "/data.mdb.new"))
  }

  @Test func `a reader of a directory without a state says so and makes nothing`() throws {
    for path in [directory.path, directory.path + "/nowhere"] {
      let error = #expect(throws: StateError.self) { try StateReader.open(directory: path) }
      #expect(error?.description.contains("there is no state in '\(path)'") == true)
      #expect(throws: StateError.self) { try StateReader.purge(.late, directory: path) }
    }
    #expect(try Files.names(in: directory.path) == [])
    #expect(!Files.exists(directory.path + "/nowhere"))
  }
}
