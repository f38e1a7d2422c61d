/// How the text of a configuration or properties file is had: the one thing that this target needs
/// from outside.
package struct FileReader {
  /// Why a file could not be read, in words.
  package struct Failure: Error {
    package let reason: String

    package init(_ reason: String) {
      self.reason = reason
    }
  }

  private let read: (String) throws(Failure) -> [UInt8]

  /// - Parameter read: the bytes of the file at a path.
  package init(_ read: @escaping (String) throws(Failure) -> [UInt8]) {
    self.read = read
  }

  /// - Parameter place: the setting that names the file.
  func text(_ path: String, place: String) throws(UsageError) -> String {
    let bytes: [UInt8]
    do throws(Failure) {
      bytes = try read(path)
    } catch {
      throw UsageError(
        "\(place): cannot read \(quoted(path)): \(error.reason)",
        remedy: "correct the path or the file's permissions")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw UsageError("\(path): not UTF-8 text", remedy: "store the file as UTF-8")
    }
    return text
  }
}
