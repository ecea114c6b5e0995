package io.pilotlight.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pilotlight.daemon.DaemonConfig.Door;
import io.pilotlight.daemon.DaemonException;
import io.pilotlight.daemon.fake.TestDaemon;
import io.pilotlight.daemon.fake.TestJars;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.Key;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Whom the daemon lets in, and which files its clients can name. */
final class DoorTest {
  private static final String TOKEN = "0123456789abcdef0123456789abcdef";
  private static final String PASSWORD = "only-for-this-test";

  @TempDir Path directory;

  private Path tokenFile() throws Exception {
    Path file = Files.writeString(directory.resolve("token"), TOKEN + "\n");
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
  }

  private static TestDaemon withToken(Path directory, Path token) throws Exception {
    return new TestDaemon(
        directory, config -> config.withDoor(new Door(false, token, null, null, null)));
  }

  @Test
  void requestsCarryTheToken() throws Exception {
    try (TestDaemon daemon = withToken(directory, tokenFile())) {
      HttpResponse<String> refused = daemon.get("/v1/functions");
      assertThat(refused.statusCode()).isEqualTo(401);
      assertThat(refused.headers().firstValue("WWW-Authenticate"))
          .get()
          .asString()
          .startsWith("Bearer");
      assertThat(refused.body()).contains("urn:pilotlight:unauthorized").doesNotContain(TOKEN);
      for (String wrong : List.of("Bearer x", "Bearer " + TOKEN + "0", "Basic " + TOKEN, TOKEN)) {
        assertThat(
                daemon.send(daemon.request("/metrics").header("Authorization", wrong)).statusCode())
            .as(wrong)
            .isEqualTo(401);
      }
      assertThat(
              daemon
                  .send(daemon.request("/v1/functions/f").PUT(BodyPublishers.ofString("{}")))
                  .statusCode())
          .isEqualTo(401);
      for (String open : List.of("/healthz", "/readyz")) {
        assertThat(daemon.get(open).statusCode()).as(open).isEqualTo(200);
      }
      assertThat(
              daemon
                  .send(daemon.request("/metrics").header("Authorization", "bearer " + TOKEN))
                  .statusCode())
          .isEqualTo(200);
    }
  }

  /** AWS's clients need the Authorization header for their signature. */
  @Test
  void lambdaClientsHaveAHeaderOfTheirOwn() throws Exception {
    try (TestDaemon daemon = withToken(directory, tokenFile())) {
      String path = "/2015-03-31/functions/nobody/invocations";
      HttpResponse<String> refused = daemon.post(path, "{}", "Authorization", "AWS4-HMAC-SHA256 x");
      assertThat(refused.statusCode()).isEqualTo(403);
      assertThat(refused.headers().firstValue("x-amzn-ErrorType"))
          .contains("UnrecognizedClientException");
      HttpResponse<String> passed =
          daemon.post(path, "{}", "Authorization", "AWS4-HMAC-SHA256 x", "Pilotlight-Token", TOKEN);
      assertThat(passed.headers().firstValue("x-amzn-ErrorType"))
          .contains("ResourceNotFoundException");
    }
  }

  @Test
  void aTokenThatIsNoneIsRefused() throws Exception {
    Path file = tokenFile();
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    assertRefused(new Door(false, file, null, null, null), "every user can read");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    Files.writeString(file, "short");
    assertRefused(new Door(false, file, null, null, null), "at least 16 characters");
    Path missing = directory.resolve("missing");
    assertRefused(new Door(false, missing, null, null, null), missing + " does not exist");
  }

  private void assertRefused(Door door, String why) {
    assertThatThrownBy(() -> new TestDaemon(directory, config -> config.withDoor(door)))
        .isInstanceOf(DaemonException.class)
        .hasMessageContaining(why);
  }

  @Test
  void elsewhereThanOnLoopbackBothTokenAndCertificateAreNeeded() throws Exception {
    Certificate certificate = certificate();
    Path token = tokenFile();
    for (Door door :
        List.of(
            new Door(false, token, null, null, null),
            new Door(false, null, certificate.chain(), certificate.key(), null))) {
      assertThatThrownBy(
              () ->
                  new TestDaemon(
                      directory,
                      config ->
                          config.withListen(new InetSocketAddress("0.0.0.0", 0)).withDoor(door)))
          .isInstanceOf(DaemonException.class)
          .hasMessageContaining("--token-file");
    }
    assertRefused(
        new Door(false, token, certificate.chain(), null, null), "--tls-cert and --tls-key");
  }

  private record Certificate(Path chain, Path key) {}

