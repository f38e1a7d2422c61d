package import Platform

/// The text of a file of this repository.
///
/// - Parameters:
///   - path: from the repository's root.
///   - here: a source file of this target, by which the root is found.
/// - Throws: `SystemError` where it cannot be read.
package func repositoryFile(_ path: String, here: String = #filePath) throws(SystemError) -> String
{
  let root = here.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
  let bytes = try Files.read(root.joined(separator: "/") + "/" + path)
  return String(decoding: bytes, as: UTF8.self)
}
