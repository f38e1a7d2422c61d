import Glibc
import Platform

/// The lines of a JSONL directory's files, one file behind the other by name.
final class JSONLArrivedRows: ArrivedRows {
  private let directory: String
  private var names: ArraySlice<String>
  private var content: [UInt8] = []
  private var start = 0

  init(directory: String) throws(SinkError) {
    self.directory = directory
    do throws(SystemError) {
      names = try Files.names(in: directory).filter { JSONLFileName($0) != nil }[...]
    } catch {
      throw .unavailable("the JSONL directory \(directory): \(error)")
    }
  }

  func next() throws(SinkError) -> [UInt8]? {
    while start == content.count {
      guard let name = names.popFirst() else { return nil }
      start = 0
      do throws(SystemError) {
        content = try Files.read("\(directory)/\(name)")
      } catch {
        throw .unavailable("the JSONL directory \(directory): \(error)")
      }
    }
    let end = content[start...].firstIndex(of: UInt8(ascii: "\n")) ?? content.endIndex
    defer { start = min(end + 1, content.count) }
    return Array(content[start..<end])
  }
}
