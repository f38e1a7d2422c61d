import Glibc
import Platform
import SessionModel
import Sinks
import TestSupport

/// An interpreter that runs the helper and puts another answer in the place of one, when asked to.
final class DisobedientPython {
  private let directory = TemporaryDirectory()
  private var order: String { directory.path + "/order" }
  private var interpreter: String { directory.path + "/python" }

  /// - Parameter patch: changes the helper's `names` before it begins.
  init(patch: String = "") {
    let python = IcebergWarehouse.python ?? "python3"
    let program = """
      import os, re, socket, struct, sys
      channel = socket.socket(fileno=3)
      length = int(re.search(r"recv\\((\\d+)", sys.argv[1]).group(1))
      program = channel.recv(length, socket.MSG_WAITALL)
      names = {"__name__": "helper"}
      exec(compile(program, "helper", "exec"), names)
      honest = names["send"]

      def send(channel, message):
          try:
              os.rename("\(order)", "\(order).taken")
          except FileNotFoundError:
              return honest(channel, message)
          with open("\(order).taken") as order:
              exec(order.read(), {**globals(), **locals()})

      names["send"] = send
      \(patch)
      sys.stdout = sys.stderr
      names["serve"](channel)
      """
    do throws(SystemError) {
      try Files.replace(directory.path + "/disobedient.py", with: Array(program.utf8))
      let script = "#!/bin/sh\nexec '\(python)' -I '\(directory.path)/disobedient.py' \"$3\"\n"
      try Files.replace(interpreter, with: Array(script.utf8))
    } catch {
      preconditionFailure("\(error)")
    }
    chmod(interpreter, 0o755)
  }

  func makeHelper() -> IcebergHelper {
    IcebergHelper(
      python: interpreter, environment: IcebergWarehouse.shared.environment,
      answerLimit: 60 * .perSecond)
  }

  /// Has code run in the place of the next answer: `channel`, `message` and the `honest` way to send.
  func answerOnce(_ code: String) throws {
    try Files.replace(order, with: Array(code.utf8))
  }
}
