import Platform

/// What the fault shim does to a program that is started with it; see
/// `Tests/FaultShim/include/fault_shim.h`.
package struct FaultPlan: Sendable {
  package enum Action: String, CaseIterable, Sendable {
    case killBefore = "kill-before"
    case killAfter = "kill-after"
    case shortKill = "short-kill"
    case short
    case inputOutput = "eio"
    case noSpace = "enospc"

    package var kills: Bool {
      switch self {
      case .killBefore, .killAfter, .shortKill: true
      default: false
      }
    }

    /// Whether it is about the bytes of a write.
    package var cuts: Bool { self == .short || self == .shortKill }
  }

  /// A call that was counted, or at which the shim acted.
  package struct Call: Sendable {
    package var number: Int
    package var name: String
    /// That it was to write.
    package var bytes: Int
    package var path: String
  }

  /// Beginnings of absolute paths.
  package var paths: [String]
  /// The call to act at, from 1; 0: none.
  package var point = 0
  package var action: Action?
  /// Whether all further calls fail, too.
  package var isForGood = false
  /// Bytes after which the disk is full.
  package var quota: Int?
  /// By which what syncs and renames is held up, µs.
  package var delay = 0
  /// Where the shim says what it did.
  package var log: String

  package init(paths: [String], log: String) {
    self.paths = paths
    self.log = log
  }

  package var environment: [String: String] {
    var variables = [
      "LD_PRELOAD": BuiltProgram.faultShim, "FAULT_PATHS": paths.joined(separator: ":"),
      "FAULT_LOG": log, "FAULT_POINT": "\(point)", "FAULT_DELAY": "\(delay)",
      "FAULT_AFTER": isForGood ? "always" : "once",
    ]
    variables["FAULT_ACTION"] = action?.rawValue
    variables["FAULT_QUOTA"] = quota.map { "\($0)" }
    return variables
  }

  /// The calls that it acted at; without a point or a quota all that it counted.
  package func calls() -> [Call] {
    let lines = String(decoding: (try? Files.read(log)) ?? [], as: UTF8.self).split(separator: "\n")
    return lines.compactMap { line in
      let parts = line.split(separator: " ", maxSplits: 3)
      guard parts.count == 4, let number = Int(parts[0]), let bytes = Int(parts[2]) else {
        return nil
      }
      return Call(number: number, name: String(parts[1]), bytes: bytes, path: String(parts[3]))
    }
  }
}
