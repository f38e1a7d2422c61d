extension SinkError {
  /// What a failure that PostgreSQL reports means for the delivery.
  ///
  /// Codes: PostgreSQL manual, appendix A.
  ///
  /// - Parameters:
  ///   - state: the SQLSTATE; nil where the connection failed without one.
  ///   - message: the server's or the library's own words.
  ///   - place: names server and database in messages, without secrets.
  package init(postgres state: String?, message: String, place: String) {
    let code = state.map { " (SQLSTATE \($0))" } ?? ""
    let text = "\(place): \(message)\(code)"
    let safe = "The rows stay in the state"
    switch PostgresFault(state: state) {
    case .passing(let advice):
      self = .unavailable("\(text). \(advice)\(safe); it is tried again.")
    case .refusal:
      self = .authentication(
        "\(text). Nothing was written. \(safe). Give this user the right (a password comes from "
          + "PGPASSWORD or a password file, never from the address), and start again.")
    case .configuration:
      self = .unsuitable(
        "\(text). Nothing was written. \(safe). Change what it says (`sojourn ddl --dialect "
          + "postgres` shows the table that is needed), and start again.")
    }
  }
}

/// What kind of failure an SQLSTATE is.
private enum PostgresFault {
  /// It may work later; with what could be done about it.
  case passing(String)
  case refusal
  case configuration

  init(state: String?) {
    guard let state else {
      self = .passing("")
      return
    }
    switch state {
    case "53100": self = .passing("Make room on the server's disk. ")
    case "55P03": self = .passing("Another client holds a lock; end its transaction. ")
    case "25006": self = .passing("This server takes no writes: a standby? ")
    case "42501": self = .refusal
    default: self = PostgresFault(class: state.prefix(2))
    }
  }

  private init(class name: Substring) {
    switch name {
    // Authorisation.
    case "28": self = .refusal
    // Connection, transaction state, rollback, resources, object state, operator, system, internal.
    case "08", "25", "40", "53", "55", "57", "58", "XX": self = .passing("")
    default: self = .configuration
    }
  }
}
