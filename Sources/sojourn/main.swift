import Console
import Glibc
import SessionModel

Standard.ignoreBrokenPipes()
exit(Program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
