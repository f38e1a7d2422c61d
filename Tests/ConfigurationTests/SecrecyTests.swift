import Configuration
import Testing

private let base = "run --brokers b:1 --topic t --sink sqlite:x "

@Test(arguments: [
  "sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem", "SSL.KEY.PEM",
  "ssl.certificate.pem", "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config",
  "sasl.oauthbearer.token.endpoint.url",
])
func `a secret property's value is in none of its descriptions`(key: String) {
  let property = KafkaProperty(key: key, value: "hunter2")
  var dumped = ""
  dump([property], to: &dumped)
  for text in ["\(property)", String(reflecting: property), "\([property])", dumped] {
    #expect(text.contains(key))
    #expect(!text.contains("hunter2"))
  }
}

@Test(arguments: ["security.protocol", "sasl.username", "ssl.ca.location", "ssl.key.location"])
func `other properties are shown with their values`(key: String) {
  #expect("\(KafkaProperty(key: key, value: "plain"))" == "\(key)=plain")
}

@Test func `settings as a whole do not show secrets`() throws {
  let settings = try run("-X sasl.password=hunter2")
  var dumped = ""
  dump(settings, to: &dumped)
  #expect("\(settings)".contains("sasl.password"))
  #expect(!"\(settings)".contains("hunter2"))
  #expect(!dumped.contains("hunter2"))
}

@Test(arguments: [
  base + "-X hunter2", base + "-Xhunter2", base + "-X =hunter2",
  base + "-X sasl.password=my hunter2",
  base + "--pasword=hunter2", base + "-Yhunter2", base + "-X sasl.password = hunter2",
  base + "-X bootstrap.servers=hunter2", base + "--X sasl.password=hunter2",
  "dump -Xsasl.password=hunter2",
])
func `a refused command line does not repeat what may be a secret`(line: String) throws {
  let error = try #require(refusal(words(line)))
  #expect(!error.description.contains("hunter2"))
}

@Test(arguments: [
  "X = hunter2", "X hunter2", "sasl.password=hunter2", "sasl.password hunter2", "hunter2 hunter2",
  "X = group.id=hunter2",
])
func `a refused line of a configuration file is not repeated`(line: String) throws {
  let error = try #require(refusal(words(base + "--config c"), files: ["c": line]))
  #expect(error.problem.contains("c:1"))
  #expect(!error.description.contains("hunter2"))
}

@Test(arguments: ["hunter2", "=hunter2", "group.id=hunter2"])
func `a refused line of a properties file is not repeated`(line: String) throws {
  let error = try #require(
    refusal(words(base + "--kafka-properties p"), files: ["p": "a=b\n\(line)"]))
  #expect(error.problem.contains("p:2"))
  #expect(!error.description.contains("hunter2"))
}

@Test func `a refused entry of SOJOURN_X is not repeated`() throws {
  let error = try #require(refusal(words(base), environment: ["SOJOURN_X": "a=b\nhunter2"]))
  #expect(error.problem.contains("environment variable SOJOURN_X"))
  #expect(!error.description.contains("hunter2"))
}
