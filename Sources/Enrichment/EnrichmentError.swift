package import SessionModel

/// What rows are to be enriched with cannot be used (exit code 78); nothing was changed.
package struct EnrichmentError: Error, Equatable, CustomStringConvertible {
  package let description: String
  package var exitCode: ExitCode { .configuration }

  package init(_ description: String) { self.description = description }
}
