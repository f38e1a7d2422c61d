import Glibc
import Platform

/// A pooler between clients and a PostgreSQL server, on a socket in a temporary directory.
///
/// Debian puts it where not every PATH leads.
package final class PgBouncer: @unchecked Sendable {
  // Unchecked: `process` changes only under its monitor's lock.

  /// When a connection to the server may serve another client.
  package enum PoolMode: String, Sendable { case session, transaction, statement }

  private static let program: String? = {
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    let places = path.split(separator: ":").map(String.init) + ["/usr/sbin"]
    return places.map { $0 + "/pgbouncer" }.first(where: Files.exists)
  }()

  package static var isMissing: Bool { program == nil || PostgresServer.isMissing }
  package static let skipMessage = "PgBouncer is not installed (Debian: pgbouncer)"

  /// Before the server that tests share, in transaction mode; ended with this process.
  package static let shared: PgBouncer = {
    let pooler = PgBouncer(.shared, .transaction)
    pooler.start()
    atexit { PgBouncer.shared.stop() }
    return pooler
  }()

  private let directory = TemporaryDirectory()
  private let process = Monitor<ChildProcess?>(nil)

  /// - Parameter connections: to the server, for each database; more clients wait for one to be free.
  package init(_ server: PostgresServer, _ mode: PoolMode, connections: Int = 20) {
    PostgresServer.hand(directory.path)
    // Clients in turn get another connection each; what failed is tried again at once, but not long.
    let settings = """
      [databases]
      * = host=\(server.socketDirectory) user=sojourn

      [pgbouncer]
      unix_socket_dir = \(directory.path)
      listen_addr =
      auth_type = any
      pool_mode = \(mode)
      default_pool_size = \(connections)
      server_round_robin = 1
      server_login_retry = 0
      query_wait_timeout = 2
      max_client_conn = 200
      """
    do throws(SystemError) { try Files.replace(path, with: Array((settings + "\n").utf8)) } catch {
      preconditionFailure("\(error)")
    }
    chmod(path, 0o644)
  }

  deinit { stop() }

  private var path: String { directory.path + "/pgbouncer.ini" }

  /// Starts it and waits until it takes connections.
  package func start() {
    let words = PostgresServer.asItsUser + [PgBouncer.program!, "--quiet", path]
    let log = directory.path + "-pooler.log"
    do throws(SystemError) {
      let child = try ChildProcess(
        words[0], Array(words.dropFirst()), standardOutput: log, standardError: log)
      process.change { $0 = child }
      let deadline = Clock.monotonic + 20_000_000
      while (try? PostgresClient(uri("postgres"))) == nil {
        precondition(child.poll() == nil && Clock.monotonic < deadline, "the pooler starts: \(log)")
        usleep(5_000)
      }
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// Kills it: a gentler end waits for clients to go, and it has nothing to save.
  package func stop() {
    process.change { process in
      process?.signal(SIGKILL)
      process?.wait()
      process = nil
    }
    TemporaryDirectory.remove(directory.path + "/.s.PGSQL.6432")
    TemporaryDirectory.remove(directory.path + "-pooler.log")
  }

  /// The address of a database through the pooler.
  package func uri(_ database: String) -> String {
    "postgres:///\(database)?host=\(directory.path)&port=6432&user=sojourn"
  }
}
