package import Platform

/// The text of a file of this repository.
///
/// - Parameters:
///   - path: from the repository's root.
///   - here: a source file of this target, by which the root is found.
/// - Throws: `SystemError` where it cannot be read.
package func repositoryFile(_ path: String, here: String = #filePath) throws(SystemError) -> String
{
  String(decoding: try Files.read(repositoryRoot(here: here) + "/" + path), as: UTF8.self)
}

/// Where this repository lies.
///
/// - Parameter here: a source file of this target.
package func repositoryRoot(here: String = #filePath) -> String {
  here.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
}
