import Glibc

// The benchmarks of docs/benchmarks.md. Without one of these words first it is the conductor, which
// starts itself once for each stage, so that each is measured as a process of its own.
let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "stage": exit(Stage.run(Array(arguments.dropFirst())))
case "sinks": exit(SinkBench.run(Array(arguments.dropFirst())))
case "enrichment": exit(Conductor.runEnrichment(Array(arguments.dropFirst())))
case "recovery": exit(RecoveryBench.run(Array(arguments.dropFirst())))
default: exit(Conductor.run(arguments))
}

func usage() -> Int32 {
  say(
    """
    usage: sojourn-bench SOJOURN EVENTS DIRECTORY
           sojourn-bench enrichment SOJOURN EVENTS DIRECTORY [FILE.mmdb]
           sojourn-bench recovery SOJOURN SESSIONS DIRECTORY
           sojourn-bench sinks ROWS DIRECTORY [ADDRESS …]
    """)
  return 64
}

/// A message for people, to standard error.
func say(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
