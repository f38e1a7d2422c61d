import Glibc
import Platform

/// A real PostgreSQL server of the tests' own, on a socket in a temporary directory: no port, no
/// network. Found through PATH, else where Debian's `postgresql` puts it.
package final class PostgresServer: @unchecked Sendable {
  // Unchecked: `process` changes only under `processes`' lock.
  private let directory = TemporaryDirectory()
  private let processes = Monitor<ChildProcess?>(nil)
  private let databases = Monitor(0)
  private let entering: [String]

  /// Where the server's programs are; nil where it is not installed.
  static let programs: String? = {
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    let installed = ((try? Files.names(in: "/usr/lib/postgresql")) ?? []).sorted().reversed()
    let places =
      path.split(separator: ":").map(String.init)
      + installed.map { "/usr/lib/postgresql/\($0)/bin" }
    return places.first { Files.exists($0 + "/initdb") && Files.exists($0 + "/postgres") }
  }()

  package static var isMissing: Bool { programs == nil }
  package static let skipMessage = "PostgreSQL's server is not installed (Debian: postgresql)"

  /// One server for all tests of this process, ended with it.
  package static let shared: PostgresServer = {
    let server = PostgresServer()
    server.start()
    atexit { PostgresServer.shared.stop(SIGQUIT) }
    return server
  }()

  /// - Parameter entering: words before the server's command: where it runs (`HeldDisk.entering`).
  package init(entering: [String] = []) {
    self.entering = entering
    PostgresServer.hand(directory.path)
    let log = directory.path + "-initdb.log"
    defer { TemporaryDirectory.remove(log) }
    let made = run(
      "initdb",
      [
        "--pgdata", data, "--username", "sojourn", "--auth", "trust", "--encoding", "UTF8",
        "--locale", "C", "--no-sync",
      ], log: log)
    let end = made.wait()
    let said = (try? Files.read(log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    precondition(end == .exited(0), "initdb: \(said)")
    do throws(SystemError) { try guardRole() } catch { preconditionFailure("\(error)") }
  }

  /// The role whose password is asked for; all others are trusted.
  package static let guardedRole = "guarded"

  /// Writes pg_hba.conf; read at the next start.
  private func guardRole() throws(SystemError) {
    let path = data + "/pg_hba.conf"
    let text = "local all \(PostgresServer.guardedRole) scram-sha-256\nlocal all all trust\n"
    try FileDescriptor.open(path, O_WRONLY | O_TRUNC).write(Array(text.utf8))
  }

  deinit { stop(SIGQUIT) }

  /// Makes a directory the server's: PostgreSQL refuses to run as root.
  package static func hand(_ directory: String) {
    guard let user = otherUser else { return }
    guard let entry = getpwnam(user) else { preconditionFailure("there is a user \(user)") }
    chown(directory, entry.pointee.pw_uid, entry.pointee.pw_gid)
  }

  private static var otherUser: String? { geteuid() == 0 ? "postgres" : nil }

  /// The words before a command that make it run as the server's user.
  static var asItsUser: [String] {
    // Replaces itself by the program, so that signals reach that.
    otherUser.map { ["setpriv", "--reuid", $0, "--regid", $0, "--init-groups"] } ?? []
  }

  private var data: String { directory.path + "/data" }
  private var log: String { directory.path + "/log" }

  private func run(_ program: String, _ arguments: [String], log: String) -> ChildProcess {
    let words =
      entering + PostgresServer.asItsUser + [PostgresServer.programs! + "/" + program] + arguments
    do throws(SystemError) {
      return try ChildProcess(
        words[0], Array(words.dropFirst()), standardOutput: log, standardError: log)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// Starts the server and waits until it takes connections.
  package func start() {
    let deadline = Clock.monotonic + 60_000_000
    while true {
      let process = run(
        "postgres",
        ["-D", data, "-k", directory.path, "-c", "listen_addresses=", "-c", "fsync=off"],
        log: directory.path + "-server.log")
      processes.change { $0 = process }
      // After a SIGKILL the old server's processes may hold its memory for a moment longer.
      while process.poll() == nil {
        if (try? PostgresClient(uri("postgres"))) != nil { return }
        precondition(Clock.monotonic < deadline, "the server starts")
        usleep(5_000)
      }
      precondition(Clock.monotonic < deadline, "the server starts")
    }
  }

  /// Ends the server: SIGQUIT at once but in order, SIGKILL as a crash.
  package func stop(_ signal: Int32) {
    processes.change { process in
      process?.signal(signal)
      process?.wait()
      process = nil
    }
    TemporaryDirectory.remove(directory.path + "-server.log")
  }

  /// The address of a database.
  package func uri(_ database: String) -> String {
    "postgres:///\(database)?host=\(socketDirectory)&user=sojourn"
  }

  /// Where its socket is.
  var socketDirectory: String { directory.path }

  /// Makes an empty database of a new name.
  ///
  /// - Parameter directory: where its tables are, as the server sees it; with the others where nil.
  package func makeDatabase(in directory: String? = nil) throws -> String {
    let number = databases.change { number in
      number += 1
      return number
    }
    let name = "test\(number)"
    let client = try PostgresClient(uri("postgres"))
    if let directory {
      try client.run("CREATE TABLESPACE \(name) LOCATION '\(directory)'")
    }
    let place = directory == nil ? "" : " TABLESPACE \(name)"
    try client.run("CREATE DATABASE \(name) TEMPLATE template0\(place)")
    return name
  }
}
