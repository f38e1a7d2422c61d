import Glibc

// The benchmark of docs/benchmarks.md: `make bench` calls it. Without a stage it is the conductor,
// which starts itself once for each stage, so that each is measured as a process of its own.
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.first == "stage" {
  exit(Stage.run(Array(arguments.dropFirst())))
}
exit(Conductor.run(arguments))
