import KafkaClient
import Testing

@Suite struct KafkaConfigurationTests {
  private let secret = KafkaConfiguration(
    brokers: "b:1",
    properties: [
      ("sasl.username", "ann"), ("sasl.password", "hunter22"), ("ssl.key.pem", "-----KEY"),
      ("ssl.key.password", "pass"), ("sasl.oauthbearer.config", "principal=x"),
      ("sasl.oauthbearer.client.secret", "shh!"), ("compression.codec", "zstd"),
    ])

  @Test func `secrets do not show in the description`() {
    let text = secret.redactedDescription
    for value in ["hunter22", "-----KEY", "=pass", "principal", "shh!"] {
      #expect(!text.contains(value))
    }
    #expect(text.contains("sasl.username=ann") && text.contains("compression.codec=zstd"))
  }

  @Test func `secrets are cut out of other texts`() {
    #expect(secret.redact("login ann/hunter22 failed: hunter22") == "login ann/*** failed: ***")
  }

  @Test func `the last of several values is in force and wins over a default`() {
    let configuration = KafkaConfiguration(
      brokers: "b:1", properties: [("client.id", "a"), ("client.id", "b")])
    #expect(configuration.withDefaults([("client.id", "c")])["client.id"] == "b")
    #expect(configuration.withDefaults([("linger.ms", "5")])["linger.ms"] == "5")
  }

  @Test(arguments: ["false", "FALSE", "f", "0"])
  func `the value that correctness needs may be given in each of its forms`(value: String) throws {
    let given = KafkaConfiguration(brokers: "b:1", properties: [("enable.auto.commit", value)])
    #expect(throws: Never.self) { try given.requiring(Consumer.required) }
  }

  @Test func `an unknown setting is named and its value is not`() {
    let error = #expect(throws: KafkaError.self) {
      try Producer(KafkaConfiguration(brokers: "b:1", properties: [("sasl.pasword", "hunter22")]))
    }
    #expect(error?.kind == .configuration)
    #expect(error?.message.contains("sasl.pasword") == true)
    #expect(error?.message.contains("hunter22") == false)
  }
}
