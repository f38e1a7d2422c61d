import Console
import Glibc
import SessionModel

Standard.ignoreBrokenPipes()
LostPages.report()
exit(Program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
