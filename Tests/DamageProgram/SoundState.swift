import Platform
import SessionModel
import StateStore
import TestSupport

/// A state to be damaged: its file, older versions of it, and what it tells.
struct SoundState {
  let shape: Shape
  /// Up to the last page in use; behind it the file is a hole.
  let bytes: [UInt8]
  let length: Int
  /// What stands in `owner.lock`.
  let owner: [UInt8]
  /// The file as it was one checkpoint before, and some checkpoints before that.
  let older: [[UInt8]]
  let pages: LivePages
  let content: StateContent
  /// What it told one checkpoint before.
  let previous: StateContent

  /// Makes a state in a directory that is not there yet.
  static func make(_ shape: Shape, in directory: String) throws {
    var random = RandomNumbers(seed: 1)
    let task = try TestTask(directory + "/state")
    for round in 0..<shape.rounds {
      if round == max(0, shape.rounds - 4) { try keep("older", of: directory) }
      if round == shape.rounds - 1 { try keep("previous", of: directory) }
      shape.change(task, round: round, &random)
      try task.checkpoint()
    }
    let records = task.records
    try task.reopen()
    precondition(task.records == records, "a sound state is what was written")
    let problems = try task.store.verify()
    precondition(problems.isEmpty, "a sound state is sound")
    task.close()
    if shape == .copy {
      let copy = directory + "/copy.mdb"
      try StateReader.open(directory: directory + "/state").copy(to: copy)
      try Files.rename(copy, to: directory + "/state/data.mdb")
    }
  }

  private static func keep(_ name: String, of directory: String) throws {
    try Files.makeDirectory(directory + "/" + name)
    try Files.replace(
      "\(directory)/\(name)/data.mdb", with: Files.read(directory + "/state/data.mdb"))
  }

  /// Reads a state that `make` made.
  init(_ shape: Shape, in directory: String) throws {
    self.shape = shape
    let file = try Files.read(directory + "/state/data.mdb")
    length = file.count
    pages = LivePages(file)
    bytes = Array(file.prefix(pages.count * LivePages.size))
    owner = try Files.read(directory + "/state/owner.lock")
    older = try ["previous", "older"].map { try Files.read("\(directory)/\($0)/data.mdb") }
    content = try StateContent(TestTask(directory + "/state"))
    previous = try StateContent(TestTask(directory + "/previous"))
  }
}
