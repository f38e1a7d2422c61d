import Glibc
import Platform

/// `openssl s_server` on a loopback port, with a certificate that it signed itself.
package final class TLSListener {
  package let address: String
  /// The certificate that has signed the broker's: its own.
  package let authority: String
  /// A certificate authority that signed nothing here.
  package let strangeAuthority: String
  private let process: ChildProcess
  private let directory = TemporaryDirectory()

  /// Why tests that need it are skipped; nil where the program is there.
  package static let skipMessage = "the program openssl is not on PATH"
  package static let isMissing: Bool = {
    let version = try? ChildProcess("openssl", ["version"])
    return version?.wait() != .exited(0)
  }()

  /// Starts it and waits until it listens.
  ///
  /// - Parameter demandsCertificate: of its clients.
  package init(demandsCertificate: Bool = false) throws {
    let port = freePort()
    address = "127.0.0.1:\(port)"
    let (broker, stranger) = (directory.path + "/broker", directory.path + "/stranger")
    for name in [broker, stranger] {
      let made = try ChildProcess(
        "openssl",
        [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
          "-days", "1", "-subj", "/CN=localhost", "-keyout", name + ".key", "-out", name + ".pem",
        ])
      precondition(made.wait() == .exited(0), "openssl makes certificates")
    }
    authority = broker + ".pem"
    strangeAuthority = stranger + ".pem"
    process = try ChildProcess(
      "openssl",
      [
        "s_server", "-www", "-accept", address, "-key", broker + ".key", "-cert", broker + ".pem",
      ] + (demandsCertificate ? ["-Verify", "1"] : []))
    let pause = try WakeUp()
    let deadline = Clock.monotonic + 20_000_000
    while true {
      if let probe = connectLoopback(port) {
        close(probe)
        return
      }
      precondition(process.poll() == nil && Clock.monotonic < deadline, "openssl listens")
      pause.wait(timeout: 10_000)
    }
  }

  deinit {
    process.signal(SIGKILL)
    process.wait()
  }
}
