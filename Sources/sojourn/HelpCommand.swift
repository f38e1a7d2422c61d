import Configuration
import Console

/// `sojourn help [COMMAND]` and `--help`.
enum HelpCommand {
  static func run(_ command: Command?) throws(CommandFailure) {
    let text = command.map(HelpText.text) ?? HelpText.overview()
    try StandardOutput.write { (writer) throws(OutputError) in try writer.write(text) }
  }
}
