import KafkaClient
package import Platform
package import SessionModel
import Sinks
import StateStore

/// Why a drill ended without a comparison: a life that went wrong, or surroundings that failed.
package struct DrillFailure: Error, CustomStringConvertible {
  package var exitCode: ExitCode
  package var description: String
  /// The last messages of the life that went wrong.
  package var messages: [String]

  init(_ exitCode: ExitCode, _ description: String, messages: [String] = []) {
    self.exitCode = exitCode
    self.description = description
    self.messages = messages
  }

  /// The drilled program did what it must not do.
  init(found description: String, messages: [String] = []) {
    self.init(.difference, description, messages: messages)
  }

  init(_ error: KafkaError) { self.init(.unavailable, "\(error)") }

  package init(_ error: SystemError) { self.init(.inputOutput, error.description) }

  /// What the drilled program left cannot be read.
  init(_ error: StateError) { self.init(found: error.description) }

  init(_ error: SinkError) { self.init(found: error.description) }
}
