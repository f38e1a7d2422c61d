import Platform
import SessionModel

/// Events of some visitors in files of a few lines each, with late and broken records among them.
enum SmallTraffic {
  /// - Returns: the paths of files that hold one half hour each.
  static func write(files: Int, to directory: String) throws(SystemError) -> [String] {
    var paths: [String] = []
    for file in 0..<files {
      var text = ""
      for line in 0..<24 {
        let second = file * 1_800 + line * 70
        text += event(user: line % 5, ip: "10.0.0.\(line % 3)", at: second, url: "/\(file)/\(line)")
        text += "\n"
        if line == 9 { text += "{broken\n" }
        if line == 20 { text += event(user: 9, at: second - 1_200) + "\n" }
      }
      let path = "\(directory)/events-\(file).jsonl"
      try Files.replace(path, with: Array(text.utf8))
      paths.append(path)
    }
    return paths
  }
}
