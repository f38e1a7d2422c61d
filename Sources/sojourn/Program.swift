import Configuration
import Console
import Platform
import SessionModel

/// From arguments to exit code: understands, dispatches, and reports what went wrong.
enum Program {
  /// - Parameter arguments: without the program's name.
  static func run(_ arguments: [String]) -> ExitCode {
    let beganAt = Clock.monotonic
    let environment = ProcessEnvironment.all()
    do throws(CommandFailure) {
      try perform(try understand(arguments, environment), beganAt: beganAt)
      return .success
    } catch {
      Standard.writeError(
        Message.failure(
          error.problem, state: error.state, remedy: error.remedy,
          colour: Standard.errorHasColour))
      return error.exitCode
    }
  }

  private static func understand(
    _ arguments: [String], _ environment: [String: String]
  ) throws(CommandFailure) -> Invocation {
    for warning in Invocation.warnings(about: environment) {
      Standard.writeError(Message.warning(warning, colour: Standard.errorHasColour))
    }
    do throws(UsageError) {
      return try Invocation(
        arguments: arguments, environment: environment, readFile: FileReader(readSettings))
    } catch {
      throw CommandFailure(error)
    }
  }

  private static func perform(
    _ invocation: Invocation, beganAt: Int64
  ) throws(CommandFailure) {
    switch invocation {
    case .help(let command): try HelpCommand.run(command)
    case .version(let settings): try VersionCommand.run(settings)
    case .run(let settings): try RunCommand.run(settings, beganAt: beganAt)
    case .preview(let settings): try PreviewCommand.run(settings)
    case .dump(let settings): try DumpCommand.run(settings)
    case .purge(let settings): try PurgeCommand.run(settings)
    case .check(let settings): try CheckCommand.run(settings)
    case .backup(let settings): try BackupCommand.run(settings)
    case .verifySink(let settings): try VerifySinkCommand.run(settings)
    case .ddl(let settings): try DDLCommand.run(settings)
    case .icebergSetup(let settings): try IcebergSetupCommand.run(settings)
    case .broker(let settings): try BrokerCommand.run(settings)
    case .generate(let settings): try GenerateCommand.run(settings)
    case .drill(let settings): try DrillCommand.run(settings)
    }
  }

  /// A configuration or properties file that is longer is another file.
  private static let settingsFileBytes = 1 << 20

  private static func readSettings(
    _ path: String
  ) throws(FileReader.Failure) -> [UInt8] {
    do throws(SystemError) {
      return try Files.read(path, limit: settingsFileBytes)
    } catch {
      throw FileReader.Failure(error.description)
    }
  }
}