  /** One for 127.0.0.1, signed by itself, as PEM files. */
  private Certificate certificate() throws Exception {
    Path store = directory.resolve("server.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "server",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    Key key = keys.getKey("server", PASSWORD.toCharArray());
    return new Certificate(
        pem("server.crt", "CERTIFICATE", keys.getCertificate("server").getEncoded()),
        pem("server.key", "PRIVATE KEY", key.getEncoded()));
  }

  private Path pem(String file, String kind, byte[] der) throws Exception {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return Files.writeString(
        directory.resolve(file),
        "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n");
  }

  /** What the command line prints, on both streams. */
  private static String run(int status, String... arguments) {
    StringWriter text = new StringWriter();
    CommandLine command = Main.commandLine();
    command.setOut(new PrintWriter(text, true)).setErr(new PrintWriter(text, true));
    assertThat(command.execute(arguments)).as(text.toString()).isEqualTo(status);
    return text.toString();
  }

  @Test
  void theCommandLineSpeaksTlsWithAToken() throws Exception {
    Certificate certificate = certificate();
    Path token = tokenFile();
    Door door = new Door(false, token, certificate.chain(), certificate.key(), null);
    try (TestDaemon daemon = new TestDaemon(directory, config -> config.withDoor(door))) {
      InetSocketAddress address = daemon.daemon().address();
      String uri = daemon.daemon().scheme() + "://127.0.0.1:" + address.getPort();
      assertThat(uri).startsWith("https://");
      String trusted = certificate.chain().toString();
      assertThat(
              run(
                  0,
                  "functions",
                  "--json",
                  "--daemon",
                  uri,
                  "--ca-cert",
                  trusted,
                  "--token-file",
                  token.toString()))
          .contains("[");
      assertThat(run(1, "functions", "--daemon", uri, "--ca-cert", trusted))
          .contains("401", "token is missing");
      assertThat(run(1, "functions", "--daemon", uri, "--token-file", token.toString()))
          .contains("not trusted", "--ca-cert");
      assertThat(plain(address)).doesNotContain("HTTP/1.1 200");
    }
  }

  /** What a client gets that speaks plain HTTP to the TLS port. */
  private static String plain(InetSocketAddress address) throws Exception {
    try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
      OutputStream out = socket.getOutputStream();
      out.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      out.flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  @Test
  void aKeyThatCannotBeReadIsNamedWithTheRemedy() throws Exception {
    Certificate certificate = certificate();
    Path other = Files.writeString(directory.resolve("old.key"), "-----BEGIN RSA PRIVATE KEY-----");
    assertRefused(
        new Door(false, null, certificate.chain(), other, null), "openssl pkcs8 -topk8 -nocrypt");
    assertRefused(new Door(false, null, other, certificate.key(), null), "no usable certificate");
  }

  private HttpResponse<String> deploy(TestDaemon daemon, Path jar, @Nullable Path jvm)
      throws Exception {
    String body =
        "{\"jars\":[\""
            + jar
            + "\"],\"handler\":\"a.B::c\""
            + (jvm == null ? "" : ",\"jvm\":\"" + jvm + "\"")
            + "}";
    return daemon.send(daemon.request("/v1/functions/f").PUT(BodyPublishers.ofString(body)));
  }

  @Test
  void requestsNameFilesUnderAllowedRootsOnly() throws Exception {
    Path allowed = Files.createDirectory(directory.resolve("allowed"));
    Path inside = TestJars.write(allowed.resolve("inside.jar"), "inside");
    Path outside = TestJars.write(directory.resolve("outside.jar"), "outside");
    Path link = Files.createSymbolicLink(allowed.resolve("link.jar"), outside);
    Door door = new Door(false, null, null, null, List.of(allowed));
    try (TestDaemon daemon = new TestDaemon(directory, config -> config.withDoor(door))) {
      assertThat(deploy(daemon, inside, null).statusCode()).isEqualTo(201);
      for (Path elsewhere :
          List.of(outside, link, allowed.resolve("../outside.jar"), directory.resolve("nothing"))) {
        HttpResponse<String> answer = deploy(daemon, elsewhere, null);
        assertThat(answer.statusCode()).as(elsewhere.toString()).isEqualTo(400);
        assertThat(answer.body()).contains("lies elsewhere", "\"field\":\"jars\"");
      }
      HttpResponse<String> jvm = deploy(daemon, inside, directory.resolve("jdk"));
      assertThat(jvm.statusCode()).isEqualTo(400);
      assertThat(jvm.body()).contains("lies elsewhere", "\"field\":\"jvm\"");
    }
  }
}
